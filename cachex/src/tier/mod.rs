//! Where entries are kept.

pub(crate) mod memory;
