//! What the attributes call: one function for each kind of method. Generic shells; the engine decides and acts.

use std::future::Future;

use super::Call;
use crate::engine::Cache;
use crate::engine::answer::Later;
use crate::engine::begin::{Asked, Begun, Look, Unanswered};
use crate::engine::job::Caller;
use crate::engine::plan::Reach;
use crate::key::Key;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::method::value_rules::ValueRules;
use crate::tag::Tags;

#[inline(always)]
fn look<'a, K>(call: &'a Call<'_>, keep: K) -> Look<'a, K> {
    let engine = call.cache_in_use().engine();
    let method = engine.method(call.region());
    let at = engine.key_ref(call.region(), call.bytes());
    Look { engine, method, at, keep, is_bypassed: call.is_bypassed() }
}

/// Goes on where there was no hit: out of the way of those that hit.
///
/// It is given a copy of the key and nothing of the call. Were the call lent, the compiler would have to expect that
/// somebody keeps a pointer to it, and write to memory what could stay in registers.
#[cold]
#[inline(never)]
fn go_on<S, K>(
    cache: &Cache,
    key: Key,
    unanswered: Unanswered<S::Value>,
    (shape, keep, rules): (S, K, ValueRules<S>),
    caller: Caller,
    reach: Reach,
) -> Begun<S, K>
where
    S: Shape,
    K: Keep<S::Value>,
{
    let engine = cache.engine();
    let method = engine.method(key.region());
    Asked { engine, method, shape, keep, rules, caller, reach, policy: None }.go_on(key, unanswered)
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
    match look(call, keep).hit() {
        Ok(value) => shape.output(value),
        Err(unanswered) => {
            let (cache, key) = (call.cache_in_use(), call.key());
            go_on(cache, key, unanswered, (shape, keep, rules), Caller::Blocking, Reach::Borrowed).answer(prepare)
        }
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
    match look(call, keep).hit() {
        Ok(value) => Later::Ready(Some(shape.output(value))),
        Err(unanswered) => {
            let (cache, key) = (call.cache_in_use(), call.key());
            go_on(cache, key, unanswered, (shape, keep, rules), Caller::Async, Reach::Borrowed).answer_async(prepare)
        }
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
    match look(call, keep).hit() {
        Ok(value) => shape.output(value),
        Err(unanswered) => {
            let (cache, key) = (call.cache_in_use(), call.key());
            go_on(cache, key, unanswered, (shape, keep, rules), Caller::Blocking, Reach::Detached)
                .answer_detached(prepare)
        }
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
    match look(call, keep).hit() {
        Ok(value) => Later::Ready(Some(shape.output(value))),
        Err(unanswered) => {
            let (cache, key) = (call.cache_in_use(), call.key());
            go_on(cache, key, unanswered, (shape, keep, rules), Caller::Async, Reach::Detached)
                .answer_detached_async(prepare)
        }
    }
}
