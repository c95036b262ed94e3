//! Locks: a key belongs to one holder among all processes, for a while.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::AbortHandle;

use super::held::{Held, keep_renewing};
use super::unexpected;
use crate::engine::cache::Cache;
use crate::engine::manual::Blocking;
use crate::error::Error;
use crate::key::Key;
use crate::runtime;
use crate::structure::Answer;

/// The lock of a key, as its holder has it; dropped, it is given back in the background.
///
/// # What it promises
///
/// Of all who share the second tier (without one: the cache), one at most is given the lock at a time, until it gives it back or its TTL is over. Each is given
/// a *fencing token* above those of all before, also if theirs expired.
///
/// # What it can't promise
///
/// A lock that ends by itself can't stop its holder. A process may pause (it is stopped, it swaps, its machine is moved) between looking at
/// [`is_held`](Self::is_held) and doing what the lock is for; meanwhile the TTL ends, and another one holds the lock. Redis copies to its replicas
/// after it has answered: one that takes its master's place may not know a lock, and gives it to another one as well; and so may a server that was
/// started again without its data, or that evicts keys for room. These are limits of the kind of lock, not of a setting. So
///
/// - use it alone where two holders at once cost work and nothing else;
/// - where they would do harm, give [the token](Self::fencing_token) along with each write, and have the resource itself refuse a token
///   below the highest it has seen. Then who was late is refused, whatever it believes.
///
/// Tokens are readings of the time of day of whoever keeps the lock, and the next number where that stands still or goes back: so they also grow where the
/// lock was lost with all it remembers, as long as clocks of servers that take each other's place do not
/// differ by more than that takes. Ten minutes after the end of a lock its last token is forgotten, and a clock must not be set back by more after that. For so long each key that was locked takes room where it is
/// kept, a few dozen bytes in Redis and a file in a directory; in memory none does.
///
/// # Examples
///
/// A resource that checks tokens:
///
/// ```
/// use std::time::Duration;
/// use cachex::{Cache, Key};
///
/// #[derive(Default)]
/// struct Account {
///     highest: u64,
///     balance: i64,
/// }
///
/// impl Account {
///     fn write(&mut self, token: u64, balance: i64) -> Result<(), &'static str> {
///         if token < self.highest {
///             return Err("another one holds the lock by now");
///         }
///         (self.highest, self.balance) = (token, balance);
///         Ok(())
///     }
/// }
///
/// let cache = Cache::builder().build()?;
/// let (key, ttl) = (Key::entity("account", &7), Duration::from_millis(1));
/// let mut account = Account::default();
///
/// let first = cache.blocking().try_lock(&key, ttl)?.expect("nobody has it");
/// // It took longer than it thought, and another one has the lock.
/// let second = loop {
///     if let Some(second) = cache.blocking().try_lock(&key, ttl)? {
///         break second;
///     }
/// };
/// assert_eq!(account.write(second.fencing_token(), 50), Ok(()));
/// assert!(account.write(first.fencing_token(), 100).is_err());
/// assert_eq!(account.balance, 50);
/// # Ok::<(), cachex::Error>(())
/// ```
pub struct LockGuard {
    held: Arc<Held>,
    token: u64,
    keeper: Option<AbortHandle>,
    /// Whether it may be held, so that it is to be given back.
    is_armed: bool,
}

impl Cache {
    /// Takes the lock of a key for `ttl`, if nobody has it; nothing if another one has. A TTL is a millisecond at least, and a year at most. Locks have nothing to do with what is cached or counted under the
    /// key. See [`LockGuard`] for what a lock can't do.
    ///
    /// With a second tier the lock is there, and one for all processes of the namespace; `clear` does not touch it.
    ///
    /// # Errors
    ///
    /// The second tier [can't be reached](Error::is_unavailable) or [did not answer](Error::is_uncertain). If it gives the lock after all it is given back, or
    /// ends with its TTL.
    ///
    /// # Cancellation
    ///
    /// A lock that was given meanwhile is given back in the background.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use std::time::Duration;
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let (key, ttl) = (Key::new("nightly report"), Duration::from_secs(60));
    /// let first = cache.try_lock(&key, ttl).await?.expect("nobody has it");
    /// assert!(cache.try_lock(&key, ttl).await?.is_none());
    /// assert!(first.release().await?);
    /// assert!(cache.try_lock(&key, ttl).await?.is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_lock(&self, key: &Key, ttl: Duration) -> Result<Option<LockGuard>, Error> {
        // Armed from here on: what is given while nobody waits for it any more is given back.
        let held = Arc::new(Held::new(self.engine(), key, ttl));
        let mut guard = LockGuard { held, token: 0, keeper: None, is_armed: true };
        match guard.held.ask().await {
            Ok(Answer::Token(token)) => {
                guard.token = token;
                Ok(Some(guard))
            }
            Ok(Answer::Missing) => {
                guard.is_armed = false;
                Ok(None)
            }
            Ok(_) => Err(unexpected()),
            Err(error) => {
                guard.is_armed = error.is_uncertain();
                Err(error)
            }
        }
    }
}

impl Blocking<'_> {
    /// As [`Cache::try_lock`].
    ///
    /// # Errors
    ///
    /// As of [`Cache::try_lock`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let (key, ttl) = (Key::new("nightly report"), Duration::from_secs(60));
    /// let guard = cache.blocking().try_lock(&key, ttl)?.expect("nobody has it");
    /// assert!(cache.blocking().try_lock(&key, ttl)?.is_none());
    /// drop(guard);
    /// assert!(cache.blocking().try_lock(&key, ttl)?.is_some());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn try_lock(&self, key: &Key, ttl: Duration) -> Result<Option<LockGuard>, Error> {
        self.engine().block_on(self.cache().try_lock(key, ttl))
    }
}

impl LockGuard {
    /// Returns a number above those of all who held the lock before.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let (key, ttl) = (Key::new("report"), Duration::from_secs(60));
    /// let lock = || cache.blocking().try_lock(&key, ttl).map(|guard| guard.expect("nobody has it"));
    /// let first = lock()?.fencing_token();
    /// assert!(lock()?.fencing_token() > first);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn fencing_token(&self) -> u64 {
        self.token
    }

    /// Returns whether the TTL is not over yet, as seen from here, without asking: counted from before the lock was asked for, or last renewed, and a
    /// little less. Time in which the whole machine sleeps may not count. What is done after it was looked at may be late all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::time::ManualClock;
    /// use cachex::{Cache, Key};
    ///
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// let guard = cache.blocking().try_lock(&Key::new("report"), Duration::from_secs(60))?.expect("nobody has it");
    /// assert!(guard.is_held());
    /// clock.advance(Duration::from_secs(60));
    /// assert!(!guard.is_held());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held.is_held()
    }

    /// Puts off the end of the lock to `ttl` from now, if it is still held; it is never put earlier. Returns whether it was.
    ///
    /// # Errors
    ///
    /// The second tier [can't be reached](Error::is_unavailable) or [did not answer](Error::is_uncertain); the lock ends as before, or later.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use std::time::Duration;
    /// use cachex::time::ManualClock;
    /// use cachex::{Cache, Key};
    ///
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// let minute = Duration::from_secs(60);
    /// let guard = cache.try_lock(&Key::new("report"), minute).await?.expect("nobody has it");
    /// clock.advance(minute / 2);
    /// assert!(guard.renew(minute).await?);
    /// clock.advance(minute);
    /// assert!(!guard.renew(minute).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn renew(&self, ttl: Duration) -> Result<bool, Error> {
        self.held.renew(ttl).await
    }

    /// As [`renew`](Self::renew), on the caller's thread.
    ///
    /// # Errors
    ///
    /// As of [`renew`](Self::renew).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let minute = Duration::from_secs(60);
    /// let guard = cache.blocking().try_lock(&Key::new("report"), minute)?.expect("nobody has it");
    /// assert!(guard.blocking_renew(minute)?);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn blocking_renew(&self, ttl: Duration) -> Result<bool, Error> {
        self.held.engine.block_on(self.held.renew(ttl))
    }

    /// Renews the lock in the background from now on, three times in each TTL, until the guard is released or dropped, or the lock is lost.
    ///
    /// The process alone keeps it then: work that hangs holds the lock as long as the process lives.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let mut guard = cache.blocking().try_lock(&Key::new("report"), Duration::from_secs(60))?.expect("nobody has it");
    /// guard.keep_alive();
    /// assert!(guard.is_held());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn keep_alive(&mut self) {
        if self.keeper.is_none() {
            self.keeper = Some(runtime::spawn_own(keep_renewing(Arc::downgrade(&self.held))));
        }
    }

    /// Gives the lock back. Returns whether it was still held: if not, another one may have had it meanwhile.
    ///
    /// # Errors
    ///
    /// The second tier [can't be reached](Error::is_unavailable) or [did not answer](Error::is_uncertain); the lock ends with its TTL at the latest.
    ///
    /// # Cancellation
    ///
    /// The lock is given back in the background.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use std::time::Duration;
    /// use cachex::time::ManualClock;
    /// use cachex::{Cache, Key};
    ///
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// let (key, minute) = (Key::new("report"), Duration::from_secs(60));
    /// assert!(cache.try_lock(&key, minute).await?.expect("nobody has it").release().await?);
    /// let late = cache.try_lock(&key, minute).await?.expect("nobody has it");
    /// clock.advance(minute);
    /// assert!(!late.release().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn release(mut self) -> Result<bool, Error> {
        self.stop_renewing();
        let released = self.held.release().await;
        // Dropped here after an error, it is tried again in the background.
        self.is_armed = released.is_err();
        released
    }

    /// As [`release`](Self::release), on the caller's thread.
    ///
    /// # Errors
    ///
    /// As of [`release`](Self::release).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let guard = cache.blocking().try_lock(&Key::new("report"), Duration::from_secs(60))?.expect("nobody has it");
    /// assert!(guard.blocking_release()?);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn blocking_release(self) -> Result<bool, Error> {
        let engine = self.held.engine.clone();
        engine.block_on(self.release())
    }

    fn stop_renewing(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            keeper.abort();
        }
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        self.stop_renewing();
        if self.is_armed {
            self.held.clone().give_back(self.token != 0);
        }
    }
}

impl fmt::Debug for LockGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard").field("key", &self.held.key).field("token", &self.token).finish_non_exhaustive()
    }
}
