//! What becomes of a loaded value: how long it lives, what it weighs, which tags it has, whether it is kept.

use std::hash::BuildHasher;
use std::time::Duration;

use super::Engine;
use super::job::Job;
use super::subject::Subject;
use crate::caught::caught;
use crate::entry::stamp::Stamp;
use crate::entry::{Entry, Life, Meta};
use crate::key::KeyRef;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::policy::{Jitter, LONGEST, Policy};
use crate::time::Timestamp;

/// What an entry takes beside its key and value, in bytes: metadata, index and policy.
const OVERHEAD: u64 = 160;

/// What an entry weighs at most where there is no bound by bytes: as many as can be numbered are then still added up.
const MOST_UNBOUNDED: u64 = u32::MAX as u64;

/// A loaded value, ready to be handed to followers and, if it is kept, to be stored.
pub(crate) struct Appraised {
    pub(crate) entry: Entry,
    pub(crate) is_kept: bool,
}

impl<U: Subject, S: Shape, K: Keep<S::Value>> Job<U, S, K> {
    /// Appraises a value by the rules of the annotation. Nothing if one of the user's rules panicked: the value is then
    /// returned to its caller as if there were no cache.
    pub(super) fn appraise(
        &self,
        stamp: Stamp,
        value: &S::Value,
        load_time: Option<Duration>,
        now: Timestamp,
    ) -> Option<Appraised> {
        caught(|| self.appraise_by_rules(stamp, value, load_time, now))
    }

    fn appraise_by_rules(
        &self,
        stamp: Stamp,
        value: &S::Value,
        load_time: Option<Duration>,
        now: Timestamp,
    ) -> Appraised {
        let (engine, at) = (self.subject.engine(), self.subject.at());
        let loaded = self.shape.loaded(value);
        let is_negative = self.shape.is_negative(value);
        let more_tags = self.rules.tags.zip(loaded).map(|(more, loaded)| {
            let mut tags = self.tags.clone();
            more(loaded, &mut tags);
            let ids = engine.tag_ids(&tags);
            (tags, ids)
        });
        let own_ttl = self.rules.ttl.zip(loaded).map(|(ttl, loaded)| ttl(loaded).min(LONGEST));
        let ttl = lifetime(self.policy(), own_ttl, is_negative);
        let is_refused = self.rules.unless.zip(loaded).is_some_and(|(unless, loaded)| unless(loaded));
        let size = match self.rules.weight.zip(loaded) {
            Some((weight, loaded)) => weight(loaded),
            None if engine.is_bounded_by_bytes => self.keep.size(value),
            None => size_of::<S::Value>() as u64,
        };
        let meta = Meta {
            key: at.parts(),
            stamp,
            tags: more_tags.as_ref().map_or((&self.tags, &self.tag_ids), |(tags, ids)| (tags, ids)),
            life: engine.life(self.policy(), ttl, at, stamp, now),
            weight: engine.weight(at, size),
            is_negative,
            load_time,
        };
        let entry = self.keep.entry(&meta, self.keep.copy(value));
        Appraised { entry, is_kept: !is_refused && ttl != Some(Duration::ZERO) }
    }
}

/// Returns the TTL of a value: of a negative one, of its own, or the method's.
pub(crate) fn lifetime(policy: &Policy, own: Option<Duration>, is_negative: bool) -> Option<Duration> {
    match (is_negative, policy.negative_ttl) {
        (true, Some(negative)) => Some(negative),
        _ => own.or(policy.ttl),
    }
}

impl Engine {
    /// Returns what an entry counts against the capacity, in bytes.
    pub(crate) fn weight(&self, at: KeyRef<'_>, size: u64) -> u64 {
        let weight = size.saturating_add(at.bytes.len() as u64).saturating_add(OVERHEAD);
        if self.is_bounded_by_bytes { weight } else { weight.min(MOST_UNBOUNDED) }
    }

    /// Returns the times of an entry that is made now.
    pub(crate) fn life(
        &self,
        policy: &Policy,
        ttl: Option<Duration>,
        at: KeyRef<'_>,
        stamp: Stamp,
        now: Timestamp,
    ) -> Life {
        let draw = || self.draw(at, stamp, now);
        let ttl = ttl.map(|ttl| shorten(ttl, policy.jitter, draw));
        let stale_after = match (policy.soft_ttl, policy.refresh_ahead, ttl) {
            (Some(soft), ..) => Some(soft),
            (None, Some(ahead), Some(ttl)) => Some(ttl.saturating_sub(ahead)),
            _ => None,
        };
        let at = |span: Option<Duration>| span.map_or(Timestamp::NEVER, |span| now.after(span));
        let (stale_at, expires_at) = (at(stale_after), at(ttl));
        Life {
            created_at: now,
            accessed_at: now,
            stale_at,
            expires_at,
            grace: policy.grace.unwrap_or_default(),
            tti: policy.tti,
        }
    }

    /// Draws a number from 0.0 up to 1.0 that depends on nothing but the seed, the key and the moment, so that a run under
    /// a manual clock can be repeated.
    fn draw(&self, at: KeyRef<'_>, stamp: Stamp, now: Timestamp) -> f64 {
        let hasher = foldhash::quality::FixedState::with_seed(self.seed);
        let bits = hasher.hash_one((at.region.name(), at.bytes, stamp, now));
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Shortens a TTL by its jitter.
fn shorten(ttl: Duration, jitter: Option<Jitter>, draw: impl FnOnce() -> f64) -> Duration {
    let most = match jitter {
        None => return ttl,
        Some(Jitter::Share(share)) => ttl.mul_f64(share.clamp(0.0, 1.0)),
        Some(Jitter::Span(span)) => span.min(ttl),
    };
    ttl - most.mul_f64(draw())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_negative_value_has_its_own_ttl() {
        let policy = Policy::new().ttl(MINUTE).negative_ttl(Duration::from_secs(1));
        assert_eq!(lifetime(&policy, None, false), Some(MINUTE));
        assert_eq!(lifetime(&policy, Some(Duration::from_secs(2)), false), Some(Duration::from_secs(2)));
        assert_eq!(lifetime(&policy, Some(Duration::from_secs(2)), true), Some(Duration::from_secs(1)));
        assert_eq!(lifetime(&Policy::new().ttl(MINUTE), None, true), Some(MINUTE));
    }

    #[test]
    fn jitter_only_shortens_and_by_no_more_than_its_span() {
        assert_eq!(shorten(MINUTE, None, || 0.5), MINUTE);
        assert_eq!(shorten(MINUTE, Some(Jitter::Share(0.5)), || 0.5), Duration::from_secs(45));
        assert_eq!(shorten(MINUTE, Some(Jitter::Span(Duration::from_secs(10))), || 0.1), Duration::from_secs(59));
        assert!(shorten(Duration::from_nanos(1), Some(Jitter::Share(1.0)), || 0.999) <= Duration::from_nanos(1));
    }
}
