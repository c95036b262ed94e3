//! What is known of a method whose results are kept: facts of its annotation, and how its values are handled.
//!
//! Reading order: [`site`] (what is known before the program runs), [`region`] (one method of one type), [`shape`] (what of a
//! return value is kept), [`keep`], [`message`], [`size`] and [`short`] (how a value is kept, what it takes, how it is cloned), [`value_rules`] (rules that need the value),
//! [`results`] (what a method for many keys returns).

pub(crate) mod keep;
pub(crate) mod message;
pub(crate) mod region;
pub(crate) mod results;
pub(crate) mod shape;
mod short;
pub(crate) mod site;
pub(crate) mod size;
pub(crate) mod value_rules;

pub use keep::CacheValue;
pub(crate) use region::Region;
