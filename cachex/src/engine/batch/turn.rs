//! One run of the loader, for all keys that a batch leads.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::Duration;

use super::{Ended, Member, Run};
use crate::engine::Landing;
use crate::engine::attempt::{Loaded, Place, Unfinished};
use crate::engine::nesting::{self, Frame};
#[cfg(feature = "remote")]
use crate::engine::remote::{batch as remote, permit::Permit};
use crate::engine::subject::Subject;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::observe::event::Event;
use crate::time::stopwatch::Stopwatch;

/// A key that this call loads.
pub(in crate::engine) struct Turn<'a, S: Shape, K> {
    pub(in crate::engine) member: Member<'a, S, K>,
    pub(in crate::engine) place: Place,
    /// The right to store the value in L2 as well.
    #[cfg(feature = "remote")]
    pub(in crate::engine) permit: Option<Permit>,
}

impl<'a, S: Shape, K: Keep<S::Value>> Turn<'a, S, K> {
    pub(super) fn new(member: Member<'a, S, K>, place: Place) -> Self {
        Self {
            member,
            place,
            #[cfg(feature = "remote")]
            permit: None,
        }
    }

    /// Stores the result of the key, and answers those who wait for it. Returns what the caller is to get.
    fn end(self, output: S::Output, took: Option<Duration>) -> (usize, S::Output) {
        let Self { member, place, .. } = self;
        let load = Loaded {
            place,
            fallback: member.fallback.as_ref(),
            took,
            #[cfg(feature = "remote")]
            permit: self.permit,
        };
        (member.index, member.job.settle(load, output))
    }
}

/// Answers the keys that this call leads: from L2, or by runs of the loader.
pub(super) async fn load_in_turn<S, K, R, F>(
    turns: Vec<Turn<'_, S, K>>,
    load: impl Fn(Vec<usize>) -> F,
    answered: &mut Vec<(usize, S::Output)>,
) -> Result<(), Ended<R>>
where
    S: Shape,
    K: Keep<S::Value>,
    F: Future<Output = Run<S::Output, R>>,
{
    #[cfg(feature = "remote")]
    if turns.iter().any(|turn| turn.member.job.remote().is_some()) {
        let mut asked = remote::ask(turns, answered).await;
        loop {
            let held = asked.held.as_ref().map_or(&[][..], remote::Held::turns);
            run(asked.to_load, held, &load, answered).await?;
            // Break this (ask before the run, and wait) and two processes wait for each other until their patience ends.
            match asked.held {
                Some(held) => asked = held.ask_again(answered).await,
                None => return Ok(()),
            }
        }
    }
    run(turns, &[], &load, answered).await
}

/// Runs the loader for keys. Those that are `held` elsewhere are led as well meanwhile.
async fn run<S, K, R, F>(
    turns: Vec<Turn<'_, S, K>>,
    held: &[Turn<'_, S, K>],
    load: impl Fn(Vec<usize>) -> F,
    answered: &mut Vec<(usize, S::Output)>,
) -> Result<(), Ended<R>>
where
    S: Shape,
    K: Keep<S::Value>,
    F: Future<Output = Run<S::Output, R>>,
{
    let Some(first) = turns.first() else { return Ok(()) };
    let counters = &first.member.job.subject.method.counters;
    let stopwatch = counters.tally().load_timer();
    let mut loading = pin!(load(turns.iter().map(|turn| turn.member.index).collect()));
    let brought = poll_fn(|cx| {
        // Break this (leave out what is held) and a loader that needs one of those waits for itself.
        let _frame = frame(turns.iter().chain(held));
        let unfinished = Unfinished { job: &first.member.job, stopwatch };
        let polled = loading.as_mut().poll(cx);
        // It did not panic.
        std::mem::forget(unfinished);
        polled
    })
    .await;
    let took = stopwatch.map(Stopwatch::elapsed);
    counters.tally().load(took);
    // What the user's rules and clones do is part of the load.
    let _frame = frame(turns.iter().chain(held));
    match brought {
        Run::Each(outputs) => {
            let parts = u32::try_from(turns.len()).unwrap_or(u32::MAX);
            let took = took.map(|took| took / parts);
            answered.extend(turns.into_iter().zip(outputs).map(|(turn, output)| turn.end(output, took)));
            Ok(())
        }
        Run::Failed(output) => {
            if fall_back(turns, answered) {
                Ok(())
            } else {
                Err(Some(output))
            }
        }
        Run::Odd(output) => {
            first.member.job.subject.engine.tell(|| Event::ResultsRefused(first.member.job.subject.at().key()));
            Err(output)
        }
    }
}

/// Makes the running thread part of the loads that others may wait for.
fn frame<'t, 'a: 't, S: Shape + 't, K: Keep<S::Value> + 't>(turns: impl Iterator<Item = &'t Turn<'a, S, K>>) -> Frame {
    let leading = turns.filter_map(|turn| match &turn.place {
        Place::Leading(lead) => Some(lead.flight()),
        // Nobody can wait for it.
        Place::Alone(_) => None,
    });
    Frame::enter_all(leading.map(|flight| {
        flight.note_thread(nesting::thread());
        flight.id()
    }))
}

/// Answers for a load that has failed, if there is an expired value for each key. Returns whether it was so.
fn fall_back<S: Shape, K: Keep<S::Value>>(turns: Vec<Turn<'_, S, K>>, answered: &mut Vec<(usize, S::Output)>) -> bool {
    let mut outputs = Vec::with_capacity(turns.len());
    for Turn { member, place, .. } in &turns {
        let subject = member.job.subject;
        subject.method.counters.load_errors.one();
        subject.engine.tell(|| Event::LoadFailed(subject.at().key()));
        let output = member.fallback.as_ref().and_then(|entry| member.job.fallback_value(entry, place.ticket()));
        outputs.extend(output);
    }
    if outputs.len() < turns.len() {
        return false;
    }
    for (Turn { member, place, .. }, output) in turns.into_iter().zip(outputs) {
        member.job.note_fallback();
        if let Some(entry) = member.fallback {
            place.land(Landing::FellBack(entry));
        }
        answered.push((member.index, output));
    }
    true
}
