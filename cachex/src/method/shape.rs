//! What of a method's return value is kept: decided by its type, whatever name it goes by.
//!
//! The macro writes `(&&&Probe::<R>::new()).shape()`: method look-up takes the first of the four traits below that fits,
//! which is the most special one (autoref specialisation, described by David Tolnay).

use std::marker::PhantomData;

use std::sync::Arc;

use crate::entry::AnyValue;
use crate::error::Error;

/// How a return value and a kept value are turned into each other.
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

macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident<$($param:ident),*>;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<$($param),*>(PhantomData<fn() -> ($($param,)*)>);

        impl<$($param),*> $name<$($param),*> {
            pub(crate) const fn new() -> Self {
                Self(PhantomData)
            }
        }

        impl<$($param),*> Clone for $name<$($param),*> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$($param),*> Copy for $name<$($param),*> {}
    )*};
}

shapes! {
    /// Any type but the ones below: all of it is kept.
    Plain<R>;
    /// An `Option`: kept, `None` as a negative entry.
    Optional<T>;
    /// A `Result`: its `Ok` is kept.
    Fallible<T, E>;
    /// A `Result` of an `Option`: its `Ok` is kept, `Ok(None)` as a negative entry.
    FallibleOptional<T, E>;
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

impl<R> Shape for Plain<R> {
    type Output = R;
    type Value = R;
    type Loaded = R;

    fn value(self, output: &R) -> Option<&R> {
        Some(output)
    }

    fn output(self, value: R) -> R {
        value
    }

    fn loaded(self, value: &R) -> Option<&R> {
        Some(value)
    }

    fn is_negative(self, _: &R) -> bool {
        false
    }

    fn is_failure(self, _: &R) -> bool {
        false
    }
}

impl<T> Shape for Optional<T> {
    type Output = Option<T>;
    type Value = Option<T>;
    type Loaded = Option<T>;

    fn value(self, output: &Option<T>) -> Option<&Option<T>> {
        Some(output)
    }

    fn output(self, value: Option<T>) -> Option<T> {
        value
    }

    fn loaded(self, value: &Option<T>) -> Option<&Option<T>> {
        Some(value)
    }

    fn is_negative(self, value: &Option<T>) -> bool {
        value.is_none()
    }

    fn is_failure(self, _: &Option<T>) -> bool {
        false
    }
}

impl<T, E> Shape for Fallible<T, E> {
    type Output = Result<T, E>;
    type Value = T;
    type Loaded = T;

    fn value(self, output: &Result<T, E>) -> Option<&T> {
        output.as_ref().ok()
    }

    fn output(self, value: T) -> Result<T, E> {
        Ok(value)
    }

    fn loaded(self, value: &T) -> Option<&T> {
        Some(value)
    }

    fn is_negative(self, _: &T) -> bool {
        false
    }

    fn is_failure(self, output: &Result<T, E>) -> bool {
        output.is_err()
    }
}

impl<T, E> Shape for FallibleOptional<T, E> {
    type Output = Result<Option<T>, E>;
    type Value = Option<T>;
    type Loaded = Option<T>;

    fn value(self, output: &Result<Option<T>, E>) -> Option<&Option<T>> {
        output.as_ref().ok()
    }

    fn output(self, value: Option<T>) -> Result<Option<T>, E> {
        Ok(value)
    }

    fn loaded(self, value: &Option<T>) -> Option<&Option<T>> {
        Some(value)
    }

    fn is_negative(self, value: &Option<T>) -> bool {
        value.is_none()
    }

    fn is_failure(self, output: &Result<Option<T>, E>) -> bool {
        output.is_err()
    }
}

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
    /// The error.
    type Err;
}

impl<T, E> FallibleShape for Fallible<T, E> {
    type Err = E;
}

impl<T, E> FallibleShape for FallibleOptional<T, E> {
    type Err = E;
}

/// Keeps the errors for which `keeps` is true.
pub fn keep_errors<S: FallibleShape>(shape: S, keeps: fn(&S::Err) -> bool) -> WithErrors<S, S::Err> {
    WithErrors { inner: shape, keeps }
}

/// A return type that can say that the load took too long.
#[diagnostic::on_unimplemented(
    message = "`timeout` needs a method that returns a `Result` whose error is made from `cachex::Error`",
    label = "can't be made from `cachex::Error`",
    note = "write `impl From<cachex::Error> for YourError`, or remove `timeout`"
)]
pub trait TimedOut {
    /// Makes the return value.
    fn timed_out(error: Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T, E: From<Error>> TimedOut for Result<T, E> {
    fn timed_out(error: Error) -> Self {
        Err(error.into())
    }
}

/// A return type whose error can be given to every caller that waited for it.
#[diagnostic::on_unimplemented(
    message = "`share_err` needs a method that returns a `Result` whose error is `Clone + Send + Sync + 'static`",
    label = "its error can't be shared",
    note = "derive `Clone` for the error, or remove `share_err`: each waiting caller then tries again"
)]
pub trait SharedErr: Sized {
    /// Clones the error, for others.
    fn publish_err(&self) -> Option<Arc<AnyValue>>;
    /// Makes the return value of another's error.
    fn receive_err(error: &AnyValue) -> Option<Self>;
}

#[diagnostic::do_not_recommend]
impl<T, E: Clone + Send + Sync + 'static> SharedErr for Result<T, E> {
    fn publish_err(&self) -> Option<Arc<AnyValue>> {
        self.as_ref().err().map(|error| Arc::new(error.clone()) as Arc<AnyValue>)
    }

    fn receive_err(error: &AnyValue) -> Option<Self> {
        error.downcast_ref::<E>().map(|error| Err(error.clone()))
    }
}

/// How an error is handed from the caller that loaded to those that waited.
pub(crate) struct ShareErr<O> {
    pub(crate) publish: fn(&O) -> Option<Arc<AnyValue>>,
    pub(crate) receive: fn(&AnyValue) -> Option<O>,
}

impl<O> Clone for ShareErr<O> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O> Copy for ShareErr<O> {}
