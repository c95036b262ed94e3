//! Values with the place each was written at: what every source is turned into before it is read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Where a value was written: a line of a file, or a variable of the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The file or the variable; empty if the text has no name.
    source: Arc<str>,
    /// The line, from 1; `None` for what has no lines.
    line: Option<usize>,
}

impl Place {
    /// Names a line of a file.
    #[cfg(any(feature = "toml", feature = "yaml"))]
    pub(super) fn line(source: &Arc<str>, line: usize) -> Self {
        Self { source: Arc::clone(source), line: Some(line) }
    }

    /// Names something without lines.
    pub(super) fn whole(source: &str) -> Self {
        Self { source: source.into(), line: None }
    }
}

/// Shows the place as the start of a message.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.source, self.line) {
            ("", None) => Ok(()),
            ("", Some(line)) => write!(f, "line {line}: "),
            (source, None) => write!(f, "{source}: "),
            (source, Some(line)) => write!(f, "{source}:{line}: "),
        }
    }
}

/// What a source says for one key.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Text in quotes.
    #[cfg_attr(
        not(any(feature = "toml", feature = "yaml", test)),
        expect(dead_code, reason = "the sources that are left know no quotes")
    )]
    Text(String),
    /// A whole number.
    Number(i128),
    /// True or false.
    Flag(bool),
    /// Text of a source without types: the environment, or YAML without quotes.
    Plain(String),
    /// Keys and what stands there.
    Table(BTreeMap<String, Node>),
    /// Something no setting is: the name of its kind, for the message.
    Other(&'static str),
}

impl Value {
    /// Returns whether this is a source's way to say nothing.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Plain(text) if matches!(&**text, "" | "~" | "null" | "Null" | "NULL"))
    }
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

impl Node {
    /// Makes a table without keys.
    pub(super) fn empty() -> Self {
        Self { place: Place::default(), value: Value::Table(BTreeMap::new()) }
    }

    /// Puts another tree over this one: tables are merged, everything else is replaced.
    pub(super) fn overlay(&mut self, over: Self) {
        match (&mut self.value, over.value) {
            (Value::Table(under), Value::Table(over)) => {
                for (key, node) in over {
                    match under.get_mut(&key) {
                        Some(known) => known.overlay(node),
                        None => drop(under.insert(key, node)),
                    }
                }
            }
            (value, over_value) => {
                *value = over_value;
                self.place = over.place;
            }
        }
    }

    /// Returns the place of what stands nearest to a path: the node itself, or else the last table on the way.
    pub(super) fn place_of(&self, path: &[&str]) -> &Place {
        let mut node = self;
        for key in path {
            let Value::Table(table) = &node.value else { break };
            let Some(next) = table.get(*key) else { break };
            node = next;
        }
        &node.place
    }
}
