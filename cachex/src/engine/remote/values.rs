//! Entries as the store keeps them, and the other way round.

use std::time::Duration;

use crate::caught::caught;
use crate::codec::Compression;
use crate::engine::Engine;
use crate::entry::stamp::Stamp;
use crate::entry::{Entry, Life, Meta};
use crate::key::KeyRef;
use crate::method::keep::Keep;
use crate::policy::Policy;
use crate::store::{Group, Reading};
use crate::tag::{Tag, Tags};
use crate::tier::remote::envelope::{self, Header};
use crate::tier::remote::name;
use crate::time::Timestamp;

/// A value that is ready for a store, but for its stamp.
#[derive(Clone, Debug)]
pub(crate) struct Portion {
    header: Header,
    payload: Vec<u8>,
    identity: u64,
    /// How long it is of use at all.
    pub(super) life: Option<Duration>,
    /// All that it depends on.
    pub(super) groups: Vec<Group>,
}

impl Portion {
    /// Seals it with a stamp.
    pub(super) fn sealed(&self, stamp: Reading) -> Option<Vec<u8>> {
        envelope::seal(&Header { stamp, ..self.header.clone() }, &self.payload, self.identity)
    }
}

/// Returns a span in milliseconds.
pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl Engine {
    /// Makes of an entry what the store keeps. Nothing if the value refuses, or is for memory only.
    pub(in crate::engine) fn portion<V, K: Keep<V>>(
        &self,
        at: KeyRef<'_>,
        policy: &Policy,
        entry: &Entry,
        (keep, value): (K, &V),
    ) -> Option<Portion> {
        let rules = self.remote.as_ref().filter(|_| policy.keeps_remotely())?.rules;
        let codec = keep.codec(policy.codec.unwrap_or(rules.codec));
        // Code of users, of which a cache must not break.
        let raw = caught(|| keep.encode(value, codec))??;
        let raw_len = u32::try_from(raw.len()).ok()?;
        let is_long = raw.len() as u64 >= rules.compression_threshold;
        let wanted = policy.compression.unwrap_or(rules.compression);
        // The level is that of the compression beside which it is set.
        let level = rules.compression_level.filter(|_| wanted == rules.compression);
        let packed = is_long.then(|| wanted.pack(&raw, level)).flatten();
        let compression = if packed.is_some() { wanted } else { Compression::Off };
        let payload = packed.unwrap_or(raw);
        let (now, wall) = (self.now(), millis(self.clock().unix_time()));
        let life = entry.life(now);
        let span = |until: Timestamp| (until != Timestamp::NEVER).then(|| until.since(now));
        let at_wall = |until| span(until).map(|span| wall.saturating_add(millis(span)));
        let tags = entry.tag_names().map(Group::tag);
        let own = self.method(at.region).groups();
        let groups: Vec<_> = own.iter().cloned().chain(tags).collect();
        // Everything and the method, which a value need not name.
        let tags = groups.iter().filter(|group| group.as_tag().is_some()).cloned().collect();
        let header = Header {
            codec: codec.number(),
            compression: compression.number(),
            raw_len,
            schema: keep.schema()?,
            stamp: Reading::default(),
            created_at: wall,
            stale_at: at_wall(life.stale_at),
            expires_at: at_wall(entry.deadline()),
            load_time: entry.load_time().map_or(0, |time| u32::try_from(time.as_micros()).unwrap_or(u32::MAX)),
            is_negative: entry.is_negative(),
            groups: tags,
        };
        let life = span(entry.deadline()).map(|span| span.saturating_add(life.grace));
        let identity = name::identity(&self.namespace, at);
        Some(Portion { header, payload, identity, life, groups })
    }

    /// Returns when a value ends to be of use, if it has not yet.
    pub(super) fn end_of(&self, header: &Header) -> Option<Timestamp> {
        let Some(at) = header.expires_at else { return Some(Timestamp::NEVER) };
        let left = at.checked_sub(millis(self.clock().unix_time())).filter(|left| *left > 0)?;
        Some(self.now().after(Duration::from_millis(left)))
    }

    /// Returns what is known of a value that gets another end.
    pub(super) fn ending_after(&self, header: &Header, ttl: Duration) -> Header {
        let expires_at = Some(millis(self.clock().unix_time()).saturating_add(millis(ttl)));
        Header { expires_at, ..header.clone() }
    }

    /// Makes an entry of what the store keeps, as of `stamp` here.
    pub(super) fn entry_of<V, K: Keep<V>>(
        &self,
        at: KeyRef<'_>,
        header: &Header,
        (value, keep): (V, K),
        policy: &Policy,
        stamp: Stamp,
    ) -> Entry {
        let (now, wall) = (self.now(), millis(self.clock().unix_time()));
        let names = header.groups.iter().filter_map(Group::as_tag);
        let others = names.filter(|name| at.region.tags().iter().all(|tag| tag.as_str() != *name));
        let tags: Tags = others.map(|name| Tag::from(name.to_owned())).collect();
        let here = |at: Option<u64>| {
            at.map_or(Timestamp::NEVER, |at| now.after(Duration::from_millis(at.saturating_sub(wall))))
        };
        let age = Duration::from_millis(wall.saturating_sub(header.created_at));
        let created_at = Timestamp::from_nanos(now.as_nanos().saturating_sub(age.as_nanos() as u64));
        let size = if self.is_bounded_by_bytes { keep.size(&value) } else { size_of::<V>() as u64 };
        let meta = Meta {
            key: at.parts(),
            stamp,
            tags: (&tags, &self.tag_ids(&tags)),
            life: Life {
                created_at,
                accessed_at: now,
                stale_at: here(header.stale_at),
                expires_at: here(header.expires_at),
                grace: policy.grace.unwrap_or_default(),
                tti: policy.tti,
            },
            weight: self.weight(at, size),
            is_negative: header.is_negative,
            load_time: Some(Duration::from_micros(u64::from(header.load_time))),
        };
        keep.entry(&meta, value)
    }
}
