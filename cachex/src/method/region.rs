//! A part of the key space: one method of one type, or the manual API.

use std::any::TypeId;
use std::sync::{Mutex, PoisonError};

use super::site::Site;
use crate::policy::Policy;
use crate::tag::Tag;

/// A part of the key space that shares a policy and statistics: one instance of an annotated method, a registered loader,
/// or the manual API.
#[derive(Debug)]
pub(crate) struct Region {
    /// The type that stands for the instance of an annotated method.
    instance: TypeId,
    id: u32,
    name: &'static str,
    signature: &'static str,
    remote_name: &'static str,
    policy: Policy,
    tags: &'static [Tag],
}

/// Stands where no annotated method is called.
struct NoInstance;

static MANUAL: Region = Region {
    instance: TypeId::of::<NoInstance>(),
    id: 0,
    name: "manual",
    signature: "manual",
    remote_name: "manual",
    policy: Policy::new(),
    tags: &[],
};

// Regions live as long as the program: there are as many as annotated methods, instances of generic ones, and names and
// rules of registered loaders.
static REGISTERED: Mutex<Vec<&'static Region>> = Mutex::new(Vec::new());

impl Region {
    /// Returns the region of the manual API.
    pub(crate) const fn manual() -> &'static Self {
        &MANUAL
    }

    /// Makes the region of one instance of an annotated method.
    ///
    /// `types` is its full name with the types filled in, if it has any.
    pub(crate) fn instance(instance: TypeId, name: &'static str, types: Option<&str>, site: &Site) -> &'static Self {
        let signature = String::leak(types.unwrap_or(name).to_owned());
        let remote_name = String::leak(remote_name(name, types.unwrap_or_default(), site.version));
        let tags = site.tags.iter().map(|tag| Tag::from(*tag)).collect::<Vec<_>>().leak();
        Self::add(|id| Self { instance, id, name, signature, remote_name, policy: site.policy.clone(), tags })
    }

    /// Whether it is of this instance of an annotated method.
    #[inline(always)]
    pub(crate) fn is_of(&self, instance: TypeId) -> bool {
        self.instance == instance
    }

    /// Returns the region of registered loaders of a name and policy, in whatever cache.
    pub(crate) fn named(name: &str, policy: &Policy) -> &'static Self {
        static LOADERS: Mutex<Vec<&'static Region>> = Mutex::new(Vec::new());
        let mut known = LOADERS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(region) = known.iter().find(|region| region.name == name && region.policy == *policy) {
            return region;
        }
        let name = String::leak(name.to_owned());
        let region = Self::add(|id| Self {
            instance: TypeId::of::<NoInstance>(),
            id,
            name,
            signature: name,
            remote_name: name,
            policy: policy.clone(),
            tags: &[],
        });
        known.push(region);
        region
    }

    fn add(make: impl FnOnce(u32) -> Self) -> &'static Self {
        let mut known = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
        let id = u32::try_from(known.len() + 1).expect("a program has fewer than 2^32 methods");
        let region: &'static Self = Box::leak(Box::new(make(id)));
        known.push(region);
        region
    }

    /// Returns the number that tells the regions of this process apart.
    #[inline]
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Returns the full name of the method: module, type and method.
    #[must_use]
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the name with the types of a generic method filled in.
    #[must_use]
    pub(crate) fn signature(&self) -> &'static str {
        self.signature
    }

    /// Returns what other processes call the method: its name, with the types of a generic one, and its version.
    #[cfg_attr(not(feature = "remote"), expect(dead_code, reason = "there are no other processes"))]
    pub(crate) fn remote_name(&self) -> &'static str {
        self.remote_name
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Returns the tags that the annotation names as they are: all entries have them.
    pub(crate) fn tags(&self) -> &'static [Tag] {
        self.tags
    }
}

/// Returns what other processes call a method: its name, its version, and its types if it is generic.
pub(crate) fn remote_name(name: &str, generic: &str, version: u32) -> String {
    match (generic, version) {
        ("", 0) => name.to_owned(),
        ("", version) => format!("{name};{version}"),
        (generic, version) => format!("{name};{version};{generic}"),
    }
}
