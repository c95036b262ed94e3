//! What the program knows of an annotated method before it runs.

use std::any::TypeId;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::region::Region;
use crate::policy::Policy;
use crate::raw::late::Late;

/// The facts of an annotation, written by the macro.
#[derive(Debug)]
pub struct Site {
    /// The method's own name.
    pub method: &'static str,
    /// Returns the path of a function inside the annotated body: the module, the type and the method.
    pub here: fn() -> &'static str,
    /// The name given by the annotation, in place of the path.
    pub name: Option<&'static str>,
    /// The version given by the annotation: another version is another key.
    pub version: u32,
    /// The method's signature, as written.
    pub signature: &'static str,
    /// The annotation's options, as written.
    pub options: &'static str,
    /// Where the annotation stands.
    pub file: &'static str,
    /// Where the annotation stands.
    pub line: u32,
    /// The rules of the annotation.
    pub policy: Policy,
    /// The tags that the annotation names as they are.
    pub tags: &'static [&'static str],
}

/// What the macro submits for each annotation, so that every method is known before it is called.
#[derive(Debug)]
pub struct Registered(pub &'static CallSite);

inventory::collect!(Registered);

/// The static half of an annotated method.
#[derive(Debug)]
pub struct CallSite {
    site: Site,
    name: OnceLock<Box<str>>,
    // Most methods have one instance: it is found without a lock. Before there is one, no instance is its own.
    first: Late<Region>,
    /// All of them.
    all: Mutex<Vec<&'static Region>>,
}

impl CallSite {
    /// Makes the static of an annotated method.
    #[must_use]
    pub const fn new(site: Site) -> Self {
        Self { site, name: OnceLock::new(), first: Late::new(Region::manual()), all: Mutex::new(Vec::new()) }
    }

    /// Returns the method's full name: the one given, else module, type and method.
    pub(crate) fn name(&self) -> &str {
        self.name.get_or_init(|| match self.site.name {
            Some(name) => name.into(),
            None => full_name((self.site.here)(), self.site.method).into(),
        })
    }

    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    /// Returns the region of one instance of the method.
    #[inline(always)]
    pub(crate) fn region<I>(&'static self, _instance: &I) -> &'static Region {
        let id = typeid::of::<I>();
        let first = self.first.get();
        if first.is_of(id) { first } else { self.other_region(id, std::any::type_name::<I>()) }
    }

    #[cold]
    fn other_region(&'static self, id: TypeId, path: &'static str) -> &'static Region {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.iter().find(|known| known.is_of(id)) {
            return known;
        }
        let types = filled_in(path, (self.site.here)(), self.site.method);
        let region = Region::instance(id, self.name(), types.as_deref(), &self.site);
        if all.is_empty() {
            self.first.set(region);
        }
        all.push(region);
        region
    }
}

/// Puts the method's name in the place of the function that its body, or a part of it, is in.
fn full_name(here: &str, method: &str) -> String {
    match function(here).rsplit_once("::") {
        Some((owner, _)) => format!("{}::{method}", inherent(owner)),
        None => method.to_owned(),
    }
}

/// Returns the full name of an instance with its types filled in, if it has any: `path` is that of a closure beside [`Site::here`].
fn filled_in(path: &str, here: &str, method: &str) -> Option<String> {
    let (path, function) = (path.trim_end_matches("::{{closure}}"), function(here));
    if path == function {
        return None;
    }
    // The macro's own name for the function says nothing: another version of it may call it otherwise, and the keys are to be the same.
    let hidden = function.rsplit("::").next().unwrap_or(function);
    let Some((owner, types)) = path.rsplit_once(&format!("::{hidden}")) else { return Some(path.to_owned()) };
    Some(format!("{}::{method}{types}", inherent(owner)))
}

/// Strips what stands behind a function in the path of an item in its body.
fn function(here: &str) -> &str {
    here.strip_suffix("::here").unwrap_or(here).trim_end_matches("::{{closure}}")
}

/// Returns the type that an inherent block is for; a block outside of the type's module is spelled `module::<impl Type>`.
fn inherent(owner: &str) -> &str {
    let block = owner.split_once("<impl ").and_then(|(_, block)| block.strip_suffix('>'));
    block.unwrap_or(owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_module_type_and_method() {
        assert_eq!(full_name("shop::Users::__cachex_find::here", "find"), "shop::Users::find");
        assert_eq!(full_name("shop::find::<impl shop::Users<T>>::__cachex_find::here", "find"), "shop::Users<T>::find");
        assert_eq!(full_name("shop::rates::{{closure}}::here", "rates"), "shop::rates");
        assert_eq!(full_name("<shop::Users as shop::Repo>::find::here", "find"), "<shop::Users as shop::Repo>::find");
    }

    #[test]
    fn only_what_is_generic_has_types_and_none_has_a_name_of_the_macro() {
        let hidden = "shop::Users::__cachex_find::here";
        assert_eq!(filled_in("shop::Users::__cachex_find::{{closure}}", hidden, "find"), None);
        assert_eq!(filled_in("shop::rates::{{closure}}", "shop::rates::{{closure}}::here", "rates"), None);
        let filled = |path, here| filled_in(path, here, "find").expect("there are types");
        assert_eq!(filled("shop::find<u8>::{{closure}}", "shop::find::here"), "shop::find<u8>");
        assert_eq!(
            filled("shop::Users<u8>::__cachex_find<a::B>::{{closure}}", "shop::Users<T>::__cachex_find::here"),
            "shop::Users<u8>::find<a::B>"
        );
        assert_eq!(
            filled("db::<impl shop::Users<u8>>::__cachex_find", "db::<impl shop::Users<T>>::__cachex_find::here"),
            "shop::Users<u8>::find"
        );
    }
}
