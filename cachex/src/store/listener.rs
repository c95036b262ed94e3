//! Who is told of what happens at a store.

/// Who is told of what happens at a store.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use cachex::store::Listener;
///
/// /// Counts invalidations; it has to forget all it knows whenever some were missed.
/// #[derive(Default)]
/// struct Counting(AtomicU32);
///
/// impl Listener for Counting {
///     fn up(&self) {}
///     fn down(&self) {}
///     fn replaced(&self) {}
///     fn troubled(&self, _why: &str) {}
///     fn listening(&self) {}
///     fn missed(&self) {
///         self.0.store(0, Ordering::Relaxed);
///     }
///     fn noticed(&self, _notice: &[u8]) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// let counting = Counting::default();
/// counting.noticed(b"users");
/// assert_eq!(counting.0.load(Ordering::Relaxed), 1);
/// ```
pub trait Listener: Send + Sync + 'static {
    /// The store can be reached again.
    fn up(&self);

    /// The store can't be reached.
    fn down(&self);

    /// Another server is in the place of the one that was read from: it may have been the wrong one for a while.
    fn replaced(&self);

    /// Connecting, or listening, has failed.
    fn troubled(&self, why: &str);

    /// From now on no notice is lost, but those that [`missed`](Self::missed) speaks of.
    fn listening(&self);

    /// Notices may have been lost, and may be until [`listening`](Self::listening).
    fn missed(&self);

    /// A notice has come.
    fn noticed(&self, notice: &[u8]);
}
