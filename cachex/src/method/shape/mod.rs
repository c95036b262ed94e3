//! What of a method's return value is kept: decided by its type, whatever name it goes by.
//!
//! Reading order: this file (what a shape is), [`types`] (the four shapes), [`probe`] (which one a type has), [`with_errors`] (results
//! whose errors are kept as well), [`errors`] (what an error type must be able to do for some options).

pub(crate) mod errors;
pub(crate) mod probe;
pub(crate) mod types;
pub(crate) mod with_errors;

pub(crate) use errors::{ShareErr, SharedErr, TimedOut};
pub(crate) use types::{Fallible, FallibleOptional, Optional, Plain};

/// How a return value and a kept value are turned into each other.
#[diagnostic::on_unimplemented(
    message = "this function returns a future, and what it will be is not known yet",
    label = "a future, and no result",
    note = "write an `async fn`, or name the type as `Pin<Box<dyn Future<Output = …>>>`"
)]
pub trait Shape: Copy + Send + Sync {
    /// What the method returns.
    type Output;
    /// What the cache keeps.
    type Value;
    /// What `ttl_with`, `tags_with`, `unless` and `weight` are shown.
    type Loaded;

    /// Returns what is to be kept of a return value, if anything.
    fn value(self, output: &Self::Output) -> Option<&Self::Value>;
    /// Turns a kept value into a return value.
    fn output(self, value: Self::Value) -> Self::Output;
    /// Returns what the rules of the annotation are shown, if anything.
    fn loaded(self, value: &Self::Value) -> Option<&Self::Loaded>;
    /// Returns whether the value is a "none" or an error.
    fn is_negative(self, value: &Self::Value) -> bool;
    /// Returns whether the method failed.
    fn is_failure(self, output: &Self::Output) -> bool;
}
