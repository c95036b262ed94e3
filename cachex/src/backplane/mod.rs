//! What processes tell each other: notices go out with what they are about, and come in.
//!
//! Reading order: [`notice`] (the format), [`gaps`] (whether one was lost).

pub(crate) mod gaps;
pub(crate) mod notice;
