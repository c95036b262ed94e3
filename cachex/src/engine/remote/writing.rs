//! Writes by hand, here and then in L2.
//!
//! The value here is there first. Whatever another process writes later, its notice comes after that and takes the value away here; what it
//! wrote before is overwritten in L2. So both agree in the end. Of writes of one key in this process the last one wins in both:
//! they take turns.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::Remote;
use super::values::Portion;
use crate::backplane::notice::Subject;
use crate::engine::Engine;
use crate::engine::delivery::Delivery;
use crate::engine::subject::Borrowed;
use crate::entry::Entry;
use crate::entry::stamp::Stamp;
use crate::entry::tags::{self, TagCells};
use crate::key::{Key, KeyRef};
use crate::method::keep::Keep;
use crate::runtime;
use crate::tier::remote::name;
use crate::time::Timestamp;

/// The writes that wait for their turn, by the names of their keys: of each key the last one.
#[derive(Debug, Default)]
pub(super) struct Writes(Mutex<HashMap<Box<str>, Turn>>);

/// What is to be written next, and who waits for it.
#[derive(Debug, Default)]
struct Turn {
    next: Option<Write>,
    waiting: Vec<oneshot::Sender<()>>,
}

#[derive(Debug)]
struct Write {
    key: Key,
    portion: Portion,
    /// The logical clock here, and the clocks of its tags, to tell what is invalidated before it is written.
    stamp: Stamp,
    cells: TagCells,
}

impl Write {
    /// Whether nothing that it depends on was invalidated here since it was made.
    fn is_unaltered(&self, engine: &Engine) -> bool {
        let method = engine.method(self.key.region());
        engine.epoch.allows(self.stamp)
            && method.epoch.allows(self.stamp)
            && tags::were_current(method.constant_cells(), self.stamp)
            && self.cells.were_current(self.stamp)
    }
}

/// Writes here and then in L2.
pub(in crate::engine) fn write<V, K: Keep<V>>(
    subject: Borrowed<'_>,
    entry: Option<Entry>,
    keep: K,
    now: Timestamp,
) -> Delivery {
    let Borrowed { engine, method, at } = subject;
    let Some(remote) = &engine.remote else { return Delivery::done() };
    let portion = entry.as_ref().and_then(|entry| {
        let value = keep.value(entry)?;
        engine.portion(at, entry, keep, &value)
    });
    let (Some(made), Some(portion)) = (&entry, portion) else {
        // Not kept, or kept in memory only.
        let delivery = engine.send_key(at);
        engine.write(method, at, entry, now);
        return delivery;
    };
    engine.keep_within_l1(made, now);
    // Before it is here: who does not find it here any more waits for it to arrive there.
    let (told, delivered) = oneshot::channel();
    let write = Write { key: at.key(), portion, stamp: engine.sequence.now(), cells: TagCells::from(made.tags()) };
    let is_first = remote.add_write(&name::name(at), write, told);
    engine.write(method, at, entry, now);
    if is_first {
        let (remote, engine, name) = (remote.clone(), engine.clone(), name::name(at));
        runtime::spawn_own(async move { remote.write_all(&engine, &name).await });
    }
    Delivery::of([delivered])
}

impl Remote {
    /// Adds a write in the place of one that waits. Returns whether nobody writes the key.
    fn add_write(&self, name: &str, write: Write, told: oneshot::Sender<()>) -> bool {
        let mut writes = self.writes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = !writes.contains_key(name);
        let turn = writes.entry(name.into()).or_default();
        turn.next = Some(write);
        turn.waiting.push(told);
        if is_first {
            self.outbox.begin_write(name);
        }
        is_first
    }

    /// Writes a key until there is nothing more to write.
    async fn write_all(&self, engine: &Arc<Engine>, name: &str) {
        loop {
            let (write, waiting) = {
                let mut writes = self.writes.0.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(turn) = writes.get_mut(name) else { return };
                let Some(write) = turn.next.take() else {
                    writes.remove(name);
                    self.outbox.end_write(name);
                    return;
                };
                (write, std::mem::take(&mut turn.waiting))
            };
            self.write_one(engine, name, &write).await;
            waiting.into_iter().for_each(|told| {
                let _gone = told.send(());
            });
        }
    }

    async fn write_one(&self, engine: &Engine, name: &str, write: &Write) {
        let Write { key, portion, .. } = write;
        let at: KeyRef<'_> = key.at();
        let written = async {
            let stamp = self.store.begin(&portion.groups, portion.life).await.ok()?;
            // What was invalidated here before the clock was read may be known there already, and then the stamp does not tell.
            // Break this (drop the condition) and a value that was invalidated right after it was set comes back from L2.
            let value = write.is_unaltered(engine).then(|| portion.sealed(stamp)).flatten()?;
            let subject = Subject::Key { method: at.region.remote_name().into(), bytes: at.bytes.to_vec() };
            self.store.write(name, value, portion.life, self.notice(subject)).await.ok()
        };
        if written.await.is_some() {
            self.counters.writes.one();
        } else {
            // What is there is older, or is what was written: nobody knows.
            self.counters.write_errors.one();
            let _delivery = engine.send_key(at);
        }
    }
}
