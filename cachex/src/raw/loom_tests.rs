//! Model checks of pins and periods of grace: every order of steps, and every value that a load may see. Run by
//! `cargo xtask test loom`.
//!
//! That the models have teeth was seen by breaking each of these, which makes a test here fail: the barrier of the reader, the
//! barrier for all, the release of `Record::next_turn`, the acquire of `Record::has_left`, noting the turns of pinned records.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::grace::{GracePeriod, Pin, Read, pinned, try_pinned};

const ALIVE: u64 = 7;
const GIVEN_BACK: u64 = 0;

/// Two nodes, and the place where readers find one of them.
struct World {
    place: AtomicUsize,
    nodes: [UnsafeCell<u64>; 2],
}

// All that is shared is checked by the model.
#[expect(unsafe_code, reason = "the cells are what the model checks")]
// SAFETY: the model fails where two threads use a cell at once.
unsafe impl Sync for World {}
#[expect(unsafe_code, reason = "as above")]
// SAFETY: nothing in it belongs to a thread.
unsafe impl Send for World {}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self { place: AtomicUsize::new(0), nodes: [UnsafeCell::new(ALIVE), UnsafeCell::new(ALIVE)] })
    }

    /// Reads, as a look-up does.
    fn read(&self) {
        pinned(|pin| self.look(pin));
    }

    /// Reads, as a hit does.
    fn hit(&self) {
        assert!(try_pinned(Hit(self)).is_some(), "the thread is not pinned");
    }

    fn look(&self, _pin: &Pin) {
        let node = &self.nodes[self.place.load(Ordering::Acquire)];
        #[expect(unsafe_code, reason = "the cells are what the model checks")]
        // SAFETY: the model fails if it is given back meanwhile.
        let value = node.with(|value| unsafe { *value });
        assert_eq!(value, ALIVE, "a reader reads what was given back");
    }

    /// Puts the second node in the place of the first, and gives that back once nobody reads it.
    fn replace(&self) {
        self.place.store(1, Ordering::Release);
        let mut period = GracePeriod::begin().expect("the model has barriers");
        while !period.has_passed() {
            thread::yield_now();
        }
        #[expect(unsafe_code, reason = "the cells are what the model checks")]
        // SAFETY: the model fails if somebody still reads.
        self.nodes[0].with_mut(|value| unsafe { *value = GIVEN_BACK });
    }
}

struct Hit<'a>(&'a World);

impl Read for Hit<'_> {
    type Found = ();

    fn read(self, pin: &Pin) {
        self.0.look(pin);
    }
}

fn check(preemptions: Option<usize>, case: impl Fn() + Send + Sync + 'static) {
    let mut model = Builder::new();
    model.preemption_bound = preemptions;
    model.check(case);
}

#[test]
fn loom_what_is_read_is_not_given_back() {
    check(None, || {
        let world = World::new();
        let reader = thread::spawn({
            let world = world.clone();
            move || world.hit()
        });
        world.replace();
        reader.join().expect("a reader ends");
    });
}

#[test]
fn loom_who_reads_again_and_again_holds_nothing_up() {
    check(Some(3), || {
        let world = World::new();
        let readers = [world.clone(), world.clone()].map(|world| {
            thread::spawn(move || {
                world.read();
                world.hit();
            })
        });
        world.replace();
        readers.into_iter().for_each(|reader| reader.join().expect("a reader ends"));
    });
}
