//! Fences: "a write of these tags is under way". Until it is released there is no hit and no store for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Engine;
use super::cache::Cache;
use crate::entry::tags::TagIds;
use crate::observe::event::Event;
use crate::tag::Tags;
use crate::time::Timestamp;

/// All fences of a cache.
#[derive(Debug, Default)]
pub(crate) struct Fences(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last_id: u64,
    standing: HashMap<u64, Standing>,
}

#[derive(Debug)]
struct Standing {
    fenced: Fenced,
    ends_at: Timestamp,
}

/// What a fence hides.
#[derive(Clone, Debug)]
struct Fenced {
    tags: Tags,
    ids: TagIds,
}

/// A write under way: while it stands, no entry with one of its tags answers and no load of one is kept. What is set by
/// hand meanwhile answers only if the fence is [cancelled](Self::cancel).
///
/// Dropped without [`release`](Self::release), [`cancel`](Self::cancel) or [`abandon`](Self::abandon), it counts as released after a write: its tags are
/// invalidated. The same happens at the end of its lease, at the next [`Cache::reclaim`] or use of a fence, and once more when
/// it is released after that.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::{Cache, EntryOptions, Key};
///
/// let cache = Cache::builder().build()?;
/// let options = EntryOptions::new().tag("users");
///
/// let fence = cache.fence(["users"], Duration::from_secs(5));
/// let loading = cache.begin_load(&Key::new("a"));
/// let value = 1; // read from the database, which the holder of the fence changes meanwhile
/// assert!(!loading.store(value, &options)?);
/// fence.release();
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a fence that is dropped is released"]
pub struct Fence {
    engine: Arc<Engine>,
    id: u64,
    fenced: Fenced,
    has_written: bool,
    is_abandoned: bool,
}

impl Fence {
    /// Ends the write: its tags are invalidated, then entries may be stored and answer again.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let key = Key::new("a");
    /// cache.blocking().set(&key, 1, &EntryOptions::new().tag("users"))?;
    ///
    /// let fence = cache.fence(["users"], Duration::from_secs(5));
    /// // … write to the database …
    /// fence.release();
    /// assert!(!cache.blocking().exists(&key));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn release(self) {
        drop(self);
    }

    /// Ends a write that changed nothing: the entries from before answer again.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let key = Key::new("a");
    /// cache.blocking().set(&key, 1, &EntryOptions::new().tag("users"))?;
    ///
    /// let fence = cache.fence(["users"], Duration::from_secs(5));
    /// // … the transaction is rolled back …
    /// fence.cancel();
    /// assert!(cache.blocking().exists(&key));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn cancel(mut self) {
        self.has_written = false;
    }

    /// Leaves it standing until the end of its lease, where nobody will know when the write ends: its tags are invalidated
    /// then, at the next [`Cache::reclaim`] or use of a fence.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let key = Key::new("a");
    /// cache.blocking().set(&key, 1, &EntryOptions::new().tag("users"))?;
    ///
    /// cache.fence(["users"], Duration::from_secs(5)).abandon();
    /// assert!(!cache.blocking().exists(&key));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn abandon(mut self) {
        self.is_abandoned = true;
    }
}

impl Drop for Fence {
    fn drop(&mut self) {
        if self.is_abandoned {
            return;
        }
        // Also after the end of the lease: the write may have come after what was loaded since.
        // Break this (only if it still stands) and a late writer leaves a wrong entry behind.
        if self.has_written {
            self.engine.invalidate_fenced(&self.fenced);
        }
        if let Some(standing) = self.engine.fences().standing.remove(&self.id) {
            self.engine.lift(&standing.fenced);
        }
    }
}

impl Cache {
    /// Says that a write of `tags` is under way, for at most `lease`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let key = Key::new("a");
    /// cache.blocking().set(&key, 1, &EntryOptions::new().tag("users"))?;
    ///
    /// let fence = cache.fence(["users"], Duration::from_secs(5));
    /// assert_eq!(cache.blocking().get::<i32>(&key)?, None);
    /// fence.cancel();
    /// assert_eq!(cache.blocking().get::<i32>(&key)?, Some(1));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn fence<T: Into<crate::tag::Tag>>(&self, tags: impl IntoIterator<Item = T>, lease: Duration) -> Fence {
        let engine = self.engine().clone();
        engine.expire_fences();
        let tags: Tags = tags.into_iter().collect();
        let fenced = Fenced { ids: engine.tag_ids(&tags), tags };
        let id = engine.begin_fence(fenced.clone(), lease);
        Fence { engine, id, fenced, has_written: true, is_abandoned: false }
    }
}

impl Engine {
    fn begin_fence(&self, fenced: Fenced, lease: Duration) -> u64 {
        fenced.ids.iter().for_each(|id| self.tags.fence(*id));
        let mut state = self.fences();
        state.last_id += 1;
        let id = state.last_id;
        state.standing.insert(id, Standing { fenced, ends_at: self.now().after(lease) });
        id
    }

    fn lift(&self, fenced: &Fenced) {
        fenced.ids.iter().for_each(|id| self.tags.release(*id));
    }

    fn invalidate_fenced(&self, fenced: &Fenced) {
        // Break this (send without raising before) and a write by hand from before the end of the fence stays in L2.
        let _delivery = self.invalidate(&fenced.tags, &[]);
    }

    /// Ends the fences whose lease is over: their writers count as dead, and their writes as done.
    pub(crate) fn expire_fences(&self) {
        let now = self.now();
        let overdue: Vec<_> = {
            let mut state = self.fences();
            state.standing.extract_if(|_, standing| standing.ends_at <= now).map(|(_, standing)| standing).collect()
        };
        for standing in &overdue {
            self.invalidate_fenced(&standing.fenced);
            self.lift(&standing.fenced);
            self.tell(|| Event::FenceExpired);
        }
    }

    fn fences(&self) -> std::sync::MutexGuard<'_, State> {
        self.fences.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
