//! The environment as a source: variables go in, a tree comes out.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::read::Mistakes;
use super::tree::{Node, Place, Value};

/// What the name of a variable that is a setting starts with.
const PREFIX: &str = "CACHEX_";

/// The variable that names the file to read.
pub(super) const FILE: &str = "CACHEX_CONFIG";

/// Variables of other parts of cachex, which are no settings.
const RESERVED: [&str; 2] = [FILE, "CACHEX_MACROS_DEBUG"];

/// Collects the variables that are settings. Names are case-sensitive and read as the documentation of
/// [`Settings::load`](super::Settings::load) says.
pub(super) fn tree(variables: &[(OsString, OsString)], mistakes: &mut Mistakes) -> Node {
    let mut tree = Node::empty();
    for (variable, value) in variables {
        let Some(variable) = variable.to_str() else { continue };
        let Some(name) = variable.strip_prefix(PREFIX) else { continue };
        if RESERVED.contains(&variable) {
            continue;
        }
        let place = Place::whole(variable);
        let Some(value) = value.to_str() else {
            mistakes.add(place, "is not valid UTF-8; correct its value".to_owned());
            continue;
        };
        tree.overlay(branch(&path(name), &place, value));
    }
    tree
}

/// Splits the name of a variable into keys; the name of a method is left as it is written.
fn path(name: &str) -> Vec<String> {
    let Some(method) = name.strip_prefix("METHODS__") else {
        return name.split("__").map(str::to_lowercase).collect();
    };
    match method.rsplit_once("__") {
        Some((method, setting)) => vec!["methods".to_owned(), method.to_owned(), setting.to_lowercase()],
        None => vec!["methods".to_owned(), method.to_owned()],
    }
}

fn branch(path: &[String], place: &Place, value: &str) -> Node {
    let value = match path {
        [] => Value::Plain(value.to_owned()),
        [key, rest @ ..] => Value::Table(BTreeMap::from([(key.clone(), branch(rest, place, value))])),
    };
    Node { place: place.clone(), value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_underscores_are_a_step_down() {
        assert_eq!(path("NAMESPACE"), ["namespace"]);
        assert_eq!(path("MEMORY__MAX_ENTRIES"), ["memory", "max_entries"]);
        assert_eq!(path("METHODS__shop::Users::find__SOFT_TTL"), ["methods", "shop::Users::find", "soft_ttl"]);
        assert_eq!(path("METHODS__find__all__TTL"), ["methods", "find__all", "ttl"]);
        assert_eq!(path("METHODS__shop::Users::find"), ["methods", "shop::Users::find"]);
    }
}
