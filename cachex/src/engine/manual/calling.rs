//! A call by hand that loads where there is nothing to answer with: the same decisions as for annotated methods whose loads
//! can't outlive their calls.

use std::future::Future;
use std::sync::Arc;

use super::EntryOptions;
use crate::engine::cache::Cache;
use crate::engine::job::{Caller, Job};
use crate::engine::plan::{Plan, Reach, plan};
use crate::entry::Entry;
use crate::key::Key;
use crate::method::hooks::Hooks;
use crate::method::keep::{CacheValue, Portable};
use crate::method::shape::Fallible;
use crate::policy::Policy;

type ManualJob<T, E> = Job<Fallible<T, E>, Portable>;

/// What is to be done for a call by hand.
pub(in crate::engine) enum Calling<T, E> {
    /// There is a value.
    Answer(T),
    /// There is a value, and a new one is to be loaded here unless somebody does.
    RefreshHere(T, Arc<Entry>, ManualJob<T, E>),
    /// A value is to be loaded; an expired entry may stand in.
    Load(Option<Arc<Entry>>, ManualJob<T, E>),
}

impl<T: CacheValue, E> Calling<T, E> {
    /// Answers, with `load` where that is needed.
    pub(in crate::engine) async fn end(self, load: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        match self {
            Self::Answer(value) => Ok(value),
            Self::RefreshHere(value, stale, job) => job.refresh_here(stale, value, load).await,
            Self::Load(fallback, job) => job.run(fallback, load).await,
        }
    }
}

impl Cache {
    /// Looks up, and decides.
    pub(in crate::engine) fn begin_call<T: CacheValue, E>(
        &self,
        key: &Key,
        options: &EntryOptions,
        caller: Caller,
    ) -> Calling<T, E> {
        let engine = self.engine();
        let method = engine.method(key.region());
        let found = engine.lookup::<T, _>(method, engine.key_ref_of(key), Portable);
        let verdict = plan(found.as_ref().map(|found| found.freshness), Reach::Borrowed);
        let job = || {
            let shape = Fallible::new();
            // Rules that contradict each other are a mistake of the caller, and no reason to break its call.
            let policy = options.policy(&method.policy()).unwrap_or_else(|_| Policy::clone(&method.policy()));
            Job {
                engine: engine.clone(),
                method: method.clone(),
                key: key.clone(),
                shape,
                keep: Portable,
                hooks: Hooks::new(shape),
                policy: Arc::new(policy),
                tags: options.tags.clone(),
                caller,
            }
        };
        match (verdict, found) {
            (Plan::Answer, Some(found)) => {
                method.counters.hit();
                Calling::Answer(found.value)
            }
            (Plan::RefreshHere, Some(found)) => {
                method.counters.stale_hit();
                Calling::RefreshHere(found.value, found.entry, job())
            }
            (_, found) => {
                method.counters.misses.one();
                Calling::Load(found.map(|found| found.entry), job())
            }
        }
    }
}
