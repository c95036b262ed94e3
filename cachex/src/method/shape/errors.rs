//! What an error type must be able to do for `timeout` and `share_err`.

use std::sync::Arc;

use crate::entry::AnyValue;
use crate::error::Error;

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
