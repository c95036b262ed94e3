//! What the attributes call: one function for each kind of method. Generic shells; the engine decides and acts.

use std::future::Future;

use super::Call;
use crate::engine::answer::Later;
use crate::engine::begin::{Asked, Begun, Look, Unanswered};
use crate::engine::job::Caller;
use crate::engine::plan::Reach;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::method::value_rules::ValueRules;
use crate::tag::Tags;

#[inline]
fn look<'a, S, K>(call: &'a Call<'_>, shape: S, keep: K) -> Look<'a, S, K> {
    let engine = call.cache_in_use().engine();
    let method = engine.method(call.region());
    let at = engine.key_ref(call.region(), call.bytes());
    Look { engine, method, at, shape, keep, is_bypassed: call.is_bypassed() }
}

/// Goes on where there was no hit: out of the way of those that hit.
#[cold]
#[inline(never)]
fn go_on<S, K>(
    look: Look<'_, S, K>,
    unanswered: Unanswered<S::Value>,
    rules: ValueRules<S>,
    caller: Caller,
    reach: Reach,
) -> Begun<S, K>
where
    S: Shape,
    K: Keep<S::Value>,
{
    Asked { look, rules, caller, reach, policy: None }.go_on(unanswered)
}

/// Runs a cached method that blocks.
///
/// `prepare` is run on a miss: it names the tags known from the arguments and returns the load.
#[inline]
pub fn cached<S, K, P, L>(call: &Call<'_>, shape: S, keep: K, rules: ValueRules<S>, prepare: P) -> S::Output
where
    S: Shape,
    K: Keep<S::Value>,
    P: FnOnce(&mut Tags) -> L,
    L: FnOnce() -> S::Output,
{
    let look = look(call, shape, keep);
    match look.hit() {
        Ok(output) => output,
        Err(unanswered) => go_on(look, unanswered, rules, Caller::Blocking, Reach::Borrowed).answer(prepare),
    }
}

/// Runs a cached async method.
#[inline]
pub fn cached_async<S, K, P, F>(
    call: &Call<'_>,
    shape: S,
    keep: K,
    rules: ValueRules<S>,
    prepare: P,
) -> impl Future<Output = S::Output> + use<S, K, P, F>
where
    S: Shape,
    K: Keep<S::Value>,
    P: FnOnce(&mut Tags) -> F,
    F: Future<Output = S::Output>,
{
    let look = look(call, shape, keep);
    match look.hit() {
        Ok(output) => Later::Ready(Some(output)),
        Err(unanswered) => go_on(look, unanswered, rules, Caller::Async, Reach::Borrowed).answer_async(prepare),
    }
}

/// As [`cached`], for methods that may load in the background.
#[inline]
pub fn cached_detached<S, K, P, L>(call: &Call<'_>, shape: S, keep: K, rules: ValueRules<S>, prepare: P) -> S::Output
where
    S: Shape<Output: Send> + 'static,
    K: Keep<S::Value> + 'static,
    P: FnOnce(&mut Tags) -> L,
    L: FnOnce() -> S::Output + Send + 'static,
{
    let look = look(call, shape, keep);
    match look.hit() {
        Ok(output) => output,
        Err(unanswered) => go_on(look, unanswered, rules, Caller::Blocking, Reach::Detached).answer_detached(prepare),
    }
}

/// As [`cached_async`], for methods that may load in the background.
#[inline]
pub fn cached_detached_async<S, K, P, F>(
    call: &Call<'_>,
    shape: S,
    keep: K,
    rules: ValueRules<S>,
    prepare: P,
) -> impl Future<Output = S::Output> + use<S, K, P, F>
where
    S: Shape<Output: Send> + 'static,
    K: Keep<S::Value> + 'static,
    P: FnOnce(&mut Tags) -> F,
    F: Future<Output = S::Output> + Send + 'static,
{
    let look = look(call, shape, keep);
    match look.hit() {
        Ok(output) => Later::Ready(Some(output)),
        Err(unanswered) => {
            go_on(look, unanswered, rules, Caller::Async, Reach::Detached).answer_detached_async(prepare)
        }
    }
}
