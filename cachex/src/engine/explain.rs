//! Why the next call hits or misses.

use std::fmt;
use std::time::Duration;

use super::cache::Cache;
use crate::entry::{Entry, Freshness, Stamp};
use crate::key::Key;
use crate::raw::grace::pinned;
use crate::tag::{Tag, Tags};

/// What a cache knows of one key.
///
/// # Examples
///
/// ```
/// use cachex::{Cache, EntryOptions, Key, Verdict};
///
/// let cache = Cache::builder().build()?;
/// let key = Key::new("a");
/// assert_eq!(cache.explain(&key).verdict, Verdict::Absent);
/// cache.blocking().set(&key, 1, &EntryOptions::new().tag("t"))?;
/// assert_eq!(cache.explain(&key).verdict, Verdict::Fresh);
/// cache.invalidate_tags(["t"]);
/// assert_eq!(cache.explain(&key).verdict, Verdict::Invalidated);
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// What the next call finds.
    pub verdict: Verdict,
    /// Where the entry is.
    pub tier: Option<Tier>,
    /// How long ago the entry was stored.
    pub age: Option<Duration>,
    /// How long it has until it expires, if it ever does.
    pub ttl: Option<Duration>,
    /// The logical clock from before its load.
    pub stamp: Option<Stamp>,
    /// How long its load took, to within 0.2 %. Where the loads of a method take less than 10 µs on average, one in 16 is timed.
    pub load_time: Option<Duration>,
    /// What it weighs, in bytes.
    pub weight: Option<u64>,
    /// Whether it is a kept "none" or a kept error.
    pub is_negative: bool,
    /// Its tags, and the logical clock of the last invalidation of each; that of the beginning where there was none, or none that could still
    /// matter: an invalidation is forgotten once all that is older has left. Where too much was to be remembered, it may be of other tags.
    pub tags: Vec<(Tag, Stamp)>,
}

/// Where an entry is kept.
///
/// # Examples
///
/// ```
/// use cachex::{Cache, EntryOptions, Key, Tier};
///
/// let cache = Cache::builder().build()?;
/// assert_eq!(cache.explain(&Key::new("a")).tier, None);
/// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
/// assert_eq!(cache.explain(&Key::new("a")).tier, Some(Tier::Memory));
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tier {
    /// In the memory of this process.
    Memory,
}

/// What the next call of a key finds.
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
/// let second = Duration::from_secs(1);
/// let options = EntryOptions::new().soft_ttl(second).ttl(2 * second).grace(second);
/// cache.blocking().set(&Key::new("a"), 1, &options)?;
///
/// let mut verdicts = Vec::new();
/// for _ in 0..4 {
///     verdicts.push(cache.explain(&Key::new("a")).verdict);
///     clock.advance(second);
/// }
/// assert_eq!(verdicts, [Verdict::Fresh, Verdict::Stale, Verdict::Expired, Verdict::Dead]);
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// A hit.
    Fresh,
    /// A hit, and a call that can load starts a refresh.
    Stale,
    /// A miss; the value may answer if loading fails.
    Expired,
    /// A miss: the entry is too old.
    Dead,
    /// A miss: a tag, the method or everything was invalidated after the entry's load began.
    Invalidated,
    /// A miss: a write of one of the entry's tags is under way.
    Fenced,
    /// A miss: there is no entry.
    Absent,
    /// No look-up: the method is disabled.
    Disabled,
    /// A miss: what the second tier has can't be read, and goes at the next look.
    Unreadable,
    /// No look-up: the second tier is out of reach.
    Unreachable,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Expired => "expired, within its grace",
            Self::Dead => "expired",
            Self::Invalidated => "invalidated",
            Self::Fenced => "fenced",
            Self::Absent => "absent",
            Self::Disabled => "disabled",
            Self::Unreadable => "unreadable",
            Self::Unreachable => "out of reach",
        })
    }
}

impl Cache {
    /// Tells why the next call of a key hits or misses. Changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new().tag("users"))?;
    /// let told = cache.explain(&Key::new("a"));
    /// assert_eq!(told.verdict.to_string(), "fresh");
    /// assert_eq!(told.ttl, None);
    /// assert_eq!(told.tags[0].0.as_str(), "users");
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn explain(&self, key: &Key) -> Explanation {
        let engine = self.engine();
        let method = engine.method(key.region());
        let mut told = Explanation {
            verdict: Verdict::Absent,
            tier: None,
            age: None,
            ttl: None,
            stamp: None,
            load_time: None,
            weight: None,
            is_negative: false,
            tags: Vec::new(),
        };
        // Within one pin, as for a call.
        let found = pinned(|pin| {
            let entry = engine.tier.peek_pinned(pin, key.at())?;
            let (is_unaltered, is_current) = (engine.is_unaltered(method, &entry), engine.is_current(method, &entry));
            Some((Entry::clone(&entry), is_unaltered, is_current))
        });
        if let Some((entry, is_unaltered, is_current)) = found {
            let now = engine.now();
            told.verdict = if !is_unaltered {
                Verdict::Invalidated
            } else if !is_current {
                Verdict::Fenced
            } else {
                match entry.freshness(|| now) {
                    Freshness::Fresh => Verdict::Fresh,
                    Freshness::Stale => Verdict::Stale,
                    Freshness::Expired => Verdict::Expired,
                    Freshness::Dead => Verdict::Dead,
                }
            };
            told.tier = Some(Tier::Memory);
            told.age = Some(entry.age(now));
            told.ttl = entry.time_left(now);
            told.stamp = Some(entry.stamp());
            told.load_time = entry.load_time();
            told.weight = Some(entry.weight());
            told.is_negative = entry.is_negative();
            let own = entry.tag_names().map(|name| Tag::from(name.to_owned()));
            let all: Tags = method.region.tags().iter().cloned().chain(own).collect();
            told.tags = all.iter().map(|tag| (tag.clone(), engine.tags.invalidated_at(engine.tags.id(tag)))).collect();
        }
        if !method.is_enabled() {
            told.verdict = Verdict::Disabled;
        }
        told
    }
}
