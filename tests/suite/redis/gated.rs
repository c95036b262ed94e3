//! A store whose calls a test holds up, one by one.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cachex::store::{
    Ask, Doing, Group, Invalidation, Lease, Listener, Notice, Read, Reading, Settling, Store, StoreError,
    StoreErrorKind,
};
use tokio::sync::oneshot;

/// Where a call to the store is, by the name of its method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// Nothing is done yet.
    Before(&'static str),
    /// It is done, and the caller does not know it.
    After(&'static str),
}

/// What is held up, and what was done.
#[derive(Clone, Debug, Default)]
pub(super) struct Gates(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    held: Vec<(Step, oneshot::Sender<()>, oneshot::Receiver<()>)>,
    passed: Vec<Step>,
    /// It is out of reach.
    is_down: bool,
    /// And so are the keys whose names hold this.
    lost: Option<&'static str>,
    listener: Option<Arc<dyn Listener>>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("passed", &self.passed).field("is_down", &self.is_down).finish_non_exhaustive()
    }
}

/// Where the next call to come there waits; dropped, it lets the call fail.
#[derive(Debug)]
pub(super) struct Gate {
    reached: Option<oneshot::Receiver<()>>,
    open: oneshot::Sender<()>,
}

impl Gate {
    /// Waits until a call is there.
    pub(super) async fn reached(&mut self) {
        let reached = self.reached.take().expect("it is reached once");
        tokio::time::timeout(Duration::from_secs(20), reached).await.expect("a call comes there").unwrap();
    }

    /// Lets it go on.
    pub(super) fn open(self) {
        let _gone = self.open.send(());
    }
}

impl Gates {
    /// Holds up the next call that comes to a step.
    pub(super) fn hold(&self, step: Step) -> Gate {
        let ((told, reached), (open, opened)) = (oneshot::channel(), oneshot::channel());
        self.0.lock().unwrap().held.push((step, told, opened));
        Gate { reached: Some(reached), open }
    }

    /// Whether a call was at a step since this was last asked.
    pub(super) fn have_seen(&self, step: Step) -> bool {
        std::mem::take(&mut self.0.lock().unwrap().passed).contains(&step)
    }

    /// Returns how many calls were at a step since this was last asked for any.
    pub(super) fn count(&self, step: Step) -> usize {
        std::mem::take(&mut self.0.lock().unwrap().passed).iter().filter(|passed| **passed == step).count()
    }

    /// Has the store be out of reach, and say so.
    pub(super) fn lose(&self) {
        self.0.lock().unwrap().is_down = true;
    }

    /// Has the keys be out of reach whose names hold a word.
    pub(super) fn lose_part(&self, word: &'static str) {
        self.0.lock().unwrap().lost = Some(word);
    }

    /// Has all of it be in reach again, and say so.
    pub(super) fn find(&self) {
        let listener = {
            let mut state = self.0.lock().unwrap();
            state.is_down = false;
            state.lost = None;
            state.listener.clone()
        };
        listener.expect("it was started").up();
    }

    fn reach(&self, key: &str) -> bool {
        let state = self.0.lock().unwrap();
        !state.is_down && !state.lost.is_some_and(|lost| key.contains(lost))
    }

    async fn pass(&self, step: Step) -> Result<(), StoreError> {
        let held = {
            let mut state = self.0.lock().unwrap();
            state.passed.push(step);
            let found = state.held.iter().position(|(held, ..)| *held == step);
            found.map(|index| state.held.remove(index))
        };
        let Some((_, told, opened)) = held else { return Ok(()) };
        let _gone = told.send(());
        opened.await.map_err(|_| StoreError::new(StoreErrorKind::Unknown, "the gate was closed"))
    }
}

/// A store with gates.
#[derive(Debug)]
pub(super) struct Gated {
    store: Box<dyn Store>,
    gates: Gates,
}

impl Gated {
    pub(super) fn new(store: Box<dyn Store>, gates: &Gates) -> Self {
        Self { store, gates: gates.clone() }
    }

    fn through<'a, T: Send + 'a>(&'a self, name: &'static str, doing: Doing<'a, T>) -> Doing<'a, T> {
        Box::pin(async move {
            self.gates.pass(Step::Before(name)).await?;
            if self.gates.0.lock().unwrap().is_down {
                return Err(StoreError::new(StoreErrorKind::Down, "the test has it out of reach"));
            }
            let done = doing.await?;
            self.gates.pass(Step::After(name)).await?;
            Ok(done)
        })
    }
}

impl Store for Gated {
    fn start(&self, listener: Arc<dyn Listener>) {
        self.gates.0.lock().unwrap().listener = Some(listener.clone());
        self.store.start(listener);
    }

    fn is_up(&self) -> bool {
        !self.gates.0.lock().unwrap().is_down && self.store.is_up()
    }

    fn is_whole(&self) -> bool {
        self.store.is_whole()
    }

    fn reaches(&self, key: &str) -> bool {
        self.gates.reach(key) && self.store.reaches(key)
    }

    fn has_notices(&self) -> bool {
        self.store.has_notices()
    }

    fn staleness(&self) -> Duration {
        self.store.staleness()
    }

    fn read<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Read> {
        self.through("read", self.store.read(key, groups))
    }

    fn clocks<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Vec<Option<Reading>>> {
        self.through("clocks", self.store.clocks(key, groups))
    }

    fn lease<'a>(&'a self, ask: Ask<'a>) -> Doing<'a, Lease> {
        self.through("lease", self.store.lease(ask))
    }

    fn begin<'a>(&'a self, key: &'a str, groups: &'a [Group], life: Option<Duration>) -> Doing<'a, Reading> {
        self.through("begin", self.store.begin(key, groups, life))
    }

    fn mint<'a>(
        &'a self,
        key: &'a str,
        groups: &'a [Group],
        since: Reading,
        life: Option<Duration>,
    ) -> Doing<'a, Option<Reading>> {
        self.through("mint", self.store.mint(key, groups, since, life))
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        stored: Notice,
    ) -> Doing<'a, bool> {
        self.through("put", self.store.put(key, token, value, life, stored))
    }

    fn renew<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, bool> {
        self.store.renew(key, token, span)
    }

    fn release<'a>(&'a self, key: &'a str, token: u64) -> Doing<'a, ()> {
        self.through("release", self.store.release(key, token))
    }

    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>, life: Option<Duration>, written: Notice) -> Doing<'a, ()> {
        self.through("write", self.store.write(key, value, life, written))
    }

    fn takes_updates(&self, key: &str) -> bool {
        self.store.takes_updates(key)
    }

    fn announce<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, ()> {
        self.through("announce", self.store.announce(key, token, span))
    }

    fn settle<'a>(&'a self, key: &'a str, update: &'a Settling) -> Doing<'a, Option<Reading>> {
        self.through("settle", self.store.settle(key, update))
    }

    fn write_announced<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        written: Notice,
    ) -> Doing<'a, bool> {
        self.through("write_announced", self.store.write_announced(key, token, value, life, written))
    }

    fn remove_same<'a>(&'a self, key: &'a str, value: &'a [u8]) -> Doing<'a, ()> {
        self.through("remove_same", self.store.remove_same(key, value))
    }

    fn replace_same<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        next: Vec<u8>,
        life: Duration,
        written: Notice,
    ) -> Doing<'a, bool> {
        self.through("replace_same", self.store.replace_same(key, value, next, life, written))
    }

    fn invalidate<'a>(&'a self, what: &'a Invalidation) -> Doing<'a, Vec<Box<str>>> {
        let is_whole = what.keys.iter().all(|key| self.gates.reach(key));
        if is_whole {
            return self.through("invalidate", self.store.invalidate(what));
        }
        // As a cluster does: each key goes where it is, and the others are returned.
        let (for_groups, for_keys) = what.notices.split_at(usize::from(!what.groups.is_empty()));
        let (mut rest, mut left) = (Invalidation::default(), Vec::new());
        (rest.groups, rest.notices) = (what.groups.clone(), for_groups.to_vec());
        for (key, notice) in what.keys.iter().zip(for_keys) {
            if self.gates.reach(key) {
                rest.keys.push(key.clone());
                rest.notices.push(notice.clone());
            } else {
                left.push(key.clone());
            }
        }
        Box::pin(async move {
            left.extend(self.through("invalidate", self.store.invalidate(&rest)).await?);
            Ok(left)
        })
    }

    fn remove_all<'a>(&'a self, is_meant: &'a (dyn Fn(&str) -> bool + Send + Sync)) -> Doing<'a, bool> {
        self.through("remove_all", self.store.remove_all(is_meant))
    }

    fn publish<'a>(&'a self, notice: Notice) -> Doing<'a, ()> {
        self.through("publish", self.store.publish(notice))
    }
}
