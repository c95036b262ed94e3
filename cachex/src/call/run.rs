//! What the attributes call: one function for each kind of method.

use std::future::Future;

use super::Call;
use crate::method::hooks::Hooks;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::tag::Tags;

/// Runs a cached method that blocks.
///
/// `prepare` is run on a miss: it names the tags known from the arguments and returns the load.
pub fn cached<S, K, P, L>(_call: &Call<'_>, _shape: S, _keep: K, _hooks: Hooks<S>, prepare: P) -> S::Output
where
    S: Shape,
    K: Keep<S::Value>,
    P: FnOnce(&mut Tags) -> L,
    L: FnOnce() -> S::Output,
{
    prepare(&mut Tags::new())()
}

/// Runs a cached async method.
pub fn cached_async<S, K, P, F>(
    _call: &Call<'_>,
    _shape: S,
    _keep: K,
    _hooks: Hooks<S>,
    prepare: P,
) -> impl Future<Output = S::Output> + use<S, K, P, F>
where
    S: Shape,
    K: Keep<S::Value>,
    P: FnOnce(&mut Tags) -> F,
    F: Future<Output = S::Output>,
{
    prepare(&mut Tags::new())
}

/// As [`cached`], for methods that may load in the background.
pub fn cached_detached<S, K, P, L>(_call: &Call<'_>, _shape: S, _keep: K, _hooks: Hooks<S>, prepare: P) -> S::Output
where
    S: Shape<Output: Send> + 'static,
    K: Keep<S::Value> + 'static,
    P: FnOnce(&mut Tags) -> L,
    L: FnOnce() -> S::Output + Send + 'static,
{
    prepare(&mut Tags::new())()
}

/// As [`cached_async`], for methods that may load in the background.
pub fn cached_detached_async<S, K, P, F>(
    _call: &Call<'_>,
    _shape: S,
    _keep: K,
    _hooks: Hooks<S>,
    prepare: P,
) -> impl Future<Output = S::Output> + use<S, K, P, F>
where
    S: Shape<Output: Send> + 'static,
    K: Keep<S::Value> + 'static,
    P: FnOnce(&mut Tags) -> F,
    F: Future<Output = S::Output> + Send + 'static,
{
    prepare(&mut Tags::new())
}
