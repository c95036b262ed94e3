//! Writes by hand, here and then in L2.
//!
//! The value here is there first. Whatever another process writes later, its notice comes after that and takes the value away here; what it
//! wrote before is overwritten in L2. So both agree in the end. Of writes of one key in this process the last one wins in both:
//! they take turns.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::Remote;
use super::outbox::Token;
use super::values::Portion;
use crate::engine::Engine;
use crate::engine::delivery::Delivery;
use crate::engine::horizon::HeldStamp;
use crate::engine::subject::Borrowed;
use crate::entry::Entry;
use crate::entry::tags::TagIds;
use crate::key::{Key, KeyRef};
use crate::method::keep::Keep;
use crate::policy::Policy;
use crate::runtime;
use crate::store::{StoreError, StoreErrorKind};
use crate::tier::remote::name;
use crate::time::Timestamp;

/// The writes that wait for their turn, by the names of their keys: of each key the last one.
#[derive(Debug, Default)]
pub(super) struct Writes(Mutex<HashMap<Box<str>, Turn>>);

/// What is to be written next, and who waits for it.
#[derive(Debug, Default)]
struct Turn {
    next: Option<Write>,
    waiting: Vec<Token>,
    /// Those whose own write has failed already.
    waiting_longer: Vec<Token>,
}

/// What has become of a write.
enum Written {
    Arrived,
    /// It has not, as far as is known, and the key is about to be removed.
    Failed,
    /// It has not, and another one is to follow.
    Followed,
}

#[derive(Debug)]
struct Write {
    key: Key,
    portion: Portion,
    /// The logical clock here, and the numbers of its tags, to tell what is invalidated before it is written.
    stamp: HeldStamp,
    tag_ids: TagIds,
}

impl Write {
    /// Whether nothing that it depends on was invalidated here since it was made.
    fn is_unaltered(&self, engine: &Engine) -> bool {
        let (method, stamp) = (engine.method(self.key.region()), self.stamp.get());
        engine.epoch.allows(stamp)
            && method.epoch.allows(stamp)
            && engine.tags.were_current(method.constants(), stamp)
            && engine.tags.were_current(&self.tag_ids, stamp)
            // Afterwards: then all that was invalidated before was known when it was asked.
            && self.stamp.is_good()
    }
}

/// Writes here and then in L2.
pub(in crate::engine) fn write<V, K: Keep<V>>(
    subject: Borrowed<'_>,
    entry: Option<Entry>,
    (keep, policy): (K, &Policy),
    now: Timestamp,
) -> Delivery {
    let Borrowed { engine, method, at } = subject;
    let Some(remote) = &engine.remote else { return Delivery::done() };
    let portion = entry.as_ref().and_then(|entry| {
        let value = keep.value(entry)?;
        engine.portion(at, policy, entry, (keep, &value))
    });
    let (Some(made), Some(portion)) = (&entry, portion) else {
        // Not kept, or kept in memory only.
        let delivery = engine.send_key(at);
        engine.write(method, at, entry, now);
        return delivery;
    };
    let (told, delivered) = oneshot::channel();
    let write = Write { key: at.key(), portion, stamp: engine.hold_stamp(), tag_ids: made.tags().into() };
    let name = name::name(at);
    // Dropped once nothing is held.
    let (entry, _not_kept) = if method.is_kept_here() { (entry, None) } else { (None, entry) };
    // Break this (write when the turn is taken) and of two writes one is the last here and the other one there.
    let (is_first, gone) = remote.in_turn(&name, write, Arc::new(told), || engine.write_here(at, entry, now));
    engine.settle(method, at, gone, now);
    if is_first {
        let (remote, engine) = (remote.clone(), engine.clone());
        runtime::spawn_own(async move { remote.write_all(&engine, &name).await });
    }
    Delivery::of([delivered])
}

impl Remote {
    /// Takes a turn, in the place of a write that waits, and writes here within it. Returns whether nobody writes the key there, and what has
    /// gone here: to be dropped once nothing is held.
    fn in_turn<G>(&self, name: &str, write: Write, told: Token, here: impl FnOnce() -> G) -> (bool, G) {
        let mut writes = self.writes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = !writes.contains_key(name);
        // Before it is here: who does not find it here any more waits for it to arrive there.
        // Who waits for a removal in whose place it comes waits for it.
        let waiting = self.outbox.begin_write(name);
        let turn = writes.entry(name.into()).or_default();
        let before = turn.next.replace(write);
        turn.waiting.extend(waiting.into_iter().chain([told]));
        let gone = here();
        drop(writes);
        drop(before);
        (is_first, gone)
    }

    /// Writes a key until there is nothing more to write.
    async fn write_all(&self, engine: &Arc<Engine>, name: &str) {
        let mut written: Vec<Token> = Vec::new();
        loop {
            let taken = {
                let mut writes = self.writes.0.lock().unwrap_or_else(PoisonError::into_inner);
                let next = writes.get_mut(name).and_then(|turn| {
                    let Turn { next, waiting, waiting_longer } = turn;
                    Some((next.take()?, std::mem::take(waiting), std::mem::take(waiting_longer)))
                });
                match next {
                    Some(_) => self.outbox.begin_turn(name),
                    None => {
                        writes.remove(name);
                        self.outbox.end_write(name);
                    }
                }
                next
            };
            // Then: who has waited for a write finds nothing of it on its way.
            written.clear();
            let Some((write, waiting, mut waiting_longer)) = taken else { return };
            match self.write_one(engine, name, &write).await {
                Written::Arrived => {
                    self.outbox.ended_turn(name, true);
                    written = waiting;
                    written.append(&mut waiting_longer);
                }
                Written::Failed => {
                    waiting_longer.extend(waiting);
                    self.wait_on(name, waiting_longer);
                }
                Written::Followed if waiting_longer.is_empty() => self.wait_on(name, waiting),
                Written::Followed => {
                    // Who has waited for two writes waits for no third one, but for what is there to go.
                    // Break this (have them wait on) and as long as one write after the other fails, nobody who writes goes on.
                    // Break this (let them go on) and what was there before both of them is still read.
                    let is_removed = self.remove_between(name, &write.key).await;
                    drop(waiting_longer);
                    if !is_removed {
                        self.wait_on(name, waiting);
                    }
                }
            }
        }
    }

    /// Removes a key between two of its writes. Returns whether it is gone.
    async fn remove_between(&self, name: &str, key: &Key) -> bool {
        // Break this (try it all the same) and a number is drawn that nobody hears of.
        if !self.store.reaches(name) {
            return false;
        }
        let _room = self.writing.acquire().await;
        let removed = self.send_keys(&[(name, key)], &HashSet::new()).await;
        removed.is_ok_and(|left| left.is_empty())
    }

    /// Has those who wait for a write that has failed wait for what comes in its place: the next one, if that does not fail as well, or the removal of the key.
    // Break this (tell them) and who has removed the key before returns while what was there is still valid.
    fn wait_on(&self, name: &str, mut waiting: Vec<Token>) {
        let is_up = self.store.takes_invalidations();
        let mut writes = self.writes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = match writes.get_mut(name).filter(|turn| turn.next.is_some()) {
            Some(turn) => {
                turn.waiting_longer.append(&mut waiting);
                Vec::new()
            }
            None => self.outbox.wait_for(name, waiting, is_up),
        };
        // Once nothing is held.
        drop(writes);
        drop(told);
    }

    /// Writes one.
    async fn write_one(&self, engine: &Engine, name: &str, write: &Write) -> Written {
        let Write { key, portion, .. } = write;
        let at: KeyRef<'_> = key.at();
        self.outbox.nothing_sent_of(name).await;
        let written = async {
            // Break this (leave it out) and a number is drawn that nobody hears of, again and again while a part of the store is gone.
            if !self.store.reaches(name) {
                return Err(StoreError::new(
                    StoreErrorKind::Down,
                    "the part of the store that has the key is out of reach",
                ));
            }
            let stamp = self.store.begin(name, &portion.groups, portion.life).await?;
            // What was invalidated here before the clock was read may be known there already, and then the stamp does not tell.
            // Break this (drop the condition) and a value that was invalidated right after it was set comes back from L2.
            let is_unaltered = write.is_unaltered(engine);
            let Some(value) = is_unaltered.then(|| portion.sealed(stamp)).flatten() else { return Ok(false) };
            // Break this (leave it out) and where many are written at once, others take the notices that are overtaken for lost.
            let _room = self.writing.acquire().await;
            let telling = self.telling().await;
            let notice = telling.of_key(at);
            let written = self.store.write(name, value, portion.life, notice.clone()).await;
            telling.ended(written, notice).await.map(|()| true)
        };
        match written.await {
            Ok(true) => {
                self.note_stored(name, key, &portion.groups, portion.life);
                self.counters.writes.one();
                return Written::Arrived;
            }
            Ok(false) => {}
            Err(failed) => self.note_trouble(&failed),
        }
        // What is there is older, or is what was written: nobody knows.
        self.counters.write_errors.one();
        // Within one hold: what is written next takes the removal along.
        // Break this (let go in between) and it takes away what was written since.
        let writes = self.writes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_last = writes.get(name).is_none_or(|turn| turn.next.is_none());
        let delivery = if is_last {
            // What is here stays as long as the store can't be told, and then goes as well: else the two would differ.
            self.outbox.failed_to_write(name);
            Some(engine.send_key(at))
        } else {
            self.outbox.ended_turn(name, false);
            None
        };
        drop(writes);
        if delivery.is_some() { Written::Failed } else { Written::Followed }
    }
}
