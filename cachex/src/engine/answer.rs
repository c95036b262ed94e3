//! Doing what is to be done for a call: one function for each kind of caller and of load.
//!
//! `prepare` is run where a load may be needed: it names the tags known from the arguments and returns the load.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::begin::Begun;
use super::nesting;
use super::subject::{Borrowed, Owned};
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::runtime;
use crate::tag::Tags;

impl<S: Shape, K: Keep<S::Value>> Begun<Borrowed<'_>, S, K> {
    /// For a blocking caller; the load runs on its thread and ends with the call.
    #[inline]
    pub(crate) fn answer<P, L>(mut self, prepare: P) -> S::Output
    where
        P: FnOnce(&mut Tags) -> L,
        L: FnOnce() -> S::Output,
    {
        match self {
            Self::Answer(output) | Self::AnswerAndRefresh(output, _) => output,
            Self::RefreshHere(value, stale, ref mut job) => {
                let load = prepare(&mut job.tags);
                runtime::block_on(job.refresh_here(stale, value, async { load() }))
            }
            // Borrowed: a job is large, and this is the path of most misses.
            Self::Load(ref mut fallback, ref mut job) => {
                let load = prepare(&mut job.tags);
                runtime::block_on(job.run(fallback.take(), async { load() }))
            }
            Self::Bypass => prepare(&mut Tags::new())(),
        }
    }

    /// For an async caller; the load ends with the call. An answer is ready at once; only a load is boxed.
    #[cold]
    pub(crate) fn answer_async<P, F>(
        self,
        prepare: P,
    ) -> Later<S::Output, impl Future<Output = S::Output> + use<S, K, P, F>>
    where
        P: FnOnce(&mut Tags) -> F,
        F: Future<Output = S::Output>,
    {
        if let Self::Answer(output) | Self::AnswerAndRefresh(output, _) = self {
            return Ok(output);
        }
        let (begun, load) = self.prepared(prepare);
        let mut begun = begun.owned();
        Err(Boxed::new(async move {
            match begun {
                Begun::RefreshHere(value, stale, ref mut job) => job.refresh_here(stale, value, load).await,
                Begun::Load(ref mut fallback, ref mut job) => job.run(fallback.take(), load).await,
                Begun::Answer(_) | Begun::AnswerAndRefresh(..) | Begun::Bypass => load.await,
            }
        }))
    }

    /// For a blocking caller whose load may outlive the call.
    #[inline]
    pub(crate) fn answer_detached<P, L>(self, prepare: P) -> S::Output
    where
        S: Shape<Output: Send> + 'static,
        K: 'static,
        P: FnOnce(&mut Tags) -> L,
        L: FnOnce() -> S::Output + Send + 'static,
    {
        match self {
            Self::Answer(output) => output,
            Self::AnswerAndRefresh(output, mut job) => {
                if let Some(lead) = job.lead_refresh() {
                    let load = prepare(&mut job.tags);
                    job.owned().refresh(lead, nesting::on_thread(load));
                }
                output
            }
            Self::RefreshHere(_, stale, mut job) => {
                let load = prepare(&mut job.tags);
                runtime::block_on(job.owned().run_detached(Some(stale), nesting::on_thread(load)))
            }
            Self::Load(fallback, mut job) => {
                let load = prepare(&mut job.tags);
                if job.is_bounded_in_time(fallback.is_some()) {
                    runtime::block_on(job.owned().run_detached(fallback, nesting::on_thread(load)))
                } else {
                    runtime::block_on(job.run(fallback, async { load() }))
                }
            }
            Self::Bypass => prepare(&mut Tags::new())(),
        }
    }

    /// For an async caller whose load may outlive the call.
    #[cold]
    pub(crate) fn answer_detached_async<P, F>(
        self,
        prepare: P,
    ) -> Later<S::Output, impl Future<Output = S::Output> + use<S, K, P, F>>
    where
        S: Shape<Output: Send> + 'static,
        K: 'static,
        P: FnOnce(&mut Tags) -> F,
        F: Future<Output = S::Output> + Send + 'static,
    {
        let begun = match self {
            Self::Answer(output) => return Ok(output),
            Self::AnswerAndRefresh(output, mut job) => {
                if let Some(lead) = job.lead_refresh() {
                    let load = prepare(&mut job.tags);
                    job.owned().refresh(lead, load);
                }
                return Ok(output);
            }
            begun => begun,
        };
        let (begun, load) = begun.prepared(prepare);
        let begun = begun.owned();
        Err(Boxed::new(async move {
            match begun {
                Begun::RefreshHere(_, stale, job) => job.run_detached(Some(stale), load).await,
                Begun::Load(fallback, job) => job.run_detached(fallback, load).await,
                Begun::Answer(_) | Begun::AnswerAndRefresh(..) | Begun::Bypass => load.await,
            }
        }))
    }

    /// Prepares the load, with its tags where there is a job.
    pub(crate) fn prepared<P: FnOnce(&mut Tags) -> F, F>(mut self, prepare: P) -> (Self, F) {
        let load = match &mut self {
            Self::RefreshHere(.., job) | Self::Load(_, job) | Self::AnswerAndRefresh(_, job) => prepare(&mut job.tags),
            Self::Answer(_) | Self::Bypass => prepare(&mut Tags::new()),
        };
        (self, load)
    }

    /// Makes what may outlive the call.
    fn owned(self) -> Begun<Owned, S, K> {
        match self {
            Self::Answer(output) => Begun::Answer(output),
            Self::AnswerAndRefresh(output, job) => Begun::AnswerAndRefresh(output, job.owned()),
            Self::RefreshHere(value, stale, job) => Begun::RefreshHere(value, stale, job.owned()),
            Self::Load(fallback, job) => Begun::Load(fallback, job.owned()),
            Self::Bypass => Begun::Bypass,
        }
    }
}

/// What an async call comes to: its output, or what is to be awaited for it.
///
/// Two words at most for an output of one, so that it is returned in registers; and no future, so that nothing is put into memory and
/// moved on where there is an output.
pub(crate) type Later<T, F> = Result<T, Boxed<F>>;

/// The future of a miss. It is large, and polled in place it would make the future of the annotated method large as well, which
/// then would not be put in place where that is awaited.
#[derive(Debug)]
pub struct Boxed<F>(Pin<Box<F>>);

impl<F> Boxed<F> {
    fn new(future: F) -> Self {
        Self(Box::pin(future))
    }
}

impl<F: Future> Future for Boxed<F> {
    type Output = F::Output;

    #[cold]
    #[inline(never)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.0.as_mut().poll(cx)
    }
}
