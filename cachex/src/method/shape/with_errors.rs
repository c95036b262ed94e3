//! Results of which some errors are kept as well: `cache_err`.

use std::marker::PhantomData;

use super::{Fallible, FallibleOptional, Shape};

/// A `Result` of which some errors are kept: `cache_err`.
// The error is named through the shape, once: in the state of a future, where lifetimes are forgotten, two mentions of
// `&'static str` are two types, and a future that could not be told to be `Send`.
pub struct WithErrors<S: WithError> {
    inner: S,
    keeps: fn(&S::Err) -> bool,
}

/// A shape with an error.
pub trait WithError: Shape {
    /// The error.
    type Err;
}

impl<T, E> WithError for Fallible<T, E> {
    type Err = E;
}

impl<T, E> WithError for FallibleOptional<T, E> {
    type Err = E;
}

impl<S: WithError + std::fmt::Debug> std::fmt::Debug for WithErrors<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WithErrors").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S: WithError> Clone for WithErrors<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: WithError> Copy for WithErrors<S> {}

impl<S> Shape for WithErrors<S>
where
    S: WithError + Shape<Output = Result<<S as Shape>::Value, <S as WithError>::Err>, Loaded = <S as Shape>::Value>,
{
    type Output = Result<S::Value, S::Err>;
    type Value = Result<S::Value, S::Err>;
    type Loaded = S::Value;

    fn value(self, output: &Self::Output) -> Option<&Self::Value> {
        match output {
            Err(error) if !(self.keeps)(error) => None,
            _ => Some(output),
        }
    }

    fn output(self, value: Self::Value) -> Self::Output {
        value
    }

    fn loaded(self, value: &Self::Value) -> Option<&Self::Loaded> {
        value.as_ref().ok()
    }

    fn is_negative(self, value: &Self::Value) -> bool {
        match value {
            Ok(value) => self.inner.is_negative(value),
            Err(_) => true,
        }
    }

    fn is_failure(self, output: &Self::Output) -> bool {
        output.is_err()
    }
}

/// A return type that has an error.
#[diagnostic::on_unimplemented(
    message = "`cache_err` needs a method that returns a `Result`",
    label = "this method's return type has no error",
    note = "remove `cache_err`, or return a `Result`"
)]
pub trait FallibleShape: Shape {
    /// The shape and its error. Named here, so that a shape without errors is one mistake, not one for each use.
    type Errors;

    /// Begins to say which errors are kept.
    fn errors(self) -> Self::Errors;
}

impl<T, E> FallibleShape for Fallible<T, E> {
    type Errors = Errors<Self, E>;

    fn errors(self) -> Errors<Self, E> {
        Errors { inner: self, error: PhantomData }
    }
}

impl<T, E> FallibleShape for FallibleOptional<T, E> {
    type Errors = Errors<Self, E>;

    fn errors(self) -> Errors<Self, E> {
        Errors { inner: self, error: PhantomData }
    }
}

/// A shape whose errors may be kept: `keep_errors(shape).by(rule)`.
#[derive(Debug)]
pub struct Errors<S, E> {
    inner: S,
    error: PhantomData<fn(&E)>,
}

impl<S: WithError<Err = E>, E> Errors<S, E> {
    /// Keeps the errors for which `keeps` is true.
    pub fn by(self, keeps: fn(&E) -> bool) -> WithErrors<S> {
        WithErrors { inner: self.inner, keeps }
    }
}

/// Begins to say which errors are kept.
pub fn keep_errors<S: FallibleShape>(shape: S) -> S::Errors {
    shape.errors()
}
