//! How one entry is to be kept.

use std::time::Duration;

use crate::policy::{Jitter, LONGEST, Policy};
use crate::tag::{Tag, Tags};

/// How one entry is to be kept.
///
/// Default: as the cache's defaults say, without a tag. Spans of more than 100 years count as 100 years.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::{Cache, EntryOptions, Key};
///
/// let options = EntryOptions::new().ttl(Duration::from_secs(60)).tag("users").tag("user:7".to_owned());
/// let cache = Cache::builder().build()?;
/// cache.blocking().set(&Key::entity("user", &7), "Ada".to_owned(), &options)?;
/// cache.invalidate_tags(["user:7"]);
/// assert!(!cache.blocking().exists(&Key::entity("user", &7)));
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct EntryOptions {
    ttl: Option<Duration>,
    tti: Option<Duration>,
    soft_ttl: Option<Duration>,
    grace: Option<Duration>,
    jitter: Option<Jitter>,
    pub(super) tags: Tags,
}

impl EntryOptions {
    /// Starts with the defaults.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key, Ttl};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// assert_eq!(cache.blocking().ttl_of(&Key::new("a")), Some(Ttl::Never));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the age at which the entry expires; zero removes. Default: that of the cache's defaults.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::time::ManualClock;
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new().ttl(Duration::from_secs(60)))?;
    /// clock.advance(Duration::from_secs(60));
    /// assert!(!cache.blocking().exists(&Key::new("a")));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Sets the time without an access after which the entry expires. Default: that of the cache's defaults.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::time::ManualClock;
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new().tti(Duration::from_secs(60)))?;
    /// for _ in 0..3 {
    ///     clock.advance(Duration::from_secs(59));
    ///     assert_eq!(cache.blocking().get::<i32>(&Key::new("a"))?, Some(1));
    /// }
    /// clock.advance(Duration::from_secs(60));
    /// assert_eq!(cache.blocking().get::<i32>(&Key::new("a"))?, None);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn tti(mut self, tti: Duration) -> Self {
        self.tti = Some(tti);
        self
    }

    /// Sets the age at which the entry is stale: it still answers, and of the callers of
    /// [`get_or_load`](crate::Cache::get_or_load) one loads a new one. Without effect unless it is shorter than the TTL.
    /// Default: that of the cache's defaults.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::time::ManualClock;
    /// use cachex::{Cache, EntryOptions, Key, Verdict};
    ///
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new().soft_ttl(Duration::from_secs(60)))?;
    /// clock.advance(Duration::from_secs(60));
    /// assert_eq!(cache.explain(&Key::new("a")).verdict, Verdict::Stale);
    /// assert_eq!(cache.blocking().get::<i32>(&Key::new("a"))?, Some(1));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn soft_ttl(mut self, soft_ttl: Duration) -> Self {
        self.soft_ttl = Some(soft_ttl);
        self
    }

    /// Sets how long the expired entry may still answer [`get_or_load`](crate::Cache::get_or_load) if loading fails. Default:
    /// that of the cache's defaults.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::time::ManualClock;
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// let minute = Duration::from_secs(60);
    /// let options = EntryOptions::new().ttl(minute).grace(minute);
    /// cache.blocking().set(&Key::new("a"), 1, &options)?;
    /// clock.advance(minute);
    /// assert_eq!(cache.blocking().get_or_load(&Key::new("a"), &options, || Err("no network")), Ok(1));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Sets the spread of expiries. Default: that of the cache's defaults.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, EntryOptions, Jitter, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let minute = Duration::from_secs(60);
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new().ttl(minute).jitter(Jitter::Share(0.5)))?;
    /// assert!(cache.explain(&Key::new("a")).ttl.is_some_and(|left| left <= minute));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = Some(jitter);
        self
    }

    /// Adds a tag.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let options = EntryOptions::new().tag("users").tag(format!("user:{}", 7));
    /// cache.blocking().set(&Key::new("a"), 1, &options)?;
    /// assert_eq!(cache.explain(&Key::new("a")).tags.len(), 2);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn tag(mut self, tag: impl Into<Tag>) -> Self {
        self.tags.add(tag);
        self
    }

    /// Returns the rules of the entry: these options, over the method's rules.
    pub(super) fn policy(&self, base: &Policy) -> Policy {
        let within = |span: Option<Duration>| span.map(|span| span.min(LONGEST));
        let mut policy = base.clone();
        policy.ttl = within(self.ttl).or(policy.ttl);
        policy.tti = within(self.tti).or(policy.tti);
        policy.soft_ttl = within(self.soft_ttl).or(policy.soft_ttl);
        policy.grace = within(self.grace).or(policy.grace);
        policy.jitter = self.jitter.or(policy.jitter);
        if let Some(ttl) = policy.ttl {
            policy.soft_ttl = policy.soft_ttl.filter(|soft| *soft < ttl);
            policy.refresh_ahead = policy.refresh_ahead.filter(|ahead| *ahead < ttl);
        }
        policy
    }
}
