//! L2 for the keys of a batch: all are asked for at once.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::futures::Notified;

use super::Remote;
use super::lookup::{Answer, FIRST_PAUSE, LONGEST_PAUSE};
use crate::engine::attempt::Place;
use crate::engine::batch::turn::Turn;
use crate::engine::subject::Subject;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::runtime::{self, together};
use crate::tier::remote::name;
use crate::time::stopwatch::Stopwatch;

/// What L2 has to say of keys that are not answered by it.
pub(in crate::engine) struct Asked<'a, S: Shape, K> {
    /// To be loaded here.
    pub(in crate::engine) to_load: Vec<Turn<'a, S, K>>,
    /// Loaded by other processes.
    pub(in crate::engine) held: Option<Held<'a, S, K>>,
}

/// Keys that other processes load.
pub(in crate::engine) struct Held<'a, S: Shape, K> {
    turns: Vec<Turn<'a, S, K>>,
    waited: Stopwatch,
    pause: Duration,
}

impl<'a, S: Shape, K> Held<'a, S, K> {
    /// Returns the keys, whose flights this process leads.
    pub(in crate::engine) fn turns(&self) -> &[Turn<'a, S, K>] {
        &self.turns
    }
}

/// Asks for all keys, and waits for no other process. Puts the values that are there among what is answered.
pub(in crate::engine) async fn ask<'a, S: Shape, K: Keep<S::Value>>(
    turns: Vec<Turn<'a, S, K>>,
    answered: &mut Vec<(usize, S::Output)>,
) -> Asked<'a, S, K> {
    let (to_load, turns) = ask_once(turns, answered).await;
    let held = (!turns.is_empty()).then(|| Held { turns, waited: Stopwatch::start(), pause: FIRST_PAUSE });
    Asked { to_load, held }
}

impl<'a, S: Shape, K: Keep<S::Value>> Held<'a, S, K> {
    /// Asks again until something is to be loaded here or nothing is left, for as long as a call waits for another process at most.
    pub(in crate::engine) async fn ask_again(mut self, answered: &mut Vec<(usize, S::Output)>) -> Asked<'a, S, K> {
        loop {
            let Some(remote) = self.turns.first().and_then(|turn| turn.member.job.remote()).cloned() else {
                return Asked { to_load: self.turns, held: None };
            };
            // Before the look: what is stored after it is told of.
            let stored: Vec<_> = self.turns.iter().map(|turn| remote.stored(turn)).collect();
            let (to_load, held) = ask_once(std::mem::take(&mut self.turns), answered).await;
            self.turns = held;
            if self.turns.is_empty() {
                return Asked { to_load, held: None };
            }
            if !to_load.is_empty() {
                return Asked { to_load, held: Some(self) };
            }
            if self.waited.elapsed() >= remote.rules.patience {
                remote.counters.impatience.add(self.turns.len() as u64);
                remote.counters.misses.add(self.turns.len() as u64);
                return Asked { to_load: self.turns, held: None };
            }
            remote.counters.waits.add(self.turns.len() as u64);
            let _woken = runtime::within(self.pause, any(stored)).await;
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Asks for all keys at once. Returns those to load here, and those that others load.
async fn ask_once<'a, S: Shape, K: Keep<S::Value>>(
    turns: Vec<Turn<'a, S, K>>,
    answered: &mut Vec<(usize, S::Output)>,
) -> (Vec<Turn<'a, S, K>>, Vec<Turn<'a, S, K>>) {
    let answers = together(turns.iter().map(ask_for)).await;
    let (mut to_load, mut held) = (Vec::new(), Vec::new());
    for (Turn { mut member, place, .. }, answer) in turns.into_iter().zip(answers) {
        let (place, permit) = match answer {
            Answer::Load(permit) => (place, permit),
            Answer::Replace(permit, old) => {
                member.fallback = member.fallback.take().or(Some(old));
                (place, Some(permit))
            }
            Answer::Found(entry) => match member.job.promote(entry, place) {
                Ok(output) => {
                    answered.push((member.index, output));
                    continue;
                }
                Err(place) => (place, None),
            },
            Answer::Held => {
                let stale = member.stale().and_then(|stale| member.job.keep.value(stale));
                if stale.is_none() && matches!(place, Place::Leading(_)) {
                    held.push(Turn { member, place, permit: None });
                    continue;
                }
                member.job.remote().iter().for_each(|remote| remote.counters.misses.one());
                // Another process loads: what is there is stale, and good until then.
                if let Some(value) = stale {
                    answered.push((member.index, member.job.shape.output(value)));
                    continue;
                }
                // Who loads for itself does so for not having to wait.
                (place, None)
            }
        };
        to_load.push(Turn { member, place, permit });
    }
    (to_load, held)
}

async fn ask_for<S: Shape, K: Keep<S::Value>>(turn: &Turn<'_, S, K>) -> Answer {
    let Turn { member, place, .. } = turn;
    match member.job.remote() {
        Some(remote) => member.job.ask_remote(remote, place, member.wants_fresh, false).await,
        None => Answer::Load(None),
    }
}

impl Remote {
    /// Waits until a value is stored: also one that is stored before this is polled.
    fn stored<S: Shape, K: Keep<S::Value>>(&self, turn: &Turn<'_, S, K>) -> Pin<Box<Notified<'_>>> {
        let mut stored = Box::pin(self.waiting_for(&name::name(turn.member.job.subject.at())).notified());
        stored.as_mut().enable();
        stored
    }
}

/// Waits for one of them.
async fn any(mut notified: Vec<Pin<Box<Notified<'_>>>>) {
    poll_fn(|cx| {
        let is_one = notified.iter_mut().any(|one| one.as_mut().poll(cx).is_ready());
        if is_one { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
