//! The runtime of those who call, beside our own: what is theirs may run there, as long as it is driven.

use std::fmt;
use std::future::Future;

use tokio::runtime::{Handle, Id};
use tokio::task::AbortHandle;

/// A runtime that callers are known to be on. It may end, or stand still, at any time.
#[derive(Clone)]
pub(crate) struct Callers {
    handle: Handle,
    id: Id,
}

/// Why something did not run there to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfinished {
    /// The runtime has ended.
    Ended,
    /// It panicked: there is no driver of what it needs.
    Panicked,
}

impl Callers {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { id: handle.id(), handle }
    }

    /// Whether a task of that runtime runs on this thread, and gives it back when it has to wait. A blocking caller does not: what it waits for may be
    /// next on its own thread.
    pub(crate) fn are_here(&self) -> bool {
        // Break this (drop the condition) and a blocking call on the only worker waits for itself.
        !super::is_blocked() && Handle::try_current().is_ok_and(|current| current.id() == self.id)
    }

    /// Runs a task there, as long as the runtime does.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(task);
    }

    /// Runs a future there, until it ends or nobody waits for it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Unfinished> {
        let task = self.handle.spawn(work);
        let _aborted = Aborted(task.abort_handle());
        task.await.map_err(|error| if error.is_panic() { Unfinished::Panicked } else { Unfinished::Ended })
    }
}

impl fmt::Debug for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Callers").field(&self.id).finish()
    }
}

/// Ends a task that nobody waits for any more.
struct Aborted(AbortHandle);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::runtime::block_on;

    #[test]
    fn a_blocking_caller_is_not_taken_for_one_who_gives_its_thread_back() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let callers = Callers::new(runtime.handle().clone());
        let asked = callers.clone();
        let are_here = move || {
            let before = asked.are_here();
            // Also at the first poll, and in what one blocking call does in another.
            let within =
                block_on(async { asked.are_here() || block_on(async { asked.are_here() }) || asked.are_here() });
            (before, within, asked.are_here())
        };
        assert_eq!(are_here(), (false, false, false));
        assert_eq!(other.block_on(async { are_here() }), (false, false, false));
        assert_eq!(
            runtime.block_on(async { tokio::spawn(async move { are_here() }).await.unwrap() }),
            (true, false, true)
        );
        let panicked = std::panic::catch_unwind(|| block_on(async { panic!("as a loader may") }));
        assert!(panicked.is_err());
        assert!(runtime.block_on(async { callers.are_here() }));
    }

    #[test]
    fn what_runs_elsewhere_ends_with_its_runtime_or_with_who_waits() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let callers = Callers::new(runtime.handle().clone());
        assert_eq!(block_on(callers.run(async { 1 })), Ok(1));
        assert_eq!(block_on(callers.run::<()>(async { panic!("no driver") })), Err(Unfinished::Panicked));
        // Ended by who no longer waits: its sender is dropped.
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let never = async move {
            std::future::pending::<()>().await;
            drop(sender);
        };
        assert_eq!(block_on(super::super::within(Duration::from_millis(20), callers.run(never))), None);
        assert!(block_on(receiver).is_err());
        let under_way = callers.clone();
        let waiting = std::thread::spawn(move || block_on(under_way.run(std::future::pending::<()>())));
        while runtime.metrics().num_alive_tasks() == 0 {
            std::thread::yield_now();
        }
        runtime.shutdown_background();
        assert_eq!(waiting.join().unwrap(), Err(Unfinished::Ended));
        assert_eq!(block_on(callers.run(async { 1 })), Err(Unfinished::Ended));
    }
}
