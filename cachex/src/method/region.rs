//! A part of the key space: one method of one type, or the manual API.

use std::sync::{Mutex, PoisonError};

use crate::policy::Policy;

/// A part of the key space that shares a policy and statistics: one instance of an annotated method, a registered loader,
/// or the manual API.
#[derive(Debug)]
pub struct Region {
    id: u32,
    name: &'static str,
    signature: &'static str,
    version: u32,
    policy: Policy,
}

static MANUAL: Region = Region { id: 0, name: "manual", signature: "manual", version: 0, policy: Policy::new() };

// Regions live as long as the program: there are as many as annotated methods, instances of generic ones, and
// registered loaders, all bounded by the code.
static REGISTERED: Mutex<Vec<&'static Region>> = Mutex::new(Vec::new());

impl Region {
    /// Returns the region of the manual API.
    pub(crate) const fn manual() -> &'static Self {
        &MANUAL
    }

    /// Makes the region of one instance of an annotated method.
    pub(crate) fn instance(name: &'static str, signature: &str, version: u32, policy: Policy) -> &'static Self {
        Self::add(|id| Self { id, name, signature: String::leak(signature.to_owned()), version, policy })
    }

    /// Makes the region of a registered loader.
    pub(crate) fn named(name: &str, policy: Policy) -> &'static Self {
        let name = String::leak(name.to_owned());
        Self::add(|id| Self { id, name, signature: name, version: 0, policy })
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
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the name with the types of a generic method filled in.
    #[must_use]
    pub fn signature(&self) -> &'static str {
        self.signature
    }

    /// Returns the version of the key's meaning.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }
}
