//! What the attributes call: one function for each kind of method. Generic shells; the engine decides.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Call;
use crate::engine::job::{Caller, Job};
use crate::engine::lookup::Found;
use crate::engine::nesting;
use crate::engine::plan::{Plan, Reach, plan};
use crate::entry::Entry;
use crate::method::hooks::Hooks;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::observe::counters::Counters;
use crate::runtime;
use crate::tag::Tags;

/// What is to be done for a call.
enum Begun<S: Shape, K> {
    /// There is a value.
    Answer(S::Output),
    /// There is a value, and a new one is to be loaded in the background.
    AnswerAndRefresh(S::Output, Job<S, K>),
    /// There is a value, and a new one is to be loaded here unless somebody does.
    RefreshHere(S::Value, Arc<Entry>, Job<S, K>),
    /// A value is to be loaded; an expired entry may stand in.
    Load(Option<Arc<Entry>>, Job<S, K>),
    /// The cache is not to be used.
    Bypass,
}

#[inline]
fn begin<S, K>(call: &Call<'_>, shape: S, keep: K, hooks: Hooks<S>, caller: Caller, reach: Reach) -> Begun<S, K>
where
    S: Shape,
    K: Keep<S::Value>,
{
    let engine = call.cache_in_use().engine();
    let method = engine.method(call.region());
    if call.is_bypassed() || !method.is_enabled() {
        method.counters.bypasses.one();
        return Begun::Bypass;
    }
    let sample = Counters::sample();
    let found = engine.lookup(method, engine.key_ref(call.region(), call.bytes()), keep);
    if let Some(stopwatch) = sample {
        method.counters.note_sample(stopwatch);
    }
    let verdict = plan(found.as_ref().map(|found| found.freshness), reach);
    match (verdict, found) {
        (Plan::Answer, Some(found)) => {
            method.counters.hit();
            Begun::Answer(shape.output(found.value))
        }
        (verdict, found) => begin_load(call, shape, keep, hooks, caller, verdict, found),
    }
}

/// The other half of [`begin`], out of the path of a hit.
#[cold]
fn begin_load<S, K>(
    call: &Call<'_>,
    shape: S,
    keep: K,
    hooks: Hooks<S>,
    caller: Caller,
    verdict: Plan,
    found: Option<Found<S::Value>>,
) -> Begun<S, K>
where
    S: Shape,
    K: Keep<S::Value>,
{
    let engine = call.cache_in_use().engine();
    let method = engine.method(call.region());
    let job = Job {
        engine: engine.clone(),
        method: method.clone(),
        key: call.key(),
        shape,
        keep,
        hooks,
        policy: method.policy(),
        tags: Tags::new(),
        caller,
    };
    match (verdict, found) {
        (Plan::AnswerAndRefresh, Some(found)) => {
            method.counters.stale_hit();
            Begun::AnswerAndRefresh(shape.output(found.value), job)
        }
        (Plan::RefreshHere, Some(found)) => {
            method.counters.stale_hit();
            Begun::RefreshHere(found.value, found.entry, job)
        }
        (_, found) => {
            method.counters.misses.one();
            Begun::Load(found.map(|found| found.entry), job)
        }
    }
}

/// Runs a cached method that blocks.
///
/// `prepare` is run on a miss: it names the tags known from the arguments and returns the load.
#[inline]
pub fn cached<S, K, P, L>(call: &Call<'_>, shape: S, keep: K, hooks: Hooks<S>, prepare: P) -> S::Output
where
    S: Shape,
    K: Keep<S::Value>,
    P: FnOnce(&mut Tags) -> L,
    L: FnOnce() -> S::Output,
{
    match begin(call, shape, keep, hooks, Caller::Blocking, Reach::Borrowed) {
        Begun::Answer(output) | Begun::AnswerAndRefresh(output, _) => output,
        Begun::RefreshHere(value, stale, mut job) => {
            let load = prepare(&mut job.tags);
            runtime::block_on(job.refresh_here(stale, value, async { load() }))
        }
        Begun::Load(fallback, mut job) => {
            let load = prepare(&mut job.tags);
            runtime::block_on(job.run(fallback, async { load() }))
        }
        Begun::Bypass => prepare(&mut Tags::new())(),
    }
}

/// Runs a cached async method. A hit is ready at once; only a miss is boxed.
#[inline]
pub fn cached_async<S, K, P, F>(
    call: &Call<'_>,
    shape: S,
    keep: K,
    hooks: Hooks<S>,
    prepare: P,
) -> impl Future<Output = S::Output> + use<S, K, P, F>
where
    S: Shape,
    K: Keep<S::Value>,
    P: FnOnce(&mut Tags) -> F,
    F: Future<Output = S::Output>,
{
    let begun = begin(call, shape, keep, hooks, Caller::Async, Reach::Borrowed);
    if let Begun::Answer(output) | Begun::AnswerAndRefresh(output, _) = begun {
        return Later::Ready(Some(output));
    }
    let (begun, load) = prepared(begun, prepare);
    Later::Boxed(Box::pin(async move {
        match begun {
            Begun::RefreshHere(value, stale, job) => job.refresh_here(stale, value, load).await,
            Begun::Load(fallback, job) => job.run(fallback, load).await,
            Begun::Answer(_) | Begun::AnswerAndRefresh(..) | Begun::Bypass => load.await,
        }
    }))
}

/// As [`cached`], for methods that may load in the background.
#[inline]
pub fn cached_detached<S, K, P, L>(call: &Call<'_>, shape: S, keep: K, hooks: Hooks<S>, prepare: P) -> S::Output
where
    S: Shape<Output: Send> + 'static,
    K: Keep<S::Value> + 'static,
    P: FnOnce(&mut Tags) -> L,
    L: FnOnce() -> S::Output + Send + 'static,
{
    match begin(call, shape, keep, hooks, Caller::Blocking, Reach::Detached) {
        Begun::Answer(output) => output,
        Begun::AnswerAndRefresh(output, mut job) => {
            if let Some(lead) = job.lead_refresh() {
                let load = prepare(&mut job.tags);
                job.refresh(lead, nesting::on_thread(load));
            }
            output
        }
        Begun::RefreshHere(_, stale, mut job) => {
            let load = prepare(&mut job.tags);
            runtime::block_on(job.run_detached(Some(stale), nesting::on_thread(load)))
        }
        Begun::Load(fallback, mut job) => {
            let load = prepare(&mut job.tags);
            if job.is_bounded_in_time(fallback.is_some()) {
                runtime::block_on(job.run_detached(fallback, nesting::on_thread(load)))
            } else {
                runtime::block_on(job.run(fallback, async { load() }))
            }
        }
        Begun::Bypass => prepare(&mut Tags::new())(),
    }
}

/// As [`cached_async`], for methods that may load in the background.
#[inline]
pub fn cached_detached_async<S, K, P, F>(
    call: &Call<'_>,
    shape: S,
    keep: K,
    hooks: Hooks<S>,
    prepare: P,
) -> impl Future<Output = S::Output> + use<S, K, P, F>
where
    S: Shape<Output: Send> + 'static,
    K: Keep<S::Value> + 'static,
    P: FnOnce(&mut Tags) -> F,
    F: Future<Output = S::Output> + Send + 'static,
{
    let begun = match begin(call, shape, keep, hooks, Caller::Async, Reach::Detached) {
        Begun::Answer(output) => return Later::Ready(Some(output)),
        Begun::AnswerAndRefresh(output, mut job) => {
            if let Some(lead) = job.lead_refresh() {
                let load = prepare(&mut job.tags);
                job.refresh(lead, load);
            }
            return Later::Ready(Some(output));
        }
        begun => begun,
    };
    let (begun, load) = prepared(begun, prepare);
    Later::Boxed(Box::pin(async move {
        match begun {
            Begun::RefreshHere(_, entry, job) => job.run_detached(Some(entry), load).await,
            Begun::Load(fallback, job) => job.run_detached(fallback, load).await,
            Begun::Answer(_) | Begun::AnswerAndRefresh(..) | Begun::Bypass => load.await,
        }
    }))
}

/// Prepares the load, with its tags where there is a job.
fn prepared<S: Shape, K, P: FnOnce(&mut Tags) -> F, F>(mut begun: Begun<S, K>, prepare: P) -> (Begun<S, K>, F) {
    let load = match &mut begun {
        Begun::RefreshHere(.., job) | Begun::Load(_, job) | Begun::AnswerAndRefresh(_, job) => prepare(&mut job.tags),
        Begun::Answer(_) | Begun::Bypass => prepare(&mut Tags::new()),
    };
    (begun, load)
}

/// The future of a cached async method.
enum Later<T, F> {
    Ready(Option<T>),
    Boxed(Pin<Box<F>>),
}

impl<T, F: Future<Output = T>> Future for Later<T, F> {
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match &mut *self {
            Self::Ready(output) => Poll::Ready(output.take().expect("a future is not polled after its end")),
            Self::Boxed(future) => future.as_mut().poll(cx),
        }
    }
}

// What is pinned is boxed.
impl<T, F> Unpin for Later<T, F> {}
