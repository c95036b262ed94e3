//! A source of truth whose reads can be held up and made to fail, with cached methods over it: what the tests of races and of
//! time share. And [`Stepped`], a call that a test moves on by hand.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use cachex::{Cache, CacheScope, Error, cached, updates};
use tokio::sync::oneshot;

/// What goes wrong when the source is read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Failure {
    Down,
    Slow,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        assert!(error.is_timeout(), "{error}");
        Self::Slow
    }
}

/// How a read that was held up goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    Value,
    Failure,
    Panic,
}

/// Where a read waits, having seen the source.
#[derive(Debug)]
pub(crate) struct Gate {
    open: oneshot::Sender<Outcome>,
    begun: oneshot::Receiver<()>,
}

impl Gate {
    /// Waits until a read is there.
    pub(crate) async fn begun(&mut self) {
        (&mut self.begun).await.unwrap();
    }

    /// Waits until a read is there, on a thread.
    pub(crate) fn begun_blocking(self) -> Self {
        let Self { open, begun } = self;
        begun.blocking_recv().unwrap();
        let (_, begun) = oneshot::channel();
        Self { open, begun }
    }

    pub(crate) fn open(self, outcome: Outcome) {
        self.open.send(outcome).unwrap();
    }

    /// Whether the read that waits here was given up.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.open.is_closed()
    }
}

struct Stop {
    opened: oneshot::Receiver<Outcome>,
    begun: oneshot::Sender<()>,
}

#[derive(Default)]
struct Inner {
    value: AtomicU64,
    loads: AtomicUsize,
    stops: Mutex<VecDeque<Stop>>,
}

/// A number that is read slowly, and the cached methods that read it.
#[derive(Clone, CacheScope)]
pub(crate) struct Source {
    #[scope(cache)]
    pub(crate) cache: Cache,
    inner: Arc<Inner>,
}

/// The tag of an entry that holds `value`.
pub(crate) fn derived(value: &u64) -> [String; 1] {
    [format!("version:{value}")]
}

impl Source {
    /// Makes a source that holds 1.
    pub(crate) fn new(cache: Cache) -> Self {
        let source = Self { cache, inner: Arc::default() };
        source.write(1);
        source
    }

    pub(crate) fn write(&self, value: u64) {
        self.inner.value.store(value, Ordering::SeqCst);
    }

    /// Returns how many reads have begun.
    pub(crate) fn loads(&self) -> usize {
        self.inner.loads.load(Ordering::SeqCst)
    }

    /// Holds up the next read that nobody holds up yet.
    pub(crate) fn hold(&self) -> Gate {
        let (open, opened) = oneshot::channel();
        let (begin, begun) = oneshot::channel();
        self.inner.stops.lock().unwrap().push_back(Stop { opened, begun: begin });
        Gate { open, begun }
    }

    /// Reads the source as it is now; answers when the gate, if there is one, opens.
    pub(crate) async fn read(&self) -> Result<u64, Failure> {
        let (seen, stop) = self.begin();
        let Some(stop) = stop else { return Ok(seen) };
        let _told = stop.begun.send(());
        end(seen, stop.opened.await)
    }

    pub(crate) fn read_blocking(&self) -> Result<u64, Failure> {
        let (seen, stop) = self.begin();
        let Some(stop) = stop else { return Ok(seen) };
        let _told = stop.begun.send(());
        end(seen, stop.opened.blocking_recv())
    }

    fn begin(&self) -> (u64, Option<Stop>) {
        self.inner.loads.fetch_add(1, Ordering::SeqCst);
        let stop = self.inner.stops.lock().unwrap().pop_front();
        (self.inner.value.load(Ordering::SeqCst), stop)
    }

    /// Lives in its call.
    #[cached(name = "source.find", tags = ["all", "item:{id}"], tags_with = derived)]
    pub(crate) async fn find(&self, id: u64) -> Result<u64, Failure> {
        let _ = id;
        self.read().await
    }

    /// As [`find`](Self::find), for callers that block.
    #[cached(name = "source.look", tags = ["all", "item:{id}"], tags_with = derived)]
    pub(crate) fn look(&self, id: u64) -> Result<u64, Failure> {
        let _ = id;
        self.read_blocking()
    }

    /// Is refreshed in the background.
    #[cached(name = "source.watch", soft_ttl = "10s", ttl = "1m", tags = ["all", "item:{id}"], tags_with = derived)]
    pub(crate) async fn watch(&self, id: u64) -> Result<u64, Failure> {
        let _ = id;
        self.read().await
    }

    /// Has every bound of time.
    #[cached(name = "source.bounded", ttl = "1m", grace = "1h", soft_timeout = "1s", timeout = "5s", tags = ["all"])]
    pub(crate) async fn bounded(&self, id: u64) -> Result<u64, Failure> {
        let _ = id;
        self.read().await
    }

    /// Writes the source, slowly if it is held up, and makes what was written the entry of [`find`](Self::find).
    #[updates(Self::find(id))]
    pub(crate) async fn put(&self, id: u64, value: u64) -> Result<u64, Failure> {
        let _ = id;
        self.write(value);
        self.read().await.map(|_| value)
    }
}

fn end<E>(seen: u64, outcome: Result<Outcome, E>) -> Result<u64, Failure> {
    match outcome {
        Ok(Outcome::Value) | Err(_) => Ok(seen),
        Ok(Outcome::Failure) => Err(Failure::Down),
        Ok(Outcome::Panic) => panic!("the source fell over"),
    }
}

/// A call that moves on only when it is told to, and only if it was woken: as an executor would poll it.
pub(crate) struct Stepped<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl<'a, T> Stepped<'a, T> {
    pub(crate) fn new(future: impl Future<Output = T> + 'a) -> Self {
        Self { future: Box::pin(future), woken: Arc::new(Woken(AtomicBool::new(true))) }
    }

    /// Starts a call that has to wait.
    pub(crate) fn waiting(future: impl Future<Output = T> + 'a) -> Self {
        let mut call = Self::new(future);
        assert!(call.step().is_none(), "the call has to wait");
        call
    }

    /// Polls the call, which must have been woken.
    pub(crate) fn step(&mut self) -> Option<T> {
        assert!(self.woken.0.swap(false, Ordering::SeqCst), "the call was not woken");
        let waker = Waker::from(self.woken.clone());
        match self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    /// Polls the call as long as it is woken.
    pub(crate) fn run(&mut self) -> Option<T> {
        while self.is_woken() {
            let output = self.step();
            if output.is_some() {
                return output;
            }
        }
        None
    }

    /// Runs the call to its end, which must not depend on anybody else.
    pub(crate) fn end(mut self) -> T {
        self.run().expect("the call was woken, and its end depends on nobody")
    }

    pub(crate) fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::SeqCst)
    }
}

/// Lets other tasks run until nobody loads or waits.
pub(crate) async fn quiet(cache: &Cache) {
    until(|| cache.loads_in_flight() == 0).await;
}

/// Lets other tasks run until `is_so`.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..1_000_000 {
        if is_so() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never came to be");
}

/// Whether a cache forgets all that was invalidated. Readers in other tests may hold that up, but end.
pub(crate) fn all_is_forgotten(cache: &Cache) -> bool {
    (0..1_000).any(|_| {
        cache.reclaim();
        cache.known_tags() == 0
    })
}
