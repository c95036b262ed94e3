//! What a writing method does to the cache: invalidations, and values that become entries.

use std::future::Future;
use std::sync::Arc;

use super::scope::CacheScope;
use super::written::Written;
use crate::engine::job::Job;
use crate::engine::subject::Borrowed;
use crate::engine::update::{self, Writing};
use crate::engine::{Cache, Delivery, Engine, installed};
use crate::key::Key;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::method::value_rules::ValueRules;
use crate::tag::{Tag, Tags};

/// What to invalidate once a method has succeeded. Made before the body runs, while the arguments are there.
#[derive(Debug, Default)]
pub struct Effects {
    /// Where the tags are invalidated.
    cache: Option<Cache>,
    tags: Tags,
    entries: Vec<Target>,
}

/// One entry of a cached method, in the cache that the method uses: the writer may use another.
#[derive(Debug)]
pub struct Target {
    cache: Cache,
    key: Key,
}

impl Target {
    /// Names the entry of a call.
    #[must_use]
    pub fn of(call: &Written<'_>) -> Self {
        Self { cache: call.call().cache_in_use().clone(), key: call.key() }
    }
}

impl Effects {
    /// Starts with nothing to invalidate.
    #[must_use]
    pub const fn new() -> Self {
        Self { cache: None, tags: Tags::new(), entries: Vec::new() }
    }

    /// Says which cache, before any other.
    pub fn cache<C: AsRef<Cache> + ?Sized>(&mut self, cache: &C) {
        self.cache = Some(cache.as_ref().clone());
    }

    /// Takes the cache of `self` unless one was named.
    pub fn scope<S: CacheScope + ?Sized>(&mut self, scope: &S) {
        if self.cache.is_none() {
            self.cache = scope.cache().cloned();
        }
    }

    /// Adds a tag.
    pub fn tag(&mut self, tag: impl Into<Tag>) {
        self.tags.add(tag);
    }

    /// Adds one entry.
    pub fn entry(&mut self, entry: Target) {
        self.entries.push(entry);
    }

    fn apply(&self) -> Delivery {
        let engine = self.engine();
        let (own, others): (Vec<_>, Vec<_>) =
            self.entries.iter().partition(|entry| Arc::ptr_eq(entry.cache.engine(), engine));
        let own: Vec<_> = own.into_iter().map(|entry| &entry.key).collect();
        let mut delivery = Delivery::done();
        if !(self.tags.is_empty() && own.is_empty()) {
            delivery = engine.invalidate(&self.tags, &own);
        }
        for Target { cache, key } in others {
            let engine = cache.engine();
            delivery = delivery.and(engine.remove(key.at()).returning(()));
        }
        delivery
    }

    /// Returns the cache in which the tags are invalidated.
    fn engine(&self) -> &Arc<Engine> {
        self.cache.as_ref().unwrap_or_else(|| installed()).engine()
    }
}

/// Effects whose method runs: if it does not come to an end (it panics, or its future is dropped), nobody knows what it has
/// written, and they are applied.
struct Armed(Option<Effects>);

impl Armed {
    fn end(mut self, has_written: bool) -> Delivery {
        match self.0.take() {
            Some(effects) if has_written => effects.apply(),
            _ => Delivery::done(),
        }
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        if let Some(effects) = &self.0 {
            // Nobody is there to wait for it.
            let _delivery = effects.apply();
        }
    }
}

/// Runs a method that blocks, then invalidates.
pub fn invalidates<S: Shape, B: FnOnce() -> S::Output>(effects: Effects, shape: S, body: B) -> S::Output {
    let armed = Armed(Some(effects));
    let output = body();
    armed.end(!shape.is_failure(&output)).wait();
    output
}

/// As [`invalidates`], for async methods.
pub async fn invalidates_async<S: Shape, F: Future<Output = S::Output>>(
    effects: Effects,
    shape: S,
    body: F,
) -> S::Output {
    let armed = Armed(Some(effects));
    let output = body.await;
    armed.end(!shape.is_failure(&output)).await;
    output
}

/// An entry of a cached method that is about to get a new value: `R` is what the method returns.
pub struct Update<R> {
    writing: Writing,
    /// Whether the value may be kept in a second tier.
    #[cfg(feature = "remote")]
    is_shared: bool,
    appraise: Box<dyn FnOnce(&R) -> Appraisal + Send>,
}

/// What a returned value means for the entry.
enum Appraisal {
    /// It failed: nothing was written.
    Failed,
    /// It becomes the entry; or, where it can't be kept, the entry goes.
    Written(update::Written),
}

impl<R> std::fmt::Debug for Update<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Update").field("writing", &self.writing).finish_non_exhaustive()
    }
}

impl<R> Update<R> {
    /// Names the entry, its tags, and how its value is kept.
    pub fn new<S, K>(call: &Written<'_>, shape: S, keep: K, rules: ValueRules<S>, tags: Tags) -> Self
    where
        S: Shape<Output = R> + 'static,
        K: Keep<S::Value> + 'static,
    {
        let subject = call.subject();
        let writing = Writing::begin(subject);
        let is_used = is_used(subject, call);
        let mut job = Job::of_write(subject, shape, keep, rules, tags).owned();
        job.note_tags();
        #[cfg(feature = "remote")]
        let is_shared = is_used && job.is_shared();
        let appraise = Box::new(move |output: &R| {
            if shape.is_failure(output) {
                return Appraisal::Failed;
            }
            Appraisal::Written(if is_used { job.update(output) } else { update::Written::default() })
        });
        Self {
            writing,
            #[cfg(feature = "remote")]
            is_shared,
            appraise,
        }
    }

    fn end(self, effects: &Effects, output: &R) -> Delivery {
        match (self.appraise)(output) {
            Appraisal::Failed => {
                self.writing.cancel();
                Delivery::done()
            }
            Appraisal::Written(written) => self.writing.written(effects, written),
        }
    }
}

/// Keeps what `value` holds as the entry of a call; a failure is not kept.
pub fn prime<R, S: Shape<Output = R>, K: Keep<S::Value>>(
    call: &Written<'_>,
    shape: S,
    keep: K,
    rules: ValueRules<S>,
    tags: Tags,
    value: &R,
) {
    prime_async(call, shape, keep, rules, tags, value).wait();
}

/// As [`prime`], for async methods.
pub fn prime_async<R, S: Shape<Output = R>, K: Keep<S::Value>>(
    call: &Written<'_>,
    shape: S,
    keep: K,
    rules: ValueRules<S>,
    tags: Tags,
    value: &R,
) -> Priming {
    if shape.is_failure(value) {
        return Delivery::done();
    }
    let subject = call.subject();
    let mut job = Job::of_write(subject, shape, keep, rules, tags);
    job.note_tags();
    let now = subject.engine.now();
    let entry = if is_used(subject, call) { job.written(value, now) } else { None };
    subject.engine.write_through(subject, entry, (keep, job.policy()), now)
}

/// Whether the cache is to be used for a call.
fn is_used(subject: Borrowed<'_>, call: &Written<'_>) -> bool {
    subject.method.is_enabled() && !call.call().is_bypassed()
}

impl Writing {
    /// Ends a write with its effects: in one step where they are in the entry's own cache.
    fn written(self, effects: &Effects, written: update::Written) -> Delivery {
        if self.is_in(effects.engine()) {
            self.end(written, &effects.tags)
        } else {
            effects.apply().and(self.end(written, &Tags::new()))
        }
    }
}

/// An update whose method runs; see [`Armed`].
struct ArmedUpdate<R>(Option<(Effects, Update<R>)>);

impl<R> ArmedUpdate<R> {
    /// Returns the write, if the second tier is to be told of it before the method runs.
    #[cfg(feature = "remote")]
    fn shared(&mut self) -> Option<&mut Writing> {
        let (_, update) = self.0.as_mut()?;
        update.is_shared.then_some(&mut update.writing)
    }

    fn end(mut self, output: &R) -> Delivery {
        match self.0.take() {
            Some((effects, update)) => update.end(&effects, output),
            None => Delivery::done(),
        }
    }
}

impl<R> Drop for ArmedUpdate<R> {
    fn drop(&mut self) {
        if let Some((effects, update)) = self.0.take() {
            let _delivery = update.writing.written(&effects, update::Written::default());
        }
    }
}

/// Runs a method that blocks, then invalidates, then makes what it returned the entry.
pub fn updates<R, B: FnOnce() -> R>(effects: Effects, update: Update<R>, body: B) -> R {
    #[cfg_attr(not(feature = "remote"), expect(unused_mut, reason = "there is nobody to tell"))]
    let mut armed = ArmedUpdate(Some((effects, update)));
    #[cfg(feature = "remote")]
    if let Some(writing) = armed.shared() {
        writing.announce_blocking();
    }
    let output = body();
    armed.end(&output).wait();
    output
}

/// As [`updates`], for async methods.
pub async fn updates_async<R, F: Future<Output = R>>(effects: Effects, update: Update<R>, body: F) -> R {
    #[cfg_attr(not(feature = "remote"), expect(unused_mut, reason = "there is nobody to tell"))]
    let mut armed = ArmedUpdate(Some((effects, update)));
    #[cfg(feature = "remote")]
    if let Some(writing) = armed.shared() {
        writing.announce().await;
    }
    let output = body.await;
    armed.end(&output).await;
    output
}

/// The future of a removal in an async program.
pub type Removing = Delivery<bool>;

/// The future of a priming in an async program.
pub type Priming = Delivery;

/// Removes the entry of a call; returns whether there was one.
pub fn remove(call: &Written<'_>) -> bool {
    let Borrowed { engine, at, .. } = call.subject();
    engine.remove(at).wait()
}

/// As [`remove`], for async methods.
pub fn remove_async(call: &Written<'_>) -> Removing {
    let Borrowed { engine, at, .. } = call.subject();
    engine.remove(at)
}
