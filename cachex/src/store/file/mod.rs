//! A directory as a store, which processes of one machine share.
//!
//! Reading order: this file (the store), [`directory`] (its lock, and files that are replaced as a whole), [`record`] (what is in a file), [`clock`] (the clocks), [`keys`] (values, leases, notes of updates),
//! [`journal`] (notices), [`structures`] (what is not a copy of something), [`watch`] (what goes on in the background), [`commands`] (the contract).
//!
//! Whatever has to be one step is done under the lock of the directory, on a thread for what blocks. Who only reads takes no lock: it reads the value
//! and then the clocks, and what is invalidated in between is a miss. An invalidation
//! first steps the clock, then raises the groups, then removes values, then tells the others: whoever is told finds nothing from before.
//! A process that is killed on the way leaves files that are whole and an invalidation that has not returned.
//!
//! Notices are looked for every `poll_interval`. If that fails, or takes longer than `timeout`, what is in memory counts as stale: so another process is stale for
//! `poll_interval` and twice `timeout` at worst, and usually for half of `poll_interval`.

mod clock;
mod commands;
pub(crate) mod directory;
mod journal;
mod keys;
pub(crate) mod record;
mod structures;
mod watch;

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use super::{Listener, StoreError, StoreErrorKind};
use crate::runtime;
use crate::time::stopwatch::Stopwatch;
use crate::time::{Clock, SystemClock};
use directory::{Directory, Locked, Modes};

/// The folders of what can expire.
const KINDS: [&str; 5] = ["values", "leases", keys::UPDATES, "groups", structures::STRUCTURES];
/// Threads that may be at work for a store at once. More would take them from blocking loads.
const MOST_AT_ONCE: usize = 32;

/// Where a directory is, and how it is used.
#[derive(Clone, Copy)]
pub(crate) struct Options<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) prefix: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) directory_mode: u32,
    pub(crate) file_mode: u32,
    pub(crate) timeout: Duration,
    pub(crate) sweep_interval: Duration,
    pub(crate) poll_interval: Duration,
}

/// A directory as a store.
pub(crate) struct File {
    shared: Arc<Shared>,
    tasks: OnceLock<[AbortHandle; 2]>,
}

/// What calls and the background share.
struct Shared {
    directory: Directory,
    is_up: AtomicBool,
    threads: Arc<Semaphore>,
    timeout: Duration,
    sweep_interval: Duration,
    poll_interval: Duration,
}

impl File {
    /// Makes a store that looks for its directory once it is started.
    pub(crate) fn new(options: &Options<'_>) -> Self {
        let Options { timeout, sweep_interval, poll_interval, .. } = *options;
        // What is not safe as a name is written otherwise; no two namespaces have one name.
        let is_safe = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let namespace: String = options
            .namespace
            .bytes()
            .map(|byte| match byte {
                byte if is_safe(&byte) => char::from(byte).to_string(),
                byte => format!("%{byte:02x}"),
            })
            .collect();
        let root = options.directory.join(options.prefix).join(namespace);
        let modes = Modes { directory: options.directory_mode, file: options.file_mode };
        let shared = Shared {
            // The other half of the time is for what is done under the lock.
            directory: Directory::new(root, modes, timeout / 2),
            is_up: AtomicBool::new(false),
            threads: Arc::new(Semaphore::new(MOST_AT_ONCE)),
            timeout,
            sweep_interval,
            poll_interval,
        };
        Self { shared: Arc::new(shared), tasks: OnceLock::new() }
    }

    fn begin_to_work(&self, listener: Arc<dyn Listener>) {
        self.tasks.get_or_init(|| {
            [
                runtime::spawn_own(watch::keep_looking(self.shared.clone(), listener)),
                runtime::spawn_own(watch::keep_sweeping(self.shared.clone())),
            ]
        });
    }

    /// Does something on a thread, and waits for it no longer than the timeout.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Directory, Stopwatch) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (since, shared) = (Stopwatch::start(), self.shared.clone());
        let done = async move {
            // It is never closed: then there would be no permit, and no harm.
            let permit = shared.threads.clone().acquire_owned().await;
            let work = move || {
                let _permit = permit;
                work(&shared.directory, since)
            };
            runtime::on_thread(work).await
        };
        match runtime::within(self.shared.timeout, done).await {
            Some(done) => done.map_err(|error| failed(&error)),
            None => Err(failed(&ErrorKind::TimedOut.into())),
        }
    }

    /// As [`on_disk`](Self::on_disk), under the lock.
    async fn locked<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Locked<'_>) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.on_disk(|directory, since| work(&directory.lock(since)?)).await
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.tasks.get().into_iter().flatten().for_each(AbortHandle::abort);
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("directory", &self.shared.directory).finish_non_exhaustive()
    }
}

/// Says what went wrong, without a path.
fn failed(error: &io::Error) -> StoreError {
    let kind = match error.kind() {
        ErrorKind::StorageFull
        | ErrorKind::InvalidData
        | ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::QuotaExceeded => StoreErrorKind::Refused,
        _ => StoreErrorKind::Unknown,
    };
    StoreError::new(kind, format!("the directory of `file.directory` failed: {}", error.kind()))
}

/// Returns the time of day, in ms since 1970.
fn now_ms() -> u64 {
    millis(SystemClock.unix_time())
}

/// Returns when something ends that lives for so long from now on.
fn life_after(life: Option<Duration>) -> Option<u64> {
    life.map(|life| now_ms().saturating_add(millis(life).max(1)))
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
