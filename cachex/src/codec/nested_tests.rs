//! Types that hold themselves, for tests of what hostile bytes make of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Node {
    pub(super) next: Option<Box<Node>>,
}

/// Holds itself in every way there is.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Tree {
    Leaf,
    Newtype(Box<Tree>),
    Tuple(u8, Box<Tree>),
    Struct { children: Vec<Tree> },
    Named(BTreeMap<u8, Tree>),
    Wrapped(Wrapped),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Wrapped(Option<Box<Wrapped>>);
