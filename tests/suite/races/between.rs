//! What happens between two steps of one call, brought about from the code of users that runs there: the text of a tag (after
//! the look-up, before the flight) and the clone of a value (in the second look-up, before the landing).

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use cachex::time::ManualClock;
use cachex::{CacheKey, Event, Observer, cached, invalidates};

use crate::source::{Failure, Gate, Outcome, Source, Stepped};

type Hook = Box<dyn FnOnce()>;

thread_local! {
    static ON_TAG: RefCell<Option<Hook>> = const { RefCell::new(None) };
    static ON_CLONE: RefCell<Option<Hook>> = const { RefCell::new(None) };
}

fn run(hook: &'static std::thread::LocalKey<RefCell<Option<Hook>>>) {
    if let Some(hook) = hook.take() {
        hook();
    }
}

/// An argument whose text in a tag runs [`ON_TAG`].
#[derive(Clone, Copy, CacheKey)]
struct Point(u64);

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        run(&ON_TAG);
        self.0.fmt(f)
    }
}

/// A value whose clone runs [`ON_CLONE`].
#[derive(Debug, PartialEq)]
struct Value(u64);

impl Clone for Value {
    fn clone(&self) -> Self {
        run(&ON_CLONE);
        Self(self.0)
    }
}

impl Source {
    #[cached(name = "between.at", ttl = "1m", grace = "1h", tags = ["point:{point}"], local)]
    async fn at(&self, point: Point) -> Result<Value, Failure> {
        let _ = point;
        self.read().await.map(Value)
    }

    #[invalidates(Self::at(first), Self::at(second))]
    fn write_both(&self, first: Point, second: Point, value: u64) {
        self.write(value);
    }
}

type Call = Stepped<'static, Result<Value, Failure>>;

fn call(source: &Source) -> Call {
    let source = source.clone();
    Stepped::new(async move { source.at(Point(1)).await })
}

fn source() -> (Source, ManualClock) {
    let clock = ManualClock::new();
    (Source::new(crate::builder().clock(clock.clone()).build().unwrap()), clock)
}

/// Stops the first removal after its entry is gone: an invalidation of several keys is then between two of them.
struct StopAtFirst(Mutex<Option<(Sender<()>, Receiver<()>)>>);

impl Observer for StopAtFirst {
    fn observe(&self, event: &Event) {
        let Event::Removed(_) = event else { return };
        let stop = self.0.lock().unwrap().take();
        if let Some((stopped, go_on)) = stop {
            stopped.send(()).unwrap();
            go_on.recv().unwrap();
        }
    }
}

// Guards `Landing::Found` in `accept`. An invalidation has voided the loads of a key and not yet taken its entry; a leader that
// begins here finds the entry, and tells its followers when it is gone: one of them came after the invalidation.
#[test]
fn an_entry_that_was_found_and_removed_does_not_answer_who_came_after() {
    let ((stopped, is_stopped), (go, go_on)) = (mpsc::channel(), mpsc::channel());
    let stop = StopAtFirst(Mutex::new(Some((stopped, go_on))));
    let source = Source::new(crate::builder().observer(stop).build().unwrap());
    let follower: Rc<RefCell<Option<Call>>> = Rc::default();
    let (writer, late) = (source.clone(), follower.clone());
    ON_TAG.set(Some(Box::new(move || {
        Stepped::new(writer.at_prime(&Point(1), &Ok(Value(1)))).end();
        Stepped::new(writer.at_prime(&Point(2), &Ok(Value(1)))).end();
        let thread = thread::spawn({
            let writer = writer.clone();
            move || writer.write_both(Point(2), Point(1), 2)
        });
        is_stopped.recv().unwrap();
        ON_CLONE.set(Some(Box::new(move || {
            go.send(()).unwrap();
            thread.join().unwrap();
            let mut call = call(&writer);
            assert!(call.run().is_none(), "it follows");
            *late.borrow_mut() = Some(call);
        })));
    })));
    assert_eq!(call(&source).end(), Ok(Value(1)), "found while it was there");
    assert_eq!(source.loads(), 0);
    let follower = follower.take().expect("the clone has run");
    assert_eq!(follower.end(), Ok(Value(2)));
    assert_eq!(source.cache.loads_in_flight(), 0);
}

// Guards `Landing::FellBack` in `accept`: the leader may answer with the expired entry that it has found, but who came after
// its removal must not get it.
#[test]
fn an_expired_entry_that_was_removed_is_no_fallback_for_who_came_after() {
    let (source, clock) = source();
    assert_eq!(call(&source).end(), Ok(Value(1)));
    clock.advance(Duration::from_secs(61));
    let remover = source.clone();
    ON_TAG.set(Some(Box::new(move || {
        remover.write(2);
        assert!(!remover.cache.blocking().remove(&remover.at_key(&Point(1))), "it is expired");
    })));
    let gate: Gate = source.hold();
    let mut leader = call(&source);
    assert!(leader.run().is_none());
    let mut follower = call(&source);
    assert!(follower.run().is_none());
    gate.open(Outcome::Failure);
    assert_eq!(leader.end(), Ok(Value(1)), "found while it was there");
    assert_eq!(follower.end(), Ok(Value(2)));
    assert_eq!((source.loads(), source.cache.loads_in_flight()), (3, 0));
}

// Guards the second look-up in `drive`: without it the leader loads what another has stored meanwhile.
#[test]
fn a_leader_looks_again_before_it_loads() {
    let (source, _) = source();
    let other = source.clone();
    ON_TAG.set(Some(Box::new(move || {
        Stepped::new(other.at_prime(&Point(1), &Ok(Value(5)))).end();
    })));
    assert_eq!(call(&source).end(), Ok(Value(5)));
    assert_eq!(source.loads(), 0);
}
