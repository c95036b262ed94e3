//! Writes through Diesel invalidate what they touched, at commit.
//!
//! Nothing is here yet: the crate holds the name. Until then, annotate the writing methods with `#[invalidates]`.
