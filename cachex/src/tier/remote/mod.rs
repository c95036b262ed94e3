//! L2: values as bytes in a store. A value and what is known of it go in, bytes come out, and the other way round.
//!
//! Reading order: [`envelope`] (the form of a value in a store), [`name()`](name::name) (the key in a store).

pub(crate) mod envelope;
pub(crate) mod name;
