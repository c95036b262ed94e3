//! What a table is asked for.

use super::node::{Node, Parts};

/// What a look-up asks for.
pub(crate) trait Sought<P: Parts>: Copy {
    /// Returns its hash.
    fn hash(&self) -> u64;
    /// Whether it is this node.
    fn is(&self, node: &Node<P>) -> bool;
}
