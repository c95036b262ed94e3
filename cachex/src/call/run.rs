//! What the attributes call: one function for each kind of method. Generic shells; the engine decides and acts.

use std::future::Future;

use super::Call;
use super::written::Written;
use crate::engine::answer::Later;
use crate::engine::begin::{Asked, Begun, Look, NoHit};
use crate::engine::job::Caller;
use crate::engine::plan::Reach;
use crate::engine::subject::Borrowed;
use crate::key::KeyWriter;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::method::value_rules::ValueRules;
use crate::tag::Tags;

/// Goes on where there was no plain hit.
pub(super) fn go_on<'c, S: Shape, K: Keep<S::Value>>(
    written: &'c Written<'_>,
    why: NoHit,
    (shape, keep): (S, K),
    rules: impl FnOnce() -> ValueRules<S>,
    caller: Caller,
    reach: Reach,
) -> Begun<Borrowed<'c>, S, K> {
    let Borrowed { engine, method, at } = written.subject();
    match (Look { engine, method, at, keep }).go_on(why) {
        Ok(value) => Begun::Answer(shape.output(value)),
        Err(unanswered) => {
            let asked = Asked { engine, method, shape, keep, rules: rules(), caller, reach, policy: None };
            asked.go_on(at, unanswered)
        }
    }
}

/// Runs a cached method that blocks. `found` is what the call has found.
///
/// `begin` is run on a miss. It writes the key and returns what names the tags known from the arguments and returns the load.
#[inline(always)]
pub fn cached<S, K, V, B, P, L>(
    call: Call<'_>,
    found: Result<S::Value, NoHit>,
    shape: S,
    keep: K,
    rules: V,
    begin: B,
) -> S::Output
where
    V: FnOnce() -> ValueRules<S>,
    S: Shape,
    K: Keep<S::Value>,
    B: FnOnce(&mut KeyWriter<'_>) -> P,
    P: FnOnce(&mut Tags) -> L,
    L: FnOnce() -> S::Output,
{
    #[cold]
    #[inline(never)]
    fn missed<S, K, V, B, P, L>(call: Call<'_>, why: NoHit, kind: (S, K), rules: V, begin: B) -> S::Output
    where
        V: FnOnce() -> ValueRules<S>,
        S: Shape,
        K: Keep<S::Value>,
        B: FnOnce(&mut KeyWriter<'_>) -> P,
        P: FnOnce(&mut Tags) -> L,
        L: FnOnce() -> S::Output,
    {
        let mut written = call.unwritten();
        let prepare = written.write(begin);
        go_on(&written, why, kind, rules, Caller::Blocking, Reach::Borrowed).answer(prepare)
    }

    match found {
        Ok(value) => shape.output(value),
        Err(why) => missed(call, why, (shape, keep), rules, begin),
    }
}

/// Does what an async function does before it awaits anything, in a function of its own: what is left of the future is small, and
/// can be put in place where it is awaited. A future of which each part is written by itself, and that is then moved as a whole, has
/// to wait for the parts to arrive in memory: that would cost more than a hit.
#[inline(never)]
pub fn first<R>(first: impl FnOnce() -> R) -> R {
    first()
}

/// Runs a cached async method: returns its output, or the future that it takes.
#[inline(always)]
pub fn cached_async<S, K, V, B, P, F>(
    call: Call<'_>,
    found: Result<S::Value, NoHit>,
    shape: S,
    keep: K,
    rules: V,
    begin: B,
) -> Later<S::Output, impl Future<Output = S::Output> + use<S, K, V, B, P, F>>
where
    V: FnOnce() -> ValueRules<S>,
    S: Shape,
    K: Keep<S::Value>,
    B: FnOnce(&mut KeyWriter<'_>) -> P,
    P: FnOnce(&mut Tags) -> F,
    F: Future<Output = S::Output>,
{
    #[cold]
    #[inline(never)]
    fn missed<S, K, V, B, P, F>(
        call: Call<'_>,
        why: NoHit,
        kind: (S, K),
        rules: V,
        begin: B,
    ) -> Later<S::Output, impl Future<Output = S::Output> + use<S, K, V, B, P, F>>
    where
        V: FnOnce() -> ValueRules<S>,
        S: Shape,
        K: Keep<S::Value>,
        B: FnOnce(&mut KeyWriter<'_>) -> P,
        P: FnOnce(&mut Tags) -> F,
        F: Future<Output = S::Output>,
    {
        let mut written = call.unwritten();
        let prepare = written.write(begin);
        go_on(&written, why, kind, rules, Caller::Async, Reach::Borrowed).answer_async(prepare)
    }

    match found {
        Ok(value) => Ok(shape.output(value)),
        Err(why) => missed(call, why, (shape, keep), rules, begin),
    }
}

/// As [`cached`], for methods that may load in the background.
#[inline(always)]
pub fn cached_detached<S, K, V, B, P, L>(
    call: Call<'_>,
    found: Result<S::Value, NoHit>,
    shape: S,
    keep: K,
    rules: V,
    begin: B,
) -> S::Output
where
    V: FnOnce() -> ValueRules<S>,
    S: Shape<Output: Send> + 'static,
    K: Keep<S::Value> + 'static,
    B: FnOnce(&mut KeyWriter<'_>) -> P,
    P: FnOnce(&mut Tags) -> L,
    L: FnOnce() -> S::Output + Send + 'static,
{
    #[cold]
    #[inline(never)]
    fn missed<S, K, V, B, P, L>(call: Call<'_>, why: NoHit, kind: (S, K), rules: V, begin: B) -> S::Output
    where
        V: FnOnce() -> ValueRules<S>,
        S: Shape<Output: Send> + 'static,
        K: Keep<S::Value> + 'static,
        B: FnOnce(&mut KeyWriter<'_>) -> P,
        P: FnOnce(&mut Tags) -> L,
        L: FnOnce() -> S::Output + Send + 'static,
    {
        let mut written = call.unwritten();
        let prepare = written.write(begin);
        go_on(&written, why, kind, rules, Caller::Blocking, Reach::Detached).answer_detached(prepare)
    }

    match found {
        Ok(value) => shape.output(value),
        Err(why) => missed(call, why, (shape, keep), rules, begin),
    }
}

/// As [`cached_async`], for methods that may load in the background.
#[inline(always)]
pub fn cached_detached_async<S, K, V, B, P, F>(
    call: Call<'_>,
    found: Result<S::Value, NoHit>,
    shape: S,
    keep: K,
    rules: V,
    begin: B,
) -> Later<S::Output, impl Future<Output = S::Output> + use<S, K, V, B, P, F>>
where
    V: FnOnce() -> ValueRules<S>,
    S: Shape<Output: Send> + 'static,
    K: Keep<S::Value> + 'static,
    B: FnOnce(&mut KeyWriter<'_>) -> P,
    P: FnOnce(&mut Tags) -> F,
    F: Future<Output = S::Output> + Send + 'static,
{
    #[cold]
    #[inline(never)]
    fn missed<S, K, V, B, P, F>(
        call: Call<'_>,
        why: NoHit,
        kind: (S, K),
        rules: V,
        begin: B,
    ) -> Later<S::Output, impl Future<Output = S::Output> + use<S, K, V, B, P, F>>
    where
        V: FnOnce() -> ValueRules<S>,
        S: Shape<Output: Send> + 'static,
        K: Keep<S::Value> + 'static,
        B: FnOnce(&mut KeyWriter<'_>) -> P,
        P: FnOnce(&mut Tags) -> F,
        F: Future<Output = S::Output> + Send + 'static,
    {
        let mut written = call.unwritten();
        let prepare = written.write(begin);
        go_on(&written, why, kind, rules, Caller::Async, Reach::Detached).answer_detached_async(prepare)
    }

    match found {
        Ok(value) => Ok(shape.output(value)),
        Err(why) => missed(call, why, (shape, keep), rules, begin),
    }
}
