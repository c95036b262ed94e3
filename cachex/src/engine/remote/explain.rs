//! Why a look into L2 hits or misses.

use std::time::Duration;

use super::Remote;
use super::lookup::are_valid;
use super::values::millis;
use crate::codec::{Codec, Compression};
use crate::engine::Engine;
use crate::engine::cache::Cache;
use crate::engine::explain::Verdict;
use crate::engine::methods::Method;
use crate::key::Key;
use crate::store::{Group, Reading, StoreError};
use crate::tag::{Tag, Tags};
use crate::tier::remote::envelope::{self, Header, Refused};
use crate::tier::remote::name;

/// What the second tier has of one key.
///
/// # Examples
///
/// ```
/// use cachex::{Cache, EntryOptions, FileSettings, Key, Verdict};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cachex::Error> {
/// # let directory = std::env::temp_dir().join(format!("cachex-explanation-{}", std::process::id()));
/// let cache = Cache::builder().file(FileSettings::new(&directory)).build()?;
/// # cache.connected(std::time::Duration::from_secs(10)).await?;
/// cache.set(&Key::new("a"), 1, &EntryOptions::new().tag("t")).await?;
/// let told = cache.explain_remote(&Key::new("a")).await.expect("there is a second tier");
/// assert_eq!((told.verdict, told.stored_bytes.is_some()), (Verdict::Fresh, true));
/// assert!(told.groups.iter().any(|(group, clock)| group.as_tag() == Some("t") && *clock <= told.stamp));
/// # std::fs::remove_dir_all(&directory).expect("it is there");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RemoteExplanation {
    /// What the next call finds there, if it asks.
    pub verdict: Verdict,
    /// More about the verdict, where there is more to say. It has no key and no value.
    pub why: Option<String>,
    /// How long ago the value was stored, by the times of day of the machines.
    pub age: Option<Duration>,
    /// How long it has until it expires, if it ever does.
    pub ttl: Option<Duration>,
    /// How long its load took; zero for what was written by hand.
    pub load_time: Option<Duration>,
    /// Whether it is a kept "none" or a kept error.
    pub is_negative: bool,
    /// Bytes in the store, with all that is kept beside the value.
    pub stored_bytes: Option<u64>,
    /// Bytes of the value before it was compressed.
    pub value_bytes: Option<u64>,
    /// The form it is in. Nothing if this build does not know it.
    pub codec: Option<Codec>,
    /// How it is compressed. Nothing if this build does not know it.
    pub compression: Option<Compression>,
    /// The store's clock from before its load.
    pub stamp: Option<Reading>,
    /// All that it belongs to, its tags among them, and the store's clock at the last invalidation of each: where that is not known, or later than
    /// `stamp`, the value is invalidated.
    pub groups: Vec<(Group, Option<Reading>)>,
}

impl RemoteExplanation {
    fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            why: None,
            age: None,
            ttl: None,
            load_time: None,
            is_negative: false,
            stored_bytes: None,
            value_bytes: None,
            codec: None,
            compression: None,
            stamp: None,
            groups: Vec::new(),
        }
    }

    fn because(self, why: impl Into<String>) -> Self {
        Self { why: Some(why.into()), ..self }
    }
}

impl Cache {
    /// Tells what the second tier has of a key, and what a call that is not answered from memory would find there. It asks the store, and changes
    /// nothing there and nothing here: no lease is taken, nothing is counted, and what can't be read stays. Nothing if there is no second tier, or
    /// entries of the method are kept in memory only.
    ///
    /// That a value is of another type is told only where this process has asked for it as its type, and of keys made by hand not at all.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key, RedisSettings, Verdict};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// assert!(Cache::builder().build()?.explain_remote(&Key::new("a")).await.is_none());
    /// # #[cfg(feature = "redis")]
    /// # {
    /// // Nobody is there.
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:1")).build()?;
    /// let told = cache.explain_remote(&Key::new("a")).await.expect("there is a second tier");
    /// assert_eq!(told.verdict, Verdict::Unreachable);
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn explain_remote(&self, key: &Key) -> Option<RemoteExplanation> {
        let engine = self.engine();
        let method = engine.method(key.region());
        let remote = engine.remote.as_ref().filter(|_| method.policy().keeps_remotely())?;
        let mut told = match remote.seen(engine, key).await {
            Ok(seen) => engine.explained(method, &seen),
            Err(failed) => RemoteExplanation::new(Verdict::Unreachable).because(failed.to_string()),
        };
        if !method.is_enabled() {
            told.verdict = Verdict::Disabled;
            told.why = None;
        }
        Some(told)
    }
}

/// What is in the store, and on its way there.
struct Seen {
    bytes: Option<Vec<u8>>,
    opened: Option<Result<(Header, Vec<u8>), Refused>>,
    groups: Vec<(Group, Option<Reading>)>,
    is_on_its_way: bool,
}

impl Remote {
    /// Looks, and leaves all as it is.
    async fn seen(&self, engine: &Engine, key: &Key) -> Result<Seen, StoreError> {
        let (at, name) = (key.at(), name::name(key.at()));
        let mut groups = engine.method(key.region()).groups().to_vec();
        if !self.store.reaches(&name) {
            return Err(unreachable());
        }
        let mut was_on_its_way = self.outbox.holds(&name, &groups);
        // What arrives meanwhile is on its way: it is not known whether it was read before or after that.
        let read = self.store.read(&name, &groups).await?;
        let mut clocks = read.clocks;
        let identity = name::identity(&engine.namespace, at);
        let opened = read.value.as_deref().map(|bytes| {
            envelope::open(bytes, identity, &groups).map(|(header, payload)| (header, bytes[payload].to_vec()))
        });
        if let Some(Ok((header, _))) = &opened {
            let others: Vec<_> = header.groups.iter().filter(|group| !groups.contains(group)).cloned().collect();
            if !others.is_empty() {
                was_on_its_way |= self.outbox.holds(&name, &others);
                clocks.extend(self.store.clocks(&name, &others).await?);
                groups.extend(others);
            }
        }
        let is_on_its_way = was_on_its_way || self.outbox.holds(&name, &groups);
        Ok(Seen { bytes: read.value, opened, groups: groups.into_iter().zip(clocks).collect(), is_on_its_way })
    }
}

fn unreachable() -> StoreError {
    StoreError::new(crate::store::StoreErrorKind::Down, "the store can't be reached")
}

impl Engine {
    /// Says what was seen.
    fn explained(&self, method: &Method, seen: &Seen) -> RemoteExplanation {
        let mut told = match &seen.opened {
            None => RemoteExplanation::new(Verdict::Absent),
            Some(Err(refused)) => RemoteExplanation::new(Verdict::Unreadable).because(text(*refused)),
            Some(Ok((header, payload))) => self.explained_value(method, header, payload, seen),
        };
        told.stored_bytes = seen.bytes.as_ref().map(|bytes| bytes.len() as u64);
        if seen.is_on_its_way {
            told.verdict = Verdict::Fenced;
            told.why = Some("an invalidation or a write of it is on its way to the store".to_owned());
        }
        told
    }

    fn explained_value(&self, method: &Method, header: &Header, payload: &[u8], seen: &Seen) -> RemoteExplanation {
        let wall = millis(self.clock().unix_time());
        let (codec, compression) = (Codec::numbered(header.codec), Compression::numbered(header.compression));
        let (verdict, why) = self.verdict(method, header, payload, seen);
        RemoteExplanation {
            verdict,
            why: why.map(str::to_owned),
            age: Some(Duration::from_millis(wall.saturating_sub(header.created_at))),
            ttl: header.expires_at.map(|at| Duration::from_millis(at.saturating_sub(wall))),
            load_time: Some(Duration::from_micros(u64::from(header.load_time))),
            is_negative: header.is_negative,
            stored_bytes: None,
            value_bytes: Some(u64::from(header.raw_len)),
            codec,
            compression,
            stamp: Some(header.stamp),
            groups: seen.groups.clone(),
        }
    }

    /// Says what a look would make of a value, in the order in which it would look.
    fn verdict(
        &self,
        method: &Method,
        header: &Header,
        payload: &[u8],
        seen: &Seen,
    ) -> (Verdict, Option<&'static str>) {
        let clocks: Vec<_> = seen.groups.iter().map(|(_, clock)| *clock).collect();
        if !are_valid(&clocks, header.stamp) {
            let is_lost = clocks.contains(&None);
            let why =
                if is_lost { "the clock of a group is not known" } else { "a group was invalidated since its load" };
            return (Verdict::Invalidated, Some(why));
        }
        if let Some(why) = unreadable(method, header, payload) {
            return (Verdict::Unreadable, Some(why));
        }
        let tag = |group: &Group| group.as_tag().map(|name| Tag::from(name.to_owned()));
        let tags: Tags = header.groups.iter().filter_map(tag).collect();
        if tags.iter().any(|tag| self.tags.is_fenced(self.tags.id(tag))) {
            return (Verdict::Fenced, Some("a write of one of its tags is under way here"));
        }
        (self.age_of(method, header), None)
    }

    fn age_of(&self, method: &Method, header: &Header) -> Verdict {
        let wall = millis(self.clock().unix_time());
        let is_before = |end: Option<u64>| end.is_none_or(|end| wall < end);
        let policy = method.policy();
        // Where entries are kept in memory, those that stand in come from there.
        let may_stand_in = !policy.keeps_in_memory() && policy.grace.is_some_and(|grace| !grace.is_zero());
        match (is_before(header.expires_at), is_before(header.stale_at)) {
            (true, true) => Verdict::Fresh,
            (true, false) => Verdict::Stale,
            (false, _) if may_stand_in => Verdict::Expired,
            (false, _) => Verdict::Dead,
        }
    }
}

/// Says why a value could not be taken out of its envelope, as far as that can be said without its type.
fn unreadable(method: &Method, header: &Header, payload: &[u8]) -> Option<&'static str> {
    if !Codec::numbered(header.codec).is_some_and(Codec::is_built_in) {
        return Some("it is in a form that this build does not know");
    }
    if method.schema().is_some_and(|schema| schema != header.schema) {
        return Some("it is of another type");
    }
    let unpacked =
        Compression::numbered(header.compression).and_then(|how| how.unpack(payload, header.raw_len as usize));
    unpacked.is_none().then_some("it can't be decompressed")
}

fn text(refused: Refused) -> &'static str {
    match refused {
        Refused::Foreign => "it is no value of cachex",
        Refused::Version => "another version of cachex wrote it",
        Refused::Checksum => "its checksum is wrong: it was altered, or is the value of another key",
    }
}
