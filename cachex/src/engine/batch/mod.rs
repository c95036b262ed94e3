//! Many keys in one call: what is not here is loaded together, each key with a flight, a lease and an entry of its own.
//!
//! Reading order: this file (the path of the misses), [`turn`] (one run of the loader), [`waiting`] (those that others load).
//!
//! What must hold, besides what holds of each load:
//!
//! 1. *A batch waits only while it leads nothing.* Whatever it leads is loaded, and landed, before it waits for the flight of another call;
//!    and if a flight it waits for becomes its own, it stops waiting for all others until that has landed. So of two batches with the same
//!    keys in another order each ends its own part first, and no circle of calls that wait for each other is ever closed.
//! 2. Nor does it wait for the lease of another process while it holds one: what others hold is asked for when its own part has landed,
//!    again and again, and each time it loads at once what it was granted.
//! 3. The loader is run within the frames of all flights it loads for: a load that needs one of them is seen to be nested.
//! 4. The results of a run are those of the keys it was given, one for each and in their order, or nothing of it is kept.

pub(super) mod turn;
mod waiting;

use std::future::Future;

use super::Landing;
use super::attempt::Place;
use super::begin::Begun;
use super::flight::{Follow, Waited};
use super::job::Job;
use super::load::Start;
use super::subject::Borrowed;
use crate::entry::Entry;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::runtime;
use turn::{Turn, load_in_turn};
use waiting::{Waiting, some};

/// What a run of the loader has brought. `R` is what the method returns.
pub(crate) enum Run<E, R> {
    /// A result for each key it was given, in their order.
    Each(Vec<E>),
    /// It failed.
    Failed(R),
    /// It brought another number of results; what it returned, if that is what the caller is to get.
    Odd(Option<R>),
}

/// What the caller is to get instead of results for each key. Nothing: whatever the method returns for all keys.
pub(crate) type Ended<R> = Option<R>;

/// A key that is not answered yet.
pub(crate) struct Member<'a, S: Shape, K> {
    /// Which one of the call's keys it is.
    pub(super) index: usize,
    pub(super) job: Job<Borrowed<'a>, S, K>,
    /// What may answer if the load fails.
    pub(super) fallback: Option<Entry>,
    /// Whether the fallback answers as well while another one loads, as it is no more than stale.
    #[cfg_attr(not(feature = "remote"), expect(dead_code, reason = "asked where L2 is"))]
    pub(super) wants_fresh: bool,
}

#[cfg(feature = "remote")]
impl<S: Shape, K> Member<'_, S, K> {
    /// Returns the entry that answers while another one loads.
    pub(super) fn stale(&self) -> Option<&Entry> {
        self.fallback.as_ref().filter(|_| self.wants_fresh)
    }
}

/// What is known of the keys of a call, by and by.
pub(crate) struct Batch<'a, S: Shape, K> {
    answered: Vec<(usize, S::Output)>,
    to_load: Vec<Turn<'a, S, K>>,
    waiting: Vec<Waiting<'a, S, K>>,
    /// Those that the cache is not to be used for.
    bypassing: Vec<usize>,
}

impl<'a, S: Shape, K: Keep<S::Value>> Batch<'a, S, K> {
    pub(crate) fn new() -> Self {
        Self { answered: Vec::new(), to_load: Vec::new(), waiting: Vec::new(), bypassing: Vec::new() }
    }

    /// Takes a key in. Nothing waits, and nothing is loaded, yet.
    pub(crate) fn add(&mut self, index: usize, begun: Begun<Borrowed<'a>, S, K>) {
        match begun {
            Begun::Answer(output) | Begun::AnswerAndRefresh(output, _) => self.answered.push((index, output)),
            Begun::Bypass => self.bypassing.push(index),
            Begun::RefreshHere(value, stale, mut job) => {
                job.note_tags();
                let Some(lead) = job.lead_only() else {
                    job.subject.method.counters.tally().stale_hit();
                    self.answered.push((index, job.shape.output(value)));
                    return;
                };
                job.subject.method.counters.tally().miss();
                job.subject.method.counters.refreshes.one();
                let member = Member { index, job, fallback: Some(stale), wants_fresh: true };
                self.to_load.push(Turn::new(member, Place::Leading(lead)));
            }
            Begun::Load(fallback, mut job) => {
                job.note_tags();
                self.enter(Member { index, job, fallback, wants_fresh: false }, 0, None);
            }
        }
    }

    /// Has a key joined the flight of another call, or lead its own. `arrival` is when it joined the first one.
    fn enter(&mut self, member: Member<'a, S, K>, turned_away: usize, arrival: Option<u64>) {
        match member.job.enter(turned_away) {
            Start::Place(place) => self.place(member, place),
            Start::Follow(follow) => {
                let arrival = arrival.unwrap_or_else(|| follow.joined_at());
                let is_later = follow.flight().is_after(arrival);
                let is_counted = turned_away > 0;
                self.waiting.push(Waiting { member, follow, turned_away, arrival, is_later, is_counted });
            }
        }
    }

    /// Has a key loaded by this call, unless it is there by now.
    fn place(&mut self, member: Member<'a, S, K>, place: Place) {
        match member.job.look_again(place) {
            Ok(place) => self.to_load.push(Turn::new(member, place)),
            Err(output) => self.answered.push((member.index, output)),
        }
    }

    /// Loads what this call leads, waits for what others do, and so on until all keys are answered. `load` runs the method for those of the
    /// call's keys that have these indices.
    ///
    /// Dropped, what it leads passes to those who wait for it.
    pub(crate) async fn answer<R, F>(
        mut self,
        load: impl Fn(Vec<usize>) -> F,
    ) -> Result<Vec<(usize, S::Output)>, Ended<R>>
    where
        F: Future<Output = Run<S::Output, R>>,
    {
        loop {
            // Break this (wait first) and two batches with the same keys in another order wait for each other.
            let turns = std::mem::take(&mut self.to_load);
            load_in_turn(turns, &load, &mut self.answered).await?;
            self.load_outside(&load).await?;
            if self.waiting.is_empty() {
                return Ok(self.answered);
            }
            let edges = self.may_wait();
            if self.to_load.is_empty() {
                let ended = some(&mut self.waiting).await;
                drop(edges);
                ended.into_iter().for_each(|(waiting, waited)| self.go_on(waiting, waited));
            }
        }
    }

    /// Finds out which flights may be waited for. Those of which that is not so are loaded by this call for itself.
    fn may_wait(&mut self) -> Vec<super::nesting::Edge> {
        let mut edges = Vec::with_capacity(self.waiting.len());
        for mut waiting in std::mem::take(&mut self.waiting) {
            match waiting.edge() {
                Some(edge) => {
                    edges.push(edge);
                    waiting.count();
                    self.waiting.push(waiting);
                }
                None => {
                    let place = waiting.member.job.alone();
                    self.to_load.push(Turn::new(waiting.member, place));
                }
            }
        }
        edges
    }

    /// Takes what the flight of another call has brought.
    fn go_on(&mut self, waiting: Waiting<'a, S, K>, waited: Waited<Landing>) {
        let Waiting { member, turned_away, arrival, is_later, .. } = waiting;
        match waited {
            Waited::TakeOver(lead) => self.place(member, Place::Leading(lead)),
            // Break this (drop the condition) and a batch breaks what `may_take` says.
            Waited::Landed(landing, ticket) if member.job.may_take(&landing, is_later) => {
                match member.job.accept(landing, &ticket) {
                    Some(output) => self.answered.push((member.index, output)),
                    None => self.enter(member, turned_away + 1, Some(arrival)),
                }
            }
            Waited::Landed(..) => self.enter(member, turned_away + 1, Some(arrival)),
        }
    }

    /// Runs the method for the keys that the cache is not to be used for.
    async fn load_outside<R, F>(&mut self, load: impl Fn(Vec<usize>) -> F) -> Result<(), Ended<R>>
    where
        F: Future<Output = Run<S::Output, R>>,
    {
        let indices = std::mem::take(&mut self.bypassing);
        if indices.is_empty() {
            return Ok(());
        }
        match load(indices.clone()).await {
            Run::Each(outputs) => self.answered.extend(indices.into_iter().zip(outputs)),
            Run::Failed(output) => return Err(Some(output)),
            Run::Odd(output) => return Err(output),
        }
        Ok(())
    }
}

/// Blocks the caller's thread until a batch is answered.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    runtime::block_on(future)
}
