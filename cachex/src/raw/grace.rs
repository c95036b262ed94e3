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

use crate::sync::{AtomicBool, AtomicU64, Mutex, Ordering, fence, lock};

/// One for each thread that reads; handed on when the thread ends.
// Two cache lines: they are fetched in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Record {
    /// Odd while its thread is pinned. Written by that thread only.
    turns: AtomicU64,
    is_taken: AtomicBool,
}

impl Record {
    fn new() -> Self {
        Self { turns: AtomicU64::new(0), is_taken: AtomicBool::new(true) }
    }

    /// Whether its thread is pinned; for that thread.
    #[inline(always)]
    fn is_pinned(&self) -> bool {
        self.turns.load(Ordering::Relaxed) % 2 == 1
    }

    /// Pins the thread, or unpins it; for that thread.
    #[inline(always)]
    fn next_turn(&self) {
        // Release: see `has_left`; and who waits for the turn before may only ever see that this one has begun.
        self.turns.store(self.turns.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// Whether a period that found the record at `turns` need not wait for it any more.
    fn has_left(&self, turns: u64) -> bool {
        // Acquire: what the reader did before it unpinned comes before what is done after the period.
        self.turns.load(Ordering::Acquire) != turns
    }

    fn give_back(&self) {
        // Release: the next thread goes on from where this one left the turns.
        self.is_taken.store(false, Ordering::Release);
    }
}

/// Shows that the thread is pinned: what it finds in tables is not dropped.
///
/// It is only lent, by [`pinned`], so it is gone when the thread is not pinned any more; and it stays on its thread.
#[derive(Debug)]
pub(crate) struct Pin {
    _thread: PhantomData<*const ()>,
}

/// Runs `read` with the thread pinned. It may run others that do so as well: the outermost one counts.
pub(crate) fn pinned<R>(read: impl FnOnce(&Pin) -> R) -> R {
    let kept = local::record().or_else(local::keep_record);
    let borrowed = if kept.is_none() { Some(Borrowed(registry::take())) } else { None };
    let unpin = kept.or(borrowed.as_ref().map(|borrowed| borrowed.0)).and_then(|record| {
        if record.is_pinned() {
            return None;
        }
        record.next_turn();
        // Also where who unlinks makes it for all: it costs little here.
        fence(Ordering::SeqCst);
        Some(Unpin(record))
    });
    let found = read(&Pin { _thread: PhantomData });
    drop(unpin);
    drop(borrowed);
    found
}

/// What is done with the thread pinned. (A closure, but for that the compiler can be made to put this in place.)
pub(crate) trait Read {
    type Found;

    fn read(self, pin: &Pin) -> Self::Found;
}

/// As [`pinned`], for the path of a hit: does nothing where that is not all it takes, as for the first time on a thread, or within
/// another pin.
#[inline(always)]
pub(crate) fn try_pinned<R: Read>(what: R) -> Option<R::Found> {
    let record = match local::record() {
        Some(record) if !record.is_pinned() => {
            record.next_turn();
            barrier::of_reader();
            record
        }
        Some(_) => return None,
        None => pin_slowly()?,
    };
    let unpin = Unpin(record);
    let found = what.read(&Pin { _thread: PhantomData });
    drop(unpin);
    Some(found)
}

/// Pins the thread for a hit where its record is not at hand; not if the next hit is to be skipped, or it takes still more.
#[cold]
#[inline(never)]
fn pin_slowly() -> Option<&'static Record> {
    let record = local::keep_record().filter(|record| !local::is_skipped() && !record.is_pinned())?;
    record.next_turn();
    fence(Ordering::SeqCst);
    Some(record)
}

/// Has the next [`try_pinned`] on this thread do nothing.
pub(crate) fn skip_next() {
    local::skip_next();
}

/// Returns how many records there are.
#[cfg(all(test, not(cachex_loom)))]
pub(super) fn records() -> usize {
    let mut count = 0;
    registry::for_each(|_, _| count += 1);
    count
}

/// Unpins the thread, also after a panic.
struct Unpin(&'static Record);

impl Drop for Unpin {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.next_turn();
    }
}

/// A record for one pin only: of a thread that is ending, and whose own is gone.
struct Borrowed(&'static Record);

impl Drop for Borrowed {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

/// A time after which nobody reads any more what was unlinked before it began.
#[derive(Debug)]
pub(crate) struct GracePeriod {
    /// Who was pinned when it began, and in which turn.
    pinned: Vec<(&'static Record, u64)>,
    /// Whether it interrupts others.
    has_others: bool,
}

impl GracePeriod {
    /// Begins. What was unlinked by this thread, or by others whose unlinking this thread knows of, is covered.
    pub(crate) fn begin() -> Option<Self> {
        // Break this (drop the line) and the model finds a reader of what was given back.
        if !barrier::of_all() {
            return None;
        }
        let (mut pinned, mut readers) = (Vec::new(), 0);
        registry::for_each(|record, seen| {
            let turns = record.turns.load(Ordering::Acquire);
            readers += usize::from(std::mem::replace(seen, turns) != turns);
            if turns % 2 == 1 {
                pinned.push((record, turns));
            }
        });
        let has_others = registry::is_begun_elsewhere() || readers > 1;
        Some(Self { pinned, has_others })
    }

    /// Whether several threads seem to be at work, which the beginning of a period interrupts: since the period before, of whichever table,
    /// several have read, or that was begun by another one.
    pub(super) fn has_others(&self) -> bool {
        self.has_others
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

    /// A record, and its turns at the beginning of the latest period.
    type Listed = (&'static Record, u64);

    #[cfg(not(cachex_loom))]
    static RECORDS: Mutex<Vec<Listed>> = Mutex::new(Vec::new());
    #[cfg(cachex_loom)]
    loom::lazy_static! {
        static ref RECORDS: Mutex<Vec<Listed>> = Mutex::new(Vec::new());
    }

    /// Returns a record that no thread has.
    pub(super) fn take() -> &'static Record {
        let mut records = lock(&RECORDS);
        let is_free = |taken: &AtomicBool| !taken.load(Ordering::Acquire);
        if let Some((record, _)) = records.iter().find(|(record, _)| is_free(&record.is_taken)) {
            record.is_taken.store(true, Ordering::Relaxed);
            return record;
        }
        let record: &'static Record = Box::leak(Box::new(Record::new()));
        records.push((record, 0));
        record
    }

    /// Notes that this thread begins a period; returns whether another one began the last.
    pub(super) fn is_begun_elsewhere() -> bool {
        static LAST: std::sync::Mutex<Option<std::thread::ThreadId>> = std::sync::Mutex::new(None);
        let here = std::thread::current().id();
        let mut last = LAST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        last.replace(here).is_some_and(|last| last != here)
    }

    pub(super) fn for_each(mut see: impl FnMut(&'static Record, &mut u64)) {
        lock(&RECORDS).iter_mut().for_each(|(record, seen)| see(record, seen));
    }
}

/// The record of this thread.
#[cfg(not(cachex_loom))]
mod local {
    use std::cell::Cell;

    use super::{Record, barrier, registry};

    thread_local! {
        // Without a destructor, so that reading it is one load; `KEPT` has it. Empty where readers make their own barrier.
        static RECORD: Cell<Option<&'static Record>> = const { Cell::new(None) };
        static KEPT: Kept = const { Kept(Cell::new(None)) };
        static IS_SKIPPED: Cell<bool> = const { Cell::new(false) };
    }

    /// The record until the thread ends.
    struct Kept(Cell<Option<&'static Record>>);

    impl Drop for Kept {
        fn drop(&mut self) {
            // What is dropped after this and reads, borrows a record.
            RECORD.set(None);
            if let Some(record) = self.0.take() {
                record.give_back();
            }
        }
    }

    #[inline(always)]
    pub(super) fn record() -> Option<&'static Record> {
        RECORD.get()
    }

    /// Takes the record out of reach, for once.
    pub(super) fn skip_next() {
        IS_SKIPPED.set(true);
        RECORD.set(None);
    }

    /// Whether this was the one to be skipped.
    pub(super) fn is_skipped() -> bool {
        IS_SKIPPED.take()
    }

    /// Returns the record of the thread, taken if it has none; nothing if the thread is ending and its record is gone.
    pub(super) fn keep_record() -> Option<&'static Record> {
        barrier::prepare();
        let keep = |kept: &Kept| {
            let record = kept.0.get().unwrap_or_else(registry::take);
            kept.0.set(Some(record));
            // Where the next hit is to be skipped, it stays out of reach until then.
            if !barrier::is_left_to_readers() && !IS_SKIPPED.get() {
                RECORD.set(Some(record));
            }
            record
        };
        KEPT.try_with(keep).ok()
    }
}

#[cfg(cachex_loom)]
mod local {
    use std::cell::Cell;

    use super::{Record, registry};

    loom::thread_local! {
        static RECORD: Cell<Option<&'static Record>> = Cell::new(None);
    }

    pub(super) fn record() -> Option<&'static Record> {
        RECORD.with(Cell::get)
    }

    pub(super) fn skip_next() {}

    pub(super) fn is_skipped() -> bool {
        false
    }

    pub(super) fn keep_record() -> Option<&'static Record> {
        let record = registry::take();
        RECORD.with(|kept| kept.set(Some(record)));
        Some(record)
    }
}

/// The barriers: both full where the system does not help.
#[cfg(not(all(target_os = "linux", not(miri), not(cachex_loom))))]
mod barrier {
    use super::{Ordering, fence};

    #[cfg(not(cachex_loom))]
    pub(super) fn prepare() {}

    #[cfg(not(cachex_loom))]
    pub(super) fn is_left_to_readers() -> bool {
        false
    }

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
    use std::sync::atomic::compiler_fence;

    use rustix::thread::{MembarrierCommand, membarrier};

    use super::{Ordering, fence};

    /// Whether readers make their own barrier. Decided before the first thread pins, and never changed.
    static LEFT_TO_READERS: OnceLock<bool> = OnceLock::new();

    pub(super) fn prepare() {
        is_left_to_readers();
    }

    pub(super) fn is_left_to_readers() -> bool {
        *LEFT_TO_READERS.get_or_init(|| {
            let is_registered = membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok();
            !(is_registered && membarrier(MembarrierCommand::PrivateExpedited).is_ok())
        })
    }

    /// The barrier of a thread whose record is at hand: there is one only where who unlinks makes it for all.
    #[inline(always)]
    pub(super) fn of_reader() {
        compiler_fence(Ordering::SeqCst);
    }

    /// Returns whether there was a barrier for all.
    pub(super) fn of_all() -> bool {
        let is_left_to_readers = is_left_to_readers();
        fence(Ordering::SeqCst);
        is_left_to_readers || membarrier(MembarrierCommand::PrivateExpedited).is_ok()
    }
}
