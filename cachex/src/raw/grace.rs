//! Pins and periods of grace: when nobody can still be reading what was unlinked.
//!
//! Each thread that reads has a *record* with a number of turns: odd while the thread is pinned, moved on when it pins and when
//! it unpins. A *period of grace* begins after something was unlinked. It notes the records that are odd, and it has passed
//! once each of them has moved on.
//!
//! Why that is enough: a reader writes its record and then reads pointers; who unlinks writes the pointer and then reads
//! records. With a full barrier between the two steps on either side, one of them sees the other: either the reader no longer
//! finds the pointer, or its record is seen to be odd, and is waited for. (A pin that began later can't find what was unlinked
//! before.) The unpinning releases what the reader did, the look at the record acquires it.
//!
//! The barrier of the reader would cost more than all else it does. So where the system has it (`membarrier`, Linux 4.14),
//! who unlinks makes the barrier for all threads of the process, and the reader's is left to the compiler. Elsewhere both
//! make it themselves. Source: Desnoyers et al., "User-level implementations of read-copy update", IEEE TPDS 23(2), 2012.
//!
//! A thread that is held up while pinned holds up what waits for it, and nothing else. In a child made by `fork`, the records of
//! threads that were pinned at that moment stay odd: what is unlinked there is then never given back.

use std::marker::PhantomData;

use crate::sync::{AtomicBool, AtomicU32, AtomicU64, Mutex, Ordering, lock};

/// One for each thread that reads; handed on when the thread ends.
// Two cache lines: they are fetched in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Record {
    /// Odd while its thread is pinned. Written by that thread only.
    turns: AtomicU64,
    /// How many pins the thread has. Used by that thread only.
    pins: AtomicU32,
    is_taken: AtomicBool,
}

impl Record {
    fn new() -> Self {
        Self { turns: AtomicU64::new(0), pins: AtomicU32::new(0), is_taken: AtomicBool::new(true) }
    }

    /// Whether a period that found the record at `turns` need not wait for it any more.
    fn has_left(&self, turns: u64) -> bool {
        // Acquire: what the reader did before it unpinned comes before what is done after the period.
        self.turns.load(Ordering::Acquire) != turns
    }
}

/// Keeps what the thread finds in tables from being dropped. A thread may have several.
#[derive(Debug)]
pub(crate) struct Pin {
    record: &'static Record,
    is_borrowed: bool,
    /// It belongs to its thread.
    _thread: PhantomData<*const ()>,
}

impl Pin {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        let (record, is_borrowed) = match local::record() {
            Some(record) => (record, false),
            None => take_record(),
        };
        let pins = record.pins.load(Ordering::Relaxed);
        record.pins.store(pins + 1, Ordering::Relaxed);
        if pins == 0 {
            // Release: who waits for the turn before may only ever see that this one has begun.
            record.turns.store(record.turns.load(Ordering::Relaxed) + 1, Ordering::Release);
            barrier::of_reader();
        }
        Self { record, is_borrowed, _thread: PhantomData }
    }
}

impl Drop for Pin {
    #[inline(always)]
    fn drop(&mut self) {
        let record = self.record;
        let pins = record.pins.load(Ordering::Relaxed) - 1;
        record.pins.store(pins, Ordering::Relaxed);
        if pins == 0 {
            // Release: see `Record::has_left`.
            record.turns.store(record.turns.load(Ordering::Relaxed) + 1, Ordering::Release);
        }
        if self.is_borrowed {
            give_back(record);
        }
    }
}

/// Returns a record for this thread, and whether it is for one pin only: that is so once the thread's own is gone.
#[cold]
#[inline(never)]
fn take_record() -> (&'static Record, bool) {
    barrier::prepare();
    let record = registry::take();
    let is_kept = local::keep(record);
    (record, !is_kept)
}

#[cold]
#[inline(never)]
fn give_back(record: &Record) {
    // Release: the next thread goes on from where this one left the turns.
    record.is_taken.store(false, Ordering::Release);
}

/// A time after which nobody reads any more what was unlinked before it began.
#[derive(Debug)]
pub(crate) struct GracePeriod {
    /// Who was pinned when it began, and in which turn.
    pinned: Vec<(&'static Record, u64)>,
}

impl GracePeriod {
    /// Begins. What was unlinked by this thread, or by others whose unlinking this thread knows of, is covered.
    pub(crate) fn begin() -> Option<Self> {
        // Break this (drop the line) and the model finds a reader of what was given back.
        if !barrier::of_all() {
            return None;
        }
        let mut pinned = Vec::new();
        registry::for_each(|record| {
            let turns = record.turns.load(Ordering::Acquire);
            if turns % 2 == 1 {
                pinned.push((record, turns));
            }
        });
        Some(Self { pinned })
    }

    /// Whether it has passed. Never waits.
    pub(crate) fn has_passed(&mut self) -> bool {
        self.pinned.retain(|(record, turns)| !record.has_left(*turns));
        self.pinned.is_empty()
    }
}

/// All records there are. They are never given back: there are as many as there were threads at once.
mod registry {
    use super::{AtomicBool, Mutex, Ordering, Record, lock};

    #[cfg(not(cachex_loom))]
    static RECORDS: Mutex<Vec<&'static Record>> = Mutex::new(Vec::new());
    #[cfg(cachex_loom)]
    loom::lazy_static! {
        static ref RECORDS: Mutex<Vec<&'static Record>> = Mutex::new(Vec::new());
    }

    /// Returns a record that no thread has.
    pub(super) fn take() -> &'static Record {
        let mut records = lock(&RECORDS);
        let is_free = |taken: &AtomicBool| !taken.load(Ordering::Acquire);
        if let Some(record) = records.iter().find(|record| is_free(&record.is_taken)) {
            record.is_taken.store(true, Ordering::Relaxed);
            return record;
        }
        let record: &'static Record = Box::leak(Box::new(Record::new()));
        records.push(record);
        record
    }

    pub(super) fn for_each(see: impl FnMut(&'static Record)) {
        lock(&RECORDS).iter().copied().for_each(see);
    }
}

/// The record of this thread.
#[cfg(not(cachex_loom))]
mod local {
    use std::cell::Cell;

    use super::{Record, give_back};

    thread_local! {
        // Without a destructor, so that reading it is one load; `LEAVING` has it.
        static RECORD: Cell<Option<&'static Record>> = const { Cell::new(None) };
        static LEAVING: Leaving = const { Leaving };
    }

    struct Leaving;

    impl Drop for Leaving {
        fn drop(&mut self) {
            // What is dropped after this and reads, borrows a record.
            if let Some(record) = RECORD.take() {
                give_back(record);
            }
        }
    }

    #[inline(always)]
    pub(super) fn record() -> Option<&'static Record> {
        RECORD.get()
    }

    /// Keeps a record until the thread ends; returns whether that is still to come.
    pub(super) fn keep(record: &'static Record) -> bool {
        LEAVING.try_with(|_| RECORD.set(Some(record))).is_ok()
    }
}

#[cfg(cachex_loom)]
mod local {
    use std::cell::Cell;

    use super::Record;

    loom::thread_local! {
        static RECORD: Cell<Option<&'static Record>> = Cell::new(None);
    }

    pub(super) fn record() -> Option<&'static Record> {
        RECORD.with(Cell::get)
    }

    pub(super) fn keep(record: &'static Record) -> bool {
        RECORD.with(|kept| kept.set(Some(record)));
        true
    }
}

/// The barriers: both full where the system does not help.
#[cfg(not(all(target_os = "linux", not(miri), not(cachex_loom))))]
mod barrier {
    #[cfg(cachex_loom)]
    use loom::sync::atomic::{Ordering, fence};
    #[cfg(not(cachex_loom))]
    use std::sync::atomic::{Ordering, fence};

    pub(super) fn prepare() {}

    #[inline(always)]
    pub(super) fn of_reader() {
        // Break this (drop the line) and the model finds a reader of what was given back.
        fence(Ordering::SeqCst);
    }

    pub(super) fn of_all() -> bool {
        fence(Ordering::SeqCst);
        true
    }
}

#[cfg(all(target_os = "linux", not(miri), not(cachex_loom)))]
mod barrier {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, Ordering, compiler_fence, fence};

    use rustix::thread::{MembarrierCommand, membarrier};

    /// Whether readers make their own barrier. Decided before the first thread pins, and never changed.
    static READERS_DO: AtomicBool = AtomicBool::new(true);
    static DECIDED: OnceLock<()> = OnceLock::new();

    pub(super) fn prepare() {
        DECIDED.get_or_init(|| {
            let is_registered = membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok();
            let works = is_registered && membarrier(MembarrierCommand::PrivateExpedited).is_ok();
            READERS_DO.store(!works, Ordering::Relaxed);
        });
    }

    #[inline(always)]
    pub(super) fn of_reader() {
        if READERS_DO.load(Ordering::Relaxed) { fence(Ordering::SeqCst) } else { compiler_fence(Ordering::SeqCst) }
    }

    /// Returns whether there was a barrier for all.
    pub(super) fn of_all() -> bool {
        prepare();
        fence(Ordering::SeqCst);
        READERS_DO.load(Ordering::Relaxed) || membarrier(MembarrierCommand::PrivateExpedited).is_ok()
    }
}
