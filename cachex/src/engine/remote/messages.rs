//! The notices of all processes, for users who want them.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::mpsc::{self, Sender};

use super::Remote;
use crate::backplane::notice::{Notice, Subject};
use crate::caught::caught;
use crate::engine::cache::Cache;
use crate::engine::delivery::Delivery;
use crate::key::Key;
use crate::runtime;
use crate::store::Group;
use crate::tag::{Tag, Tags};

/// So many messages wait for a callback; what comes beyond that is left out, and counted.
const MOST_WAITING: usize = 1024;

/// An invalidation, as processes tell each other: what [`Cache::subscribe_invalidations`] hands to its callback.
///
/// # Examples
///
/// ```
/// use cachex::{Cache, InvalidationMessage};
///
/// fn shown(message: &InvalidationMessage) -> String {
///     let tags: Vec<_> = message.tags().collect();
///     format!("{:x}#{}: {}", message.source(), message.id(), tags.join(", "))
/// }
///
/// let cache = Cache::builder().build()?;
/// // Without a second tier there is nobody to hear of.
/// let subscription = cache.subscribe_invalidations(|message| println!("{}", shown(&message)));
/// assert!(!subscription.is_active());
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct InvalidationMessage {
    notice: Arc<Notice>,
    time: Option<Duration>,
    is_own: bool,
    missed: u64,
}

impl InvalidationMessage {
    /// Returns the tags that were invalidated.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use cachex::{Cache, RedisSettings};
    ///
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:6379")).build()?;
    /// let _subscription = cache.subscribe_invalidations(|message| assert!(message.tags().all(|tag| tag.starts_with("user"))));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.groups().iter().filter_map(|group| group.strip_prefix("t:"))
    }

    /// Returns the methods that were invalidated as a whole, by the names that processes know them by.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use cachex::{Cache, RedisSettings};
    ///
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:6379")).build()?;
    /// let _subscription = cache.subscribe_invalidations(|message| assert!(message.methods().all(|name| name.starts_with("shop::"))));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn methods(&self) -> impl Iterator<Item = &str> {
        self.groups().iter().filter_map(|group| group.strip_prefix("m:"))
    }

    /// Whether everything was invalidated.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use cachex::{Cache, RedisSettings};
    ///
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:6379")).build()?;
    /// let _subscription = cache.subscribe_invalidations(|message| assert!(!message.is_everything() || message.key().is_none()));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.groups().iter().any(|group| **group == *Group::all().as_str())
    }

    /// Returns the key that was invalidated, or given another value by hand: the method's name, and the bytes of the arguments.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use cachex::{Cache, RedisSettings};
    ///
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:6379")).build()?;
    /// let _subscription = cache.subscribe_invalidations(|message| assert!(message.key().is_none_or(|(method, _)| method == "shop::Users::find")));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn key(&self) -> Option<(&str, &[u8])> {
        match &self.notice.subject {
            Subject::Key { method, bytes } => Some((method, bytes)),
            _ => None,
        }
    }

    /// Whether it is about this key by name. (What is said of tags, methods, patterns and everything may be about it as well.)
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use cachex::{Cache, RedisSettings};
    ///
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:6379")).build()?;
    /// let _subscription = cache.subscribe_invalidations(|message| assert!(!message.is_of(&cachex::Key::new("a"))));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn is_of(&self, key: &Key) -> bool {
        self.key() == Some((key.region().remote_name(), key.bytes()))
    }

    /// Returns the pattern of which all keys were removed, as [`Cache::remove_matching`] takes it.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use cachex::{Cache, RedisSettings};
    ///
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:6379")).build()?;
    /// let _subscription = cache.subscribe_invalidations(|message| assert!(message.pattern().is_none_or(|pattern| pattern == "*prices*")));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn pattern(&self) -> Option<&str> {
        match &self.notice.subject {
            Subject::Matching(pattern) => Some(pattern),
            _ => None,
        }
    }

    /// Returns the number of the cache that says so, drawn when that was made.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use cachex::{Cache, RedisSettings};
    ///
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:6379")).build()?;
    /// let _subscription = cache.subscribe_invalidations(|message| assert_ne!(message.source(), 0));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn source(&self) -> u64 {
        self.notice.origin
    }

    /// Returns the number of the message, of those of its source.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use cachex::{Cache, RedisSettings};
    ///
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:6379")).build()?;
    /// let _subscription = cache.subscribe_invalidations(|message| assert!(message.id() > 0));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> u64 {
        self.notice.number
    }

    /// Returns the time since 1970 that the store's clock shows for it: of tags, methods and everything, not of a key. A clock that was lost
    /// goes ahead for a minute.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use cachex::{Cache, RedisSettings};
    ///
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:6379")).build()?;
    /// let _subscription = cache.subscribe_invalidations(|message| assert!(message.time().is_none_or(|time| time.as_secs() > 0)));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn time(&self) -> Option<Duration> {
        self.time
    }

    /// Whether this very cache says so.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use cachex::{Cache, RedisSettings};
    ///
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:6379")).build()?;
    /// let _subscription = cache.subscribe_invalidations(|message| assert!(!message.is_own()));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.is_own
    }

    /// Returns how many messages were left out right before it, because the callback was too slow.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use cachex::{Cache, RedisSettings};
    ///
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:6379")).build()?;
    /// let _subscription = cache.subscribe_invalidations(|message| assert_eq!(message.missed(), 0));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    fn groups(&self) -> &[Box<str>] {
        match &self.notice.subject {
            Subject::Groups(groups) => groups,
            _ => &[],
        }
    }
}

/// Calls back as long as it is kept: made by [`Cache::subscribe_invalidations`].
///
/// # Examples
///
/// ```
/// use cachex::Cache;
///
/// let cache = Cache::builder().build()?;
/// let subscription = cache.subscribe_invalidations(|_| {});
/// assert!(!subscription.is_active());
/// # Ok::<(), cachex::Error>(())
/// ```
#[must_use = "dropped, it ends"]
pub struct InvalidationSubscription {
    remote: Weak<Remote>,
    id: u64,
    is_kept: Arc<AtomicBool>,
}

impl InvalidationSubscription {
    /// Whether there is a second tier whose messages come.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    ///
    /// // Its memory is all it has.
    /// let cache = Cache::builder().build()?;
    /// assert!(!cache.subscribe_invalidations(|_| {}).is_active());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.remote.upgrade().is_some_and(|remote| remote.store.has_notices())
    }
}

impl Drop for InvalidationSubscription {
    fn drop(&mut self) {
        if let Some(remote) = self.remote.upgrade() {
            // Its callback is dropped where it is called.
            remote.messages.lock().retain(|subscriber| subscriber.id != self.id);
        }
        self.is_kept.store(false, Ordering::Release);
    }
}

impl fmt::Debug for InvalidationSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvalidationSubscription").field("is_active", &self.is_active()).finish_non_exhaustive()
    }
}

/// Who wants messages.
#[derive(Debug, Default)]
pub(super) struct Messages {
    subscribers: Mutex<Vec<Subscriber>>,
    next: AtomicU64,
}

#[derive(Debug)]
struct Subscriber {
    id: u64,
    queue: Sender<InvalidationMessage>,
    /// Left out since the last one that was not.
    missed: u64,
}

impl Messages {
    fn lock(&self) -> MutexGuard<'_, Vec<Subscriber>> {
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a notice to all who want it. Returns how many of them it was left out for.
    pub(super) fn tell(&self, notice: &Arc<Notice>, clock: u64, is_own: bool) -> u64 {
        if !matches!(notice.subject, Subject::Groups(_) | Subject::Key { .. } | Subject::Matching(_)) {
            return 0;
        }
        let mut left_out = 0;
        for subscriber in self.lock().iter_mut() {
            let time = (clock > 0).then(|| Duration::from_micros(clock));
            let message = InvalidationMessage { notice: notice.clone(), time, is_own, missed: subscriber.missed };
            match subscriber.queue.try_send(message) {
                Ok(()) => subscriber.missed = 0,
                Err(_full) => {
                    subscriber.missed += 1;
                    left_out += 1;
                }
            }
        }
        left_out
    }

    fn subscribe(
        &self,
        is_kept: Arc<AtomicBool>,
        callback: impl Fn(InvalidationMessage) + Send + Sync + 'static,
    ) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (queue, mut messages) = mpsc::channel(MOST_WAITING);
        let callback = Arc::new(callback);
        runtime::spawn_own(async move {
            while let Some(message) = messages.recv().await {
                if !is_kept.load(Ordering::Acquire) {
                    break;
                }
                let callback = callback.clone();
                // Code of users: it may block, which our own thread must not, and it may panic.
                runtime::on_thread(move || {
                    let _panicked = caught(|| callback(message));
                })
                .await;
            }
            // So is what it holds.
            runtime::on_thread(move || {
                let _panicked = caught(|| drop(callback));
            })
            .await;
        });
        self.lock().push(Subscriber { id, queue, missed: 0 });
        id
    }
}

impl Cache {
    /// Calls back for each invalidation that a process tells the others of, as long as what is returned is kept; those of this very cache are
    /// [marked](InvalidationMessage::is_own).
    ///
    /// By then the invalidation has been acted upon here. Messages come one after the other, on a thread for code that blocks; those of one source that
    /// were sent at once may come in another order. A panic of the callback ends with the call. Up to 1024 wait for a slow callback; what comes beyond is
    /// left out, and [told of](InvalidationMessage::missed). While the connection is down, messages are lost, and nobody says which:
    /// memory is emptied for that, see [`RemoteStats::flushes`](crate::RemoteStats::flushes). So this is for what can do without a message, as statistics, or
    /// a hint to others.
    ///
    /// Without a second tier it never calls.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    ///
    /// let cache = Cache::builder().build()?;
    /// let subscription = cache.subscribe_invalidations(|message| {
    ///     for tag in message.tags() {
    ///         println!("{tag} was invalidated");
    ///     }
    /// });
    /// assert!(!subscription.is_active());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn subscribe_invalidations(
        &self,
        callback: impl Fn(InvalidationMessage) + Send + Sync + 'static,
    ) -> InvalidationSubscription {
        let is_kept = Arc::new(AtomicBool::new(true));
        let (remote, id) = match &self.engine().remote {
            Some(remote) => (Arc::downgrade(remote), remote.messages.subscribe(is_kept.clone(), callback)),
            None => (Weak::new(), 0),
        };
        InvalidationSubscription { remote, id, is_kept }
    }

    /// Invalidates tags and keys in one step, here, in the second tier and in all processes: for who changed data in a way that no
    /// annotation knows of. Await what is returned to know that the second tier has it.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new().tag("imported"))?;
    /// cache.blocking().set(&Key::new("b"), 1, &EntryOptions::new())?;
    /// cache.publish_invalidation(["imported"], &[Key::new("b")]).wait();
    /// assert!(!cache.blocking().exists(&Key::new("a")));
    /// assert!(!cache.blocking().exists(&Key::new("b")));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn publish_invalidation<T: Into<Tag>>(&self, tags: impl IntoIterator<Item = T>, keys: &[Key]) -> Delivery {
        let tags: Tags = tags.into_iter().collect();
        self.engine().invalidate(&tags, &keys.iter().collect::<Vec<_>>())
    }
}
