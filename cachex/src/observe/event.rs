//! Things that happen in a cache and may interest an operator.

use std::fmt;
use std::sync::Arc;

use crate::caught::caught;
use crate::key::Key;

/// Something that happened to an entry or a load.
///
/// # Examples
///
/// ```
/// use cachex::{Event, Key};
///
/// // What an entry's key holds stays out of logs.
/// let event = Event::Evicted(Key::entity("user", &"Ada"));
/// assert!(!format!("{event:?}").contains("Ada"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// An entry was dropped for room.
    Evicted(Key),
    /// An entry was dropped because of its age.
    Expired(Key),
    /// An entry was dropped because a tag, its method or the whole cache was invalidated.
    Invalidated(Key),
    /// An entry was removed by its key.
    Removed(Key),
    /// A loaded value was not kept, because something it depends on was invalidated while it was loaded.
    StoreRejected(Key),
    /// A value was not kept, because it weighs more than the whole cache may.
    TooHeavy(Key),
    /// A load failed or panicked.
    LoadFailed(Key),
    /// An expired entry within its grace answered, because loading failed or was slow.
    FellBack(Key),
    /// A load took longer than its caller was ready to wait.
    TimedOut(Key),
    /// An entry held a value of another type than its method returns; it counts as a miss.
    TypeMismatch(Key),
    /// A method with `batch` returned another number of results than it was given keys, of which this is one: none was kept.
    ResultsRefused(Key),
    /// A fence was not released by the end of its lease; its tags were invalidated.
    FenceExpired,
    /// A value in the second tier could not be read: it was altered, is of another type, or was written by another version. It was
    /// removed there.
    ValueRefused(Key),
}

/// Hears of the events of a cache.
///
/// Called outside of all locks, on the thread on which the event happened: be quick. A panic is caught and ignored.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use cachex::{Cache, EntryOptions, Event, Key, Observer};
///
/// #[derive(Debug, Default)]
/// struct Evictions(AtomicUsize);
///
/// impl Observer for Evictions {
///     fn observe(&self, event: &Event) {
///         if let Event::Evicted(_) = event {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// let evictions = Arc::new(Evictions::default());
/// let cache = Cache::builder().max_entries(1).observer(evictions.clone()).build()?;
/// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
/// cache.blocking().set(&Key::new("b"), 2, &EntryOptions::new())?;
/// assert_eq!(evictions.0.load(Ordering::Relaxed), 1);
/// # Ok::<(), cachex::Error>(())
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Hears of one event.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Mutex;
    /// use cachex::{Event, Observer};
    ///
    /// #[derive(Default)]
    /// struct Log(Mutex<Vec<String>>);
    ///
    /// impl Observer for Log {
    ///     fn observe(&self, event: &Event) {
    ///         self.0.lock().expect("nobody panics with it").push(format!("{event:?}"));
    ///     }
    /// }
    ///
    /// let log = Log::default();
    /// log.observe(&Event::FenceExpired);
    /// assert_eq!(*log.0.lock().expect("nobody panics with it"), ["FenceExpired"]);
    /// ```
    fn observe(&self, event: &Event);
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn observe(&self, event: &Event) {
        (**self).observe(event);
    }
}

/// The observers of a cache.
#[derive(Clone, Default)]
pub(crate) struct Observers(Vec<Arc<dyn Observer>>);

impl Observers {
    pub(crate) fn add(&mut self, observer: Arc<dyn Observer>) {
        self.0.push(observer);
    }

    /// Whether nobody is told of anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells every observer; the event is made only if there is one.
    pub(crate) fn tell(&self, event: impl Fn() -> Event) {
        if self.0.is_empty() {
            return;
        }
        let event = event();
        for observer in &self.0 {
            // An observer that panics must not break the call that is observed.
            let _ignored = caught(|| observer.observe(&event));
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} observers", self.0.len())
    }
}
