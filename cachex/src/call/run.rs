//! What the attributes call: one function for each kind of method. Generic shells; the engine decides and acts.

use std::future::Future;

use super::Call;
use crate::engine::answer::Later;
use crate::engine::begin::{Asked, Begun, Look, NoHit};
use crate::engine::job::Caller;
use crate::engine::plan::Reach;
use crate::engine::subject::Borrowed;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::method::value_rules::ValueRules;
use crate::tag::Tags;

#[inline(always)]
fn look<'a, K>(call: &'a Call<'_>, keep: K) -> Look<'a, K> {
    let engine = call.cache_in_use().engine();
    // In this order: the key is hashed before the first step that may be a call of a function.
    let at = engine.key_ref(call.region(), call.bytes());
    let method = engine.method(call.region());
    Look { engine, method, at, keep, is_bypassed: call.is_bypassed() }
}

/// A call without a plain hit. It is a copy: what is never lent stays in registers.
struct Miss<'a, S, K> {
    call: Call<'a>,
    why: NoHit,
    shape: S,
    keep: K,
}

impl<S: Shape, K: Keep<S::Value>> Miss<'_, S, K> {
    fn go_on(&self, rules: impl FnOnce() -> ValueRules<S>, caller: Caller, reach: Reach) -> Begun<Borrowed<'_>, S, K> {
        let Self { call, why, shape, keep } = self;
        let look = look(call, *keep);
        match look.go_on(*why) {
            Ok(value) => Begun::Answer(shape.output(value)),
            Err(unanswered) => {
                let engine = call.cache_in_use().engine();
                let method = engine.method(call.region());
                let asked =
                    Asked { engine, method, shape: *shape, keep: *keep, rules: rules(), caller, reach, policy: None };
                asked.go_on(look.at, unanswered)
            }
        }
    }
}

/// Runs a cached method that blocks.
///
/// `prepare` is run on a miss: it names the tags known from the arguments and returns the load.
#[inline(always)]
pub fn cached<S, K, V, P, L>(call: &Call<'_>, shape: S, keep: K, rules: V, prepare: P) -> S::Output
where
    V: FnOnce() -> ValueRules<S>,
    S: Shape,
    K: Keep<S::Value>,
    P: FnOnce(&mut Tags) -> L,
    L: FnOnce() -> S::Output,
{
    #[cold]
    #[inline(never)]
    fn missed<S, K, V, P, L>(miss: Miss<'_, S, K>, rules: V, prepare: P) -> S::Output
    where
        V: FnOnce() -> ValueRules<S>,
        S: Shape,
        K: Keep<S::Value>,
        P: FnOnce(&mut Tags) -> L,
        L: FnOnce() -> S::Output,
    {
        miss.go_on(rules, Caller::Blocking, Reach::Borrowed).answer(prepare)
    }

    match look(call, keep).hit() {
        Ok(value) => shape.output(value),
        Err(why) => missed(Miss { call: call.copy(), why, shape, keep }, rules, prepare),
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
pub fn cached_async<S, K, V, P, F>(
    call: &Call<'_>,
    shape: S,
    keep: K,
    rules: V,
    prepare: P,
) -> Later<S::Output, impl Future<Output = S::Output> + use<S, K, V, P, F>>
where
    V: FnOnce() -> ValueRules<S>,
    S: Shape,
    K: Keep<S::Value>,
    P: FnOnce(&mut Tags) -> F,
    F: Future<Output = S::Output>,
{
    #[cold]
    #[inline(never)]
    fn missed<S, K, V, P, F>(
        miss: Miss<'_, S, K>,
        rules: V,
        prepare: P,
    ) -> Later<S::Output, impl Future<Output = S::Output> + use<S, K, V, P, F>>
    where
        V: FnOnce() -> ValueRules<S>,
        S: Shape,
        K: Keep<S::Value>,
        P: FnOnce(&mut Tags) -> F,
        F: Future<Output = S::Output>,
    {
        miss.go_on(rules, Caller::Async, Reach::Borrowed).answer_async(prepare)
    }

    match look(call, keep).hit() {
        Ok(value) => Ok(shape.output(value)),
        Err(why) => missed(Miss { call: call.copy(), why, shape, keep }, rules, prepare),
    }
}

/// As [`cached`], for methods that may load in the background.
#[inline(always)]
pub fn cached_detached<S, K, V, P, L>(call: &Call<'_>, shape: S, keep: K, rules: V, prepare: P) -> S::Output
where
    V: FnOnce() -> ValueRules<S>,
    S: Shape<Output: Send> + 'static,
    K: Keep<S::Value> + 'static,
    P: FnOnce(&mut Tags) -> L,
    L: FnOnce() -> S::Output + Send + 'static,
{
    #[cold]
    #[inline(never)]
    fn missed<S, K, V, P, L>(miss: Miss<'_, S, K>, rules: V, prepare: P) -> S::Output
    where
        V: FnOnce() -> ValueRules<S>,
        S: Shape<Output: Send> + 'static,
        K: Keep<S::Value> + 'static,
        P: FnOnce(&mut Tags) -> L,
        L: FnOnce() -> S::Output + Send + 'static,
    {
        miss.go_on(rules, Caller::Blocking, Reach::Detached).answer_detached(prepare)
    }

    match look(call, keep).hit() {
        Ok(value) => shape.output(value),
        Err(why) => missed(Miss { call: call.copy(), why, shape, keep }, rules, prepare),
    }
}

/// As [`cached_async`], for methods that may load in the background.
#[inline(always)]
pub fn cached_detached_async<S, K, V, P, F>(
    call: &Call<'_>,
    shape: S,
    keep: K,
    rules: V,
    prepare: P,
) -> Later<S::Output, impl Future<Output = S::Output> + use<S, K, V, P, F>>
where
    V: FnOnce() -> ValueRules<S>,
    S: Shape<Output: Send> + 'static,
    K: Keep<S::Value> + 'static,
    P: FnOnce(&mut Tags) -> F,
    F: Future<Output = S::Output> + Send + 'static,
{
    #[cold]
    #[inline(never)]
    fn missed<S, K, V, P, F>(
        miss: Miss<'_, S, K>,
        rules: V,
        prepare: P,
    ) -> Later<S::Output, impl Future<Output = S::Output> + use<S, K, V, P, F>>
    where
        V: FnOnce() -> ValueRules<S>,
        S: Shape<Output: Send> + 'static,
        K: Keep<S::Value> + 'static,
        P: FnOnce(&mut Tags) -> F,
        F: Future<Output = S::Output> + Send + 'static,
    {
        miss.go_on(rules, Caller::Async, Reach::Detached).answer_detached_async(prepare)
    }

    match look(call, keep).hit() {
        Ok(value) => Ok(shape.output(value)),
        Err(why) => missed(Miss { call: call.copy(), why, shape, keep }, rules, prepare),
    }
}
