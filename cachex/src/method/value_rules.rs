//! The rules of an annotation that need the loaded value.

use std::time::Duration;

use super::shape::{Shape, ShareErr, SharedErr, TimedOut};
use crate::error::Error;
use crate::tag::Tags;

/// The rules of an annotation that need the loaded value, each a function or nothing.
pub struct ValueRules<S: Shape> {
    pub(crate) ttl: Option<fn(&S::Loaded) -> Duration>,
    pub(crate) tags: Option<fn(&S::Loaded, &mut Tags)>,
    pub(crate) unless: Option<fn(&S::Loaded) -> bool>,
    pub(crate) weight: Option<fn(&S::Loaded) -> u64>,
    pub(crate) timed_out: Option<fn(Error) -> S::Output>,
    pub(crate) share_err: Option<ShareErr<S::Output>>,
}

impl<S: Shape> ValueRules<S> {
    /// Starts without a rule; the shape is named so that types are inferred.
    #[must_use]
    pub const fn new(_shape: S) -> Self {
        Self { ttl: None, tags: None, unless: None, weight: None, timed_out: None, share_err: None }
    }

    /// `ttl_with`: the TTL of a value.
    #[must_use]
    pub const fn ttl_with(mut self, ttl: fn(&S::Loaded) -> Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// `tags_with`: more tags of a value.
    #[must_use]
    pub const fn tags_with(mut self, tags: fn(&S::Loaded, &mut Tags)) -> Self {
        self.tags = Some(tags);
        self
    }

    /// `unless`: which values are not kept.
    #[must_use]
    pub const fn unless(mut self, unless: fn(&S::Loaded) -> bool) -> Self {
        self.unless = Some(unless);
        self
    }

    /// `weight`: what a value counts against the capacity, in bytes.
    #[must_use]
    pub const fn weight(mut self, weight: fn(&S::Loaded) -> u64) -> Self {
        self.weight = Some(weight);
        self
    }

    /// `timeout`: what is returned to a caller whose time is up.
    #[must_use]
    pub fn timed_out(mut self) -> Self
    where
        S::Output: TimedOut,
    {
        self.timed_out = Some(S::Output::timed_out);
        self
    }
}

impl<S: Shape> ValueRules<S> {
    /// `share_err`: a load's error is given to those who waited for it, who else would each try again.
    #[must_use]
    pub fn share_err(mut self) -> Self
    where
        S::Output: SharedErr,
    {
        self.share_err = Some(ShareErr { publish: S::Output::publish_err, receive: S::Output::receive_err });
        self
    }
}

impl<S: Shape> Clone for ValueRules<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: Shape> Copy for ValueRules<S> {}

impl<S: Shape> std::fmt::Debug for ValueRules<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ValueRules").finish_non_exhaustive()
    }
}
