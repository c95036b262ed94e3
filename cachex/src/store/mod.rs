//! Byte stores: what the second tier is kept in. Keys, bytes and tags go in; bytes and clocks come out.
//!
//! Reading order: this file (the contract), `words`, `group` and `error` (its words), `listener` (who is told), `boxed` (a store of any kind), [`conformance`] (whether a store keeps to it), `ears` (one listener for several sources), `structures` (what is not a copy of something), `index` (which key has which tags), `file` (a directory), `redis` (Redis and Valkey), `memcached`, `null` (nothing), `ring` (several stores).
//!
//! A store has one logical clock. Each group of values (a tag, a method, everything) has the reading of its last invalidation; each value has one
//! reading as its stamp, taken before its load began. Whoever reads a value asks for the clocks of its groups as well, and the value is valid iff each is known
//! and none is later than the stamp. So an invalidation is one step of the clock whatever it covers, a value that is stored late can
//! do no harm, and what a store forgets (a group, the clock, a lease, a value) causes misses and nothing else.
//!
//! A load holds the *lease* of its key, and its value is stored only while it still does. Who invalidates the key takes the lease
//! away: so a load that began before is not stored after it, and of many processes one loads.
//!
//! # What a store must hold to
//!
//! 1. **The clock never goes back.** What is lost of it begins later than anything that may have been read before: a minute ahead of the time of day, say.
//! 2. **A group has a clock, or its values are a miss.** [`begin`](Store::begin) and [`mint`](Store::mint) give one to a group that has none: the present
//!    reading, which must be later than every invalidation and not earlier than every stamp from before the group's clock was lost. Nothing else creates them.
//! 3. **An invalidation steps the clock** and gives the groups that have one the new reading, so that no stamp from before is enough. Once it has returned, every
//!    [`read`](Store::read) in every process sees it. Of a key it takes away value and lease.
//! 4. **A lease has one holder** and an end. [`put`](Store::put) stores for the holder alone, and ends the lease.
//! 5. **`mint` refuses** unless it knows that none of the groups was invalidated since the load began.
//! 6. **An update of the source is stored only undisturbed**: if nobody else has written or removed the key, or updated it, since it was [announced](Store::announce), and its groups
//!    are as they were. Else the key is removed, as also in a store that takes no updates.
//! 7. **Notices**: what [`Listener::listening`] promises is kept, or [`Listener::missed`] says so. A store without notices never says that it listens.
//!
//! [`conformance::check`] holds a store to these.

mod boxed;
pub mod conformance;
#[cfg(any(feature = "redis", feature = "ring"))]
mod ears;
mod error;
pub(crate) mod file;
mod group;
mod guarded;
pub(crate) mod index;
mod listener;
#[cfg(feature = "memcached")]
pub(crate) mod memcached;
mod null;
#[cfg(feature = "redis")]
pub(crate) mod redis;
#[cfg(feature = "ring")]
mod ring;
pub(crate) mod structures;
mod words;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use error::{StoreError, StoreErrorKind};
pub use group::Group;
pub(crate) use guarded::Guarded;
pub(crate) use index::Index;
pub use listener::Listener;
pub use null::Null;
#[cfg(feature = "ring")]
pub use ring::Ring;
pub(crate) use structures::Structures;
#[cfg(feature = "redis")]
pub(crate) use words::MARK;
pub use words::{Ask, Invalidation, Lease, Notice, Read, Reading, Settling, mark};

/// What a store does, in the end.
///
/// # Examples
///
/// ```
/// use cachex::store::Doing;
///
/// let doing: Doing<'_, u8> = Box::pin(async { Ok(1) });
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main_() -> Result<(), Box<dyn std::error::Error>> {
/// # let doing: Doing<'_, u8> = Box::pin(async { Ok(1) });
/// assert_eq!(doing.await?, 1);
/// # Ok(())
/// # }
/// # main_().expect("it does not fail");
/// ```
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A byte store; [the module](self) says what it must hold to.
///
/// Each answer is waited for no longer than about the timeout it is set to; what takes several answers takes several of these. What is asked
/// of a store that is known to be out of reach ends at once. What is dropped before it ended may have been done or not.
///
/// # Errors
///
/// A store that does not do what it is asked says [why](StoreErrorKind). The cache then does without it; an invalidation is asked for again until it succeeds.
///
/// # Examples
///
/// What a cache does with one.
///
/// ```
/// use std::time::Duration;
/// use cachex::FileSettings;
/// use cachex::store::{Ask, Group, Invalidation, Lease, Notice};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = std::env::temp_dir().join(format!("cachex-store-{}", std::process::id()));
/// let store = FileSettings::new(&directory).open("shop")?;
/// # struct Deaf;
/// # impl cachex::store::Listener for Deaf {
/// #     fn up(&self) {}
/// #     fn down(&self) {}
/// #     fn replaced(&self) {}
/// #     fn troubled(&self, _why: &str) {}
/// #     fn listening(&self) {}
/// #     fn missed(&self) {}
/// #     fn noticed(&self, _notice: &[u8]) {}
/// # }
/// # let listener = std::sync::Arc::new(Deaf);
/// store.start(listener);
/// let (key, minute, groups) = ("find(7)", Duration::from_secs(60), [Group::tag("users")]);
///
/// // A load: first the lease, then the clock; and once more for what it found out.
/// let ask = Ask { key, token: 1, span: minute, seen: &[] };
/// assert_eq!(store.lease(ask).await?, Lease::Granted);
/// let stamp = store.begin(key, &[], Some(minute)).await?;
/// let stamp = store.mint(key, &groups, stamp, Some(minute)).await?.expect("nothing was invalidated since");
/// assert!(store.renew(key, 1, minute).await?);
/// assert!(store.put(key, 1, b"Ada".to_vec(), Some(minute), Notice::default()).await?);
///
/// // The value is there, and valid: the clocks of its groups are not above its stamp.
/// let read = store.read(key, &groups).await?;
/// assert_eq!(read.value.as_deref(), Some(&b"Ada"[..]));
/// assert!(read.clocks[0].is_some_and(|clock| clock <= stamp));
///
/// // An invalidation.
/// let refused = store.invalidate(&Invalidation { groups: groups.to_vec(), ..Invalidation::default() }).await?;
/// assert!(refused.is_empty());
/// assert!(store.clocks(key, &groups).await?[0].is_some_and(|clock| clock > stamp));
///
/// // An update of the source, which is written if nothing came between. (Not every store does so.)
/// assert!(store.takes_updates(key));
/// store.announce(key, 2, minute).await?;
/// # let (since, invalidated) = (stamp, Vec::new());
/// # let update = cachex::store::Settling { since, groups: groups.to_vec(), life: None, invalidated, notice: Notice::default() };
/// if store.settle(key, &update).await?.is_some() {
///     store.write_announced(key, 2, b"Eve".to_vec(), None, Notice::default()).await?;
/// }
///
/// // By hand.
/// store.write(key, b"Eve".to_vec(), None, Notice::default()).await?;
/// assert!(store.replace_same(key, b"Eve", b"Bob".to_vec(), minute, Notice::default()).await?);
/// store.remove_same(key, b"Bob").await?;
/// assert_eq!(store.read(key, &[]).await?.value, None);
/// // Of all keys of some kind. (Not every store does so: then everything is invalidated in their place.)
/// assert!(!store.remove_all(&|name| name.starts_with("find")).await?);
/// store.release(key, 1).await?;
/// store.publish(Notice::default()).await?;
/// # while !store.is_up() { tokio::task::yield_now().await }
/// assert_eq!(store.warning(), None);
/// assert!(store.is_whole() && store.reaches(key) && store.takes_invalidations());
/// assert!(store.is_up() && store.has_notices() && store.staleness() < minute);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok(())
/// # }
/// ```
pub trait Store: Send + Sync + fmt::Debug + 'static {
    /// Begins to work, and tells `listener` of what happens from now on.
    fn start(&self, listener: Arc<dyn Listener>);

    /// What is to be known of how it is used, if something is.
    fn warning(&self) -> Option<&'static str> {
        None
    }

    /// Whether it can be reached, as far as is known.
    fn is_up(&self) -> bool;

    /// Whether all parts of it can be reached. Default: if it can.
    fn is_whole(&self) -> bool {
        self.is_up()
    }

    /// Whether an invalidation can be expected to arrive as a whole, so that it is worth trying at once what has failed before. Default: if it can be reached.
    fn takes_invalidations(&self) -> bool {
        self.is_up()
    }

    /// Whether what is asked of a key can be reached: parts of a store may be out of reach. Default: if the store can.
    fn reaches(&self, _key: &str) -> bool {
        self.is_up()
    }

    /// Whether it can tell processes of each other's invalidations. Default: yes.
    fn has_notices(&self) -> bool {
        true
    }

    /// How late the notice of an invalidation may be while nothing is known to be wrong: so long may another process be stale. Where notices can't
    /// come in at all, what is in memory lives no longer than this. Default: one second.
    fn staleness(&self) -> Duration {
        Duration::from_secs(1)
    }

    /// Reads the value of a key and the clocks of groups.
    fn read<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Read>;

    /// Reads the clocks of groups, as they count for a key.
    fn clocks<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Vec<Option<Reading>>>;

    /// Asks for the lease of a key.
    fn lease<'a>(&'a self, ask: Ask<'a>) -> Doing<'a, Lease>;

    /// Reads the clock before a load of a key. Groups that have no clock get this reading; each is kept for `life` at least, or for good.
    fn begin<'a>(&'a self, key: &'a str, groups: &'a [Group], life: Option<Duration>) -> Doing<'a, Reading>;

    /// Reads the clock for a value of a key and of these groups whose load began at `since`: nothing if one of them was invalidated later, or may have
    /// been. As in [`begin`](Self::begin), each group has a clock then.
    fn mint<'a>(
        &'a self,
        key: &'a str,
        groups: &'a [Group],
        since: Reading,
        life: Option<Duration>,
    ) -> Doing<'a, Option<Reading>>;

    /// Stores the value of a load for `life`, or for good, if it still has the lease, which ends. Returns whether it had. `stored` is told to those who
    /// wait for it.
    fn put<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        stored: Notice,
    ) -> Doing<'a, bool>;

    /// Puts off the end of a lease. Returns whether it was still there.
    fn renew<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, bool>;

    /// Gives a lease back.
    fn release<'a>(&'a self, key: &'a str, token: u64) -> Doing<'a, ()>;

    /// Stores a value that was written by hand, whatever is there, and takes the lease away.
    ///
    /// Where a write can arrive after its answer was given up, as over a connection that was, it must not undo what was written or removed since: then the key may as well be
    /// left without a value.
    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>, life: Option<Duration>, written: Notice) -> Doing<'a, ()>;

    /// Whether it writes the value of an update of a key, if nothing comes between. Else it is not asked to: then an update invalidates and removes. Default: no.
    fn takes_updates(&self, _key: &str) -> bool {
        false
    }

    /// Notes that an update of a key begins, for `span` at most. Who writes the key by hand or removes it takes the note away, and so does each other update of
    /// the key when it begins, and when it ends, be it written or not. A load does not: what it stores is replaced, or removed, when the update ends.
    /// Default: nothing is noted, and so no update is written.
    fn announce<'a>(&'a self, _key: &'a str, _token: u64, _span: Duration) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    /// Ends an update of the source: invalidates groups, and reads the clock for the value, as of which it may be stored. Nothing if one of the groups
    /// that the value has was invalidated since the update began, or may have been, but not by this; the groups are invalidated all the same.
    /// Default: it invalidates, and gives nothing.
    fn settle<'a>(&'a self, _key: &'a str, update: &'a Settling) -> Doing<'a, Option<Reading>> {
        Box::pin(async move {
            if !update.invalidated.is_empty() {
                let (groups, notices) = (update.invalidated.clone(), vec![update.notice.clone()]);
                self.invalidate(&Invalidation { groups, keys: Vec::new(), notices }).await?;
            }
            Ok(None)
        })
    }

    /// As [`write`](Self::write), if the note of the update is still there; else the key is removed. Returns whether it was. Note and lease are gone then,
    /// and others are told, either way.
    /// Default: the key is removed.
    fn write_announced<'a>(
        &'a self,
        key: &'a str,
        _token: u64,
        _value: Vec<u8>,
        _life: Option<Duration>,
        written: Notice,
    ) -> Doing<'a, bool> {
        Box::pin(async move {
            let what = Invalidation { groups: Vec::new(), keys: vec![key.into()], notices: vec![written] };
            if self.invalidate(&what).await?.is_empty() {
                return Ok(false);
            }
            Err(StoreError::new(StoreErrorKind::Down, "the part of the store that has the key is out of reach"))
        })
    }

    /// Removes this very value, if it is still there.
    fn remove_same<'a>(&'a self, key: &'a str, value: &'a [u8]) -> Doing<'a, ()>;

    /// Puts another value in the place of this very one, for `life`, if it is still there. Returns whether it was. Others are told either way. A lease stays.
    fn replace_same<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        next: Vec<u8>,
        life: Duration,
        written: Notice,
    ) -> Doing<'a, bool>;

    /// Invalidates groups and keys, and tells the other processes. Returns the keys for which it was not done, as they are at a part of the store
    /// that is out of reach.
    fn invalidate<'a>(&'a self, what: &'a Invalidation) -> Doing<'a, Vec<Box<str>>>;

    /// Returns who keeps structures and locks of a key, if anybody does. Ours only, as yet.
    #[doc(hidden)]
    fn structures(&self, _key: &str) -> Option<&dyn Structures> {
        None
    }

    /// Returns who keeps an index of its values, if anybody does. Ours only, as yet.
    #[doc(hidden)]
    fn index(&self) -> Option<&dyn Index> {
        None
    }

    /// Removes all keys whose names `is_meant` accepts, as [`invalidate`](Self::invalidate) does single ones: also where there is but a lease, or the
    /// note of an update. Whatever of them was under way before is not stored after it. Others are told by the caller. Returns whether it can do
    /// so: else nothing was done, and everything is invalidated in their place, as also if it fails. Default: it can't.
    fn remove_all<'a>(&'a self, _is_meant: &'a (dyn Fn(&str) -> bool + Send + Sync)) -> Doing<'a, bool> {
        Box::pin(async { Ok(false) })
    }

    /// Tells the other processes, if there is a way to.
    fn publish<'a>(&'a self, notice: Notice) -> Doing<'a, ()>;
}
