//! Where loads in the background run, and how a blocking caller waits: the one file that spawns.
//!
//! Reading order: this file, `callers` (the runtime of those who call), `together` (how one task waits for many things).

#[cfg(feature = "redis")]
mod callers;
#[cfg(feature = "remote")]
mod together;

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

#[cfg(feature = "redis")]
pub(crate) use callers::{Callers, Unfinished};
#[cfg(feature = "remote")]
pub(crate) use together::together;

/// Runs `task` on the caller's runtime, whose drivers it may need, or else on ours.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    Handle::try_current().unwrap_or_else(|_| own().clone()).spawn(task);
}

/// Runs `task` on our own runtime, whatever becomes of the caller's.
pub(crate) fn spawn_own(task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    own().spawn(task).abort_handle()
}

/// Lets a future use the timers of our own runtime, and what it spawns run there, wherever it is polled.
#[cfg(feature = "remote")]
pub(crate) fn with_own_timers<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let mut future = Box::pin(future);
    std::future::poll_fn(move |cx| {
        let _entered = own().enter();
        future.as_mut().poll(cx)
    })
}

/// Waits for a future for so long in real time; works under every executor.
#[cfg(feature = "remote")]
pub(crate) async fn within<F: Future>(span: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut end = pin!(with_own_timers(async move { pause(span).await }));
    std::future::poll_fn(move |cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => end.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Sleeps for real time in a task of ours.
#[cfg(feature = "remote")]
#[expect(clippy::disallowed_methods, reason = "the other side of a connection lives in real time")]
pub(crate) async fn pause(span: Duration) {
    tokio::time::sleep(span).await;
}

/// Runs blocking code on a thread of ours. A panic of the code is a panic of the future.
pub(crate) async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match own().spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Sleeps for real time; works under every executor.
pub(crate) async fn sleep(span: Duration) {
    let (mut sender, receiver) = oneshot::channel::<()>();
    own().spawn(async move {
        // Ends with the time, or when the receiver is gone: nobody waits any longer.
        let _ended = tokio::time::timeout(span, sender.closed()).await;
    });
    let _ended = receiver.await;
}

/// Whether this is our own thread: what blocks it waits for itself.
#[cfg(feature = "remote")]
pub(crate) fn is_own_thread() -> bool {
    IS_OWN.get()
}

/// As [`block_on`]; nothing on our own thread, which drives what is waited for.
#[cfg(feature = "remote")]
pub(crate) fn block_elsewhere<F: Future>(future: F) -> Option<F::Output> {
    (!is_own_thread()).then(|| block_on(future))
}

thread_local! {
    static IS_OWN: Cell<bool> = const { Cell::new(false) };
    static IS_BLOCKED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a blocking call of ours waits on this thread: then no task is polled here before it ends.
#[cfg(feature = "redis")]
fn is_blocked() -> bool {
    IS_BLOCKED.get()
}

/// Notes that this thread is blocked, until it is dropped.
struct Blocked {
    was_blocked: bool,
}

impl Blocked {
    fn begin() -> Self {
        Self { was_blocked: IS_BLOCKED.replace(true) }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        IS_BLOCKED.set(self.was_blocked);
    }
}

/// Blocks the running thread until `future` ends.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let _blocked = Blocked::begin();
    let mut future = pin!(future);
    // Most need no waiting: the signal is made for those that do.
    if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return output;
    }
    // A signal of its own, and not `park`: a parking loader must not lose its own wake-ups to us.
    let signal = Arc::new(Signal::default());
    let waker = Waker::from(signal.clone());
    let mut cx = Context::from_waker(&waker);
    // A task that blocks never gives up its turn, and so its share of polls would never be renewed: once used up, all that it waits for
    // would seem not to come.
    let future = tokio::task::unconstrained(future.as_mut());
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        signal.wait();
    }
}

#[derive(Default)]
struct Signal {
    is_woken: Mutex<bool>,
    woken: Condvar,
}

impl Signal {
    fn wait(&self) {
        let guard = self.is_woken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut guard = self.woken.wait_while(guard, |woken| !*woken).unwrap_or_else(PoisonError::into_inner);
        *guard = false;
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        *self.is_woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.woken.notify_one();
    }
}

/// Our runtime: one thread, started when it is first needed.
fn own() -> &'static Handle {
    static OWN: OnceLock<Handle> = OnceLock::new();
    OWN.get_or_init(|| {
        let mut builder = Builder::new_current_thread();
        builder.enable_time().thread_name("cachex-blocking");
        #[cfg(feature = "remote")]
        builder.enable_io();
        let runtime = builder.build().expect("the operating system gives a few file descriptors at most");
        let handle = runtime.handle().clone();
        thread::Builder::new()
            .name("cachex".to_owned())
            .spawn(move || {
                IS_OWN.set(true);
                runtime.block_on(std::future::pending::<()>());
            })
            .expect("the operating system starts one thread");
        handle
    })
}
