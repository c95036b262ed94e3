//! Where loads in the background run, and how a blocking caller waits: the one file that spawns.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// Runs `task` on the caller's runtime, whose drivers it may need, or else on ours.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    Handle::try_current().unwrap_or_else(|_| own().clone()).spawn(task);
}

/// Runs `task` on our own runtime, whatever becomes of the caller's.
pub(crate) fn spawn_own(task: impl Future<Output = ()> + Send + 'static) {
    own().spawn(task);
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

/// Blocks the running thread until `future` ends.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    // Most need no waiting: the signal is made for those that do.
    if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return output;
    }
    // A signal of its own, and not `park`: a parking loader must not lose its own wake-ups to us.
    let signal = Arc::new(Signal::default());
    let waker = Waker::from(signal.clone());
    let mut cx = Context::from_waker(&waker);
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
        let runtime = Builder::new_current_thread()
            .enable_time()
            .thread_name("cachex-blocking")
            .build()
            .expect("a runtime with a timer only needs no resource that can be missing");
        let handle = runtime.handle().clone();
        thread::Builder::new()
            .name("cachex".to_owned())
            .spawn(move || runtime.block_on(std::future::pending::<()>()))
            .expect("the operating system starts one thread");
        handle
    })
}
