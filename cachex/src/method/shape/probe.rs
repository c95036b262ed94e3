//! Which shape a type has.
//!
//! The macro writes `(&&&Probe::<R>::new()).shape()`: method look-up takes the first of the four traits below that fits,
//! which is the most special one (autoref specialisation, described by David Tolnay).

use std::marker::PhantomData;

use super::{Fallible, FallibleOptional, Optional, Plain};

/// Asks what a return type is.
#[derive(Debug)]
pub struct Probe<R>(PhantomData<fn() -> R>);

impl<R> Probe<R> {
    /// Starts to ask.
    #[expect(clippy::new_without_default, reason = "written by the macro only")]
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// Chosen last.
pub trait ProbePlain {
    /// What the shape is of.
    type Output;
    /// Returns the shape.
    fn shape(&self) -> Plain<Self::Output>;
}

impl<R> ProbePlain for Probe<R> {
    type Output = R;
    fn shape(&self) -> Plain<R> {
        Plain::new()
    }
}

/// Chosen for `Option<T>`.
pub trait ProbeOptional {
    /// The `T`.
    type Some;
    /// Returns the shape.
    fn shape(&self) -> Optional<Self::Some>;
}

impl<T> ProbeOptional for &Probe<Option<T>> {
    type Some = T;
    fn shape(&self) -> Optional<T> {
        Optional::new()
    }
}

/// Chosen for a future, which is no result yet.
pub trait ProbeFuture {
    /// The future.
    type Future;
    /// Returns no shape.
    fn shape(&self) -> NotAwaited<Self::Future>;
}

impl<F: Future> ProbeFuture for &Probe<F> {
    type Future = F;
    fn shape(&self) -> NotAwaited<F> {
        NotAwaited(PhantomData)
    }
}

/// What a function returns that should have been an `async fn`: not a [`Shape`](super::Shape).
pub struct NotAwaited<F>(PhantomData<fn() -> F>);

impl<F> Clone for NotAwaited<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for NotAwaited<F> {}

impl<F> std::fmt::Debug for NotAwaited<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NotAwaited")
    }
}

/// Chosen for `Result<T, E>`.
pub trait ProbeFallible {
    /// The `T`.
    type Ok;
    /// The `E`.
    type Err;
    /// Returns the shape.
    fn shape(&self) -> Fallible<Self::Ok, Self::Err>;
}

impl<T, E> ProbeFallible for &Probe<Result<T, E>> {
    type Ok = T;
    type Err = E;
    fn shape(&self) -> Fallible<T, E> {
        Fallible::new()
    }
}

/// Chosen first, for `Result<Option<T>, E>`.
pub trait ProbeFallibleOptional {
    /// The `T`.
    type Some;
    /// The `E`.
    type Err;
    /// Returns the shape.
    fn shape(&self) -> FallibleOptional<Self::Some, Self::Err>;
}

impl<T, E> ProbeFallibleOptional for &&Probe<Result<Option<T>, E>> {
    type Some = T;
    type Err = E;
    fn shape(&self) -> FallibleOptional<T, E> {
        FallibleOptional::new()
    }
}
