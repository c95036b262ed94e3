//! Results of which some errors are kept as well: `cache_err`.

use std::marker::PhantomData;

use super::{Fallible, FallibleOptional, Shape};

/// A `Result` of which some errors are kept: `cache_err`.
pub struct WithErrors<S, E> {
    inner: S,
    keeps: fn(&E) -> bool,
}

impl<S: std::fmt::Debug, E> std::fmt::Debug for WithErrors<S, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WithErrors").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S: Clone, E> Clone for WithErrors<S, E> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), keeps: self.keeps }
    }
}

impl<S: Copy, E> Copy for WithErrors<S, E> {}

impl<S, T, E> Shape for WithErrors<S, E>
where
    S: Shape<Output = Result<T, E>, Value = T, Loaded = T>,
{
    type Output = Result<T, E>;
    type Value = Result<T, E>;
    type Loaded = T;

    fn value(self, output: &Result<T, E>) -> Option<&Result<T, E>> {
        match output {
            Err(error) if !(self.keeps)(error) => None,
            _ => Some(output),
        }
    }

    fn output(self, value: Result<T, E>) -> Result<T, E> {
        value
    }

    fn loaded(self, value: &Result<T, E>) -> Option<&T> {
        value.as_ref().ok()
    }

    fn is_negative(self, value: &Result<T, E>) -> bool {
        match value {
            Ok(value) => self.inner.is_negative(value),
            Err(_) => true,
        }
    }

    fn is_failure(self, output: &Result<T, E>) -> bool {
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

impl<S, E> Errors<S, E> {
    /// Keeps the errors for which `keeps` is true.
    pub fn by(self, keeps: fn(&E) -> bool) -> WithErrors<S, E> {
        WithErrors { inner: self.inner, keeps }
    }
}

/// Begins to say which errors are kept.
pub fn keep_errors<S: FallibleShape>(shape: S) -> S::Errors {
    shape.errors()
}
