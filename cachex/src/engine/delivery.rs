//! An invalidation on its way.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use smallvec::SmallVec;
use tokio::sync::oneshot;

use super::Engine;
use super::methods::Method;
use super::subject::Borrowed;
#[cfg(feature = "remote")]
use super::{registry, remote};
use crate::entry::Entry;
use crate::key::{Key, KeyRef};
use crate::method::keep::Keep;
use crate::policy::Policy;
use crate::runtime;
#[cfg(feature = "remote")]
use crate::store::Group;
use crate::tag::Tags;
use crate::time::Timestamp;

/// An invalidation on its way to the second tier.
///
/// In this process it has happened already. Awaited, it has happened in the second tier as well, or that could not be reached
/// within its timeout: then it is kept, and delivered as soon as that can be done; until then this process takes nothing from there
/// that the invalidation is about. Not awaited, it goes its way all the same, also if the cache is dropped
/// meanwhile, as long as the program runs. Without a second tier it is done at once.
///
/// # Examples
///
/// ```
/// use cachex::Cache;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cachex::Error> {
/// let cache = Cache::builder().build()?;
/// let before = cache.stamp();
/// cache.invalidate_tags(["users"]).await;
/// assert!(cache.stamp() > before);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Delivery<T = ()> {
    /// What is not known to have arrived; most have one part at most.
    parts: SmallVec<[oneshot::Receiver<()>; 1]>,
    /// Nothing once it was returned.
    value: Option<T>,
}

impl Delivery<bool> {
    /// Returns what happened here, before it is delivered.
    pub(crate) fn here(&self) -> bool {
        self.value == Some(true)
    }
}

impl Delivery {
    /// Of what is done.
    pub(crate) fn done() -> Self {
        Self::of([])
    }

    pub(crate) fn of(parts: impl IntoIterator<Item = oneshot::Receiver<()>>) -> Self {
        Self { parts: parts.into_iter().collect(), value: Some(()) }
    }
}

impl<T> Delivery<T> {
    /// Whether there is nothing to wait for: always so without a second tier.
    ///
    /// # Examples
    ///
    /// ```
    /// let cache = cachex::Cache::builder().build()?;
    /// assert!(cache.invalidate_tags(["users"]).is_done());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.parts.is_empty()
    }

    /// Gives it something else to return.
    pub(crate) fn returning<O>(self, value: O) -> Delivery<O> {
        Delivery { parts: self.parts, value: Some(value) }
    }

    /// Waits for another one as well.
    pub(crate) fn and(mut self, other: Delivery) -> Self {
        self.parts.extend(other.parts);
        self
    }

    /// Blocks the thread until the second tier has it, or could not be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.clear().wait();
    /// assert!(!cache.blocking().exists(&Key::new("a")));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn wait(mut self) -> T {
        #[cfg(feature = "remote")]
        if runtime::is_own_thread() {
            // An observer, say: what it waits for is done by this thread.
            self.parts.clear();
        }
        runtime::block_on(&mut self)
    }
}

// What it returns is never pinned.
impl<T> Unpin for Delivery<T> {}

impl<T> Future for Delivery<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        while let Some(last) = self.parts.last_mut() {
            match Pin::new(last).poll(cx) {
                Poll::Pending => return Poll::Pending,
                // Delivered, or nobody is left who could.
                Poll::Ready(_) => drop(self.parts.pop()),
            }
        }
        Poll::Ready(self.value.take().expect("a future is not polled once it has ended"))
    }
}

/// Without L2 nothing is sent.
#[cfg(not(feature = "remote"))]
impl Engine {
    pub(in crate::engine) fn has_remote(&self) -> bool {
        false
    }

    pub(in crate::engine) fn send(&self, _: &Tags, _: &[&Key]) -> Delivery {
        Delivery::done()
    }

    pub(in crate::engine) fn send_key(&self, _: KeyRef<'_>) -> Delivery {
        Delivery::done()
    }

    pub(in crate::engine) fn send_method(&self, _: &Method) -> Delivery {
        Delivery::done()
    }

    pub(in crate::engine) fn send_named(&self, _: &str) -> Delivery {
        Delivery::done()
    }

    pub(in crate::engine) fn send_all(&self) -> Delivery {
        Delivery::done()
    }

    /// Says that all keys of a pattern were removed.
    pub(in crate::engine) fn send_matching(&self, _: &str) -> Delivery {
        Delivery::done()
    }
}

#[cfg(feature = "remote")]
impl Engine {
    pub(in crate::engine) fn has_remote(&self) -> bool {
        self.remote.is_some()
    }

    /// Sends the invalidation of tags and keys to L2.
    pub(in crate::engine) fn send(&self, tags: &Tags, keys: &[&Key]) -> Delivery {
        let Some(remote) = &self.remote else { return Delivery::done() };
        Delivery::of(remote.send(tags, keys))
    }

    /// Sends the invalidation of a key.
    pub(in crate::engine) fn send_key(&self, at: KeyRef<'_>) -> Delivery {
        let Some(remote) = &self.remote else { return Delivery::done() };
        Delivery::of(remote.send(&Tags::new(), &[&at.key()]))
    }

    /// Sends the invalidation of a method.
    pub(in crate::engine) fn send_method(&self, method: &Method) -> Delivery {
        let Some(remote) = &self.remote else { return Delivery::done() };
        Delivery::of([remote.send_group(Group::method(method.region.remote_name()))])
    }

    /// Sends the invalidation of the methods of a name, called here or not; of generic ones only those that were called.
    pub(in crate::engine) fn send_named(&self, name: &str) -> Delivery {
        let Some(remote) = &self.remote else { return Delivery::done() };
        let names = registry::remote_names(name);
        Delivery::of(names.map(|name| remote.send_group(Group::method(&name))))
    }

    /// Sends the invalidation of everything.
    pub(in crate::engine) fn send_all(&self) -> Delivery {
        let Some(remote) = &self.remote else { return Delivery::done() };
        Delivery::of([remote.send_group(Group::all())])
    }
}

impl Engine {
    /// Makes a written value the entry, as [`write`](Self::write) does, and then the value in L2. What is not kept is invalidated there.
    pub(crate) fn write_through<V, K: Keep<V>>(
        &self,
        subject: Borrowed<'_>,
        entry: Option<Entry>,
        (keep, policy): (K, &Policy),
        now: Timestamp,
    ) -> Delivery {
        let Borrowed { engine, method, at } = subject;
        #[cfg(feature = "remote")]
        if engine.remote.is_some() {
            return remote::writing::write(subject, entry, (keep, policy), now);
        }
        let _: (K, &Policy) = (keep, policy);
        engine.write(method, at, entry, now);
        Delivery::done()
    }
}
