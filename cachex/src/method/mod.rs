//! What is known of a method whose results are kept: facts of its annotation, and how its values are handled.
//!
//! Reading order: [`site`] (what is known before the program runs), [`region`] (one method of one type), [`shape`] (what of a
//! return value is kept), [`keep`] (how a value is kept), [`hooks`] (rules that need the value).

pub(crate) mod hooks;
pub(crate) mod keep;
pub(crate) mod region;
pub(crate) mod shape;
pub(crate) mod site;

pub use keep::CacheValue;
pub use region::Region;
