//! What items are called: short, and without anything that the protocol would take for its own.

use std::fmt::Write;

use xxhash_rust::xxh3::xxh3_128;

use crate::store::Group;

/// The server takes no longer ones.
const LONGEST: usize = 250;
const LONGEST_ROOT: usize = 100;

/// The names of one namespace.
#[derive(Debug)]
pub(super) struct Names {
    /// The prefix and the namespace.
    root: Box<str>,
}

impl Names {
    pub(super) fn new(prefix: &str, namespace: &str) -> Self {
        let root = format!("{prefix}:{namespace}");
        let is_short = root.len() <= LONGEST_ROOT && is_safe(&root);
        Self { root: if is_short { root } else { digest(&root) }.into() }
    }

    /// Names the item of a key: its value and its lease.
    pub(super) fn key(&self, key: &str) -> String {
        self.name('k', 'K', key)
    }

    /// Names the item of a group.
    pub(super) fn group(&self, group: &Group) -> String {
        self.name('g', 'G', group.as_str())
    }

    /// Names the item that is stored to draw a number.
    pub(super) fn draw(&self) -> String {
        format!("{}:n", self.root)
    }

    /// What is not safe, or too long, has its digest as its name.
    fn name(&self, plain: char, digested: char, name: &str) -> String {
        let root = &self.root;
        if is_safe(name) && root.len() + 3 + name.len() <= LONGEST {
            format!("{root}:{plain}:{name}")
        } else {
            format!("{root}:{digested}:{}", digest(name))
        }
    }
}

fn is_safe(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

fn digest(name: &str) -> String {
    let mut digest = String::with_capacity(32);
    let _written = write!(digest, "{:032x}", xxh3_128(name.as_bytes()));
    digest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_name_is_one_that_the_server_takes(prefix: String, namespace in ".{0,300}", name in ".{0,400}") {
            let names = Names::new(&prefix, &namespace);
            for name in [names.key(&name), names.group(&Group::tag(&name)), names.draw()] {
                prop_assert!(name.len() <= LONGEST && is_safe(&name));
            }
        }
    }

    #[test]
    fn what_is_kept_of_keys_and_groups_has_names_of_its_own() {
        let names = Names::new("cx", "shop");
        assert_eq!(names.key("find(7)"), "cx:shop:k:find(7)");
        assert_eq!(names.group(&Group::tag("users")), "cx:shop:g:t:users");
        assert_ne!(names.key("a b"), names.key("a  b"));
        // A key that is called as the digest of another one.
        assert_ne!(names.key(&digest("a b")), names.key("a b"));
    }
}
