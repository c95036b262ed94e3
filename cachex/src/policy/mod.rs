//! The rules of a method: how long its entries live, when they are refreshed, how long a caller waits.
//!
//! Reading order: [`Policy`], [`tiers`] (where entries are kept), [`check`] and [`constant`] (which policies make sense), [`settings`] (what is set outside of the annotation).

mod check;
mod constant;
mod settings;
mod tiers;

use std::time::Duration;

use crate::codec::{Codec, Compression};
pub(crate) use check::{LONGEST, Mistake};
pub use settings::MethodSettings;
pub use tiers::Tiers;
use tiers::Values;

/// How much the lifetime of each entry is shortened at random, so that entries loaded together do not expire together.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::{Jitter, Policy};
///
/// // Each entry lives between 9 and 10 minutes.
/// let policy = Policy::new().ttl(Duration::from_secs(600)).jitter(Jitter::Share(0.1));
/// assert_eq!(policy.jitter, Some(Jitter::Share(0.1)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Jitter {
    /// By up to this share of the TTL, 0.0 to 1.0.
    Share(f64),
    /// By up to this span.
    Span(Duration),
}

/// The rules by which the entries of a method are kept.
///
/// Default: entries never expire, are never stale, and concurrent loads of one key are joined.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::Policy;
///
/// let policy = Policy::new().ttl(Duration::from_secs(300)).grace(Duration::from_secs(3600));
/// assert_eq!(policy.ttl, Some(Duration::from_secs(300)));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// Age at which an entry expires. Default: never.
    pub ttl: Option<Duration>,
    /// Time without an access after which an entry expires. Default: never.
    pub tti: Option<Duration>,
    /// Age at which an entry is stale: still answered, and refreshed in the background. Default: never.
    pub soft_ttl: Option<Duration>,
    /// An entry that has less than this left of its TTL is stale. Default: none.
    pub refresh_ahead: Option<Duration>,
    /// How long an expired entry may still answer if loading fails or is slow. Default: not at all.
    pub grace: Option<Duration>,
    /// Spread of expiries. Default: none.
    pub jitter: Option<Jitter>,
    /// TTL of negative entries (a kept `None` or a kept error). Default: the TTL.
    pub negative_ttl: Option<Duration>,
    /// How long a caller waits for a load; the load goes on, and its value is kept. Default: until it ends.
    pub timeout: Option<Duration>,
    /// How long a caller waits before an expired entry within its grace answers instead. Default: until the load ends.
    pub soft_timeout: Option<Duration>,
    /// Whether concurrent loads of one key are joined. Default: true.
    pub single_flight: bool,
    /// Whether the cache is used at all. Default: true.
    pub enabled: bool,
    /// Where entries are kept, if there is a second tier. Default: in both.
    pub tiers: Option<Tiers>,
    /// How values become bytes in a second tier. Default: as that is set, `remote.codec`.
    pub codec: Option<Codec>,
    /// How these become fewer. Default: as the second tier is set, `remote.compression`.
    pub compression: Option<Compression>,
    /// Which forms the values can have, by their type.
    values: Values,
}

macro_rules! spans {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Examples
        ///
        /// ```
        /// use std::time::Duration;
        /// use cachex::Policy;
        ///
        #[doc = concat!("let policy = Policy::new().", stringify!($name), "(Duration::from_secs(60));")]
        #[doc = concat!("assert_eq!(policy.", stringify!($name), ", Some(Duration::from_secs(60)));")]
        /// ```
        #[must_use]
        pub const fn $name(mut self, span: Duration) -> Self {
            self.$name = Some(span);
            self
        }
    )*};
}

impl Policy {
    /// Makes the default policy.
    ///
    /// # Examples
    ///
    /// ```
    /// let policy = cachex::Policy::new();
    /// assert_eq!((policy.ttl, policy.single_flight, policy.enabled), (None, true, true));
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            ttl: None,
            tti: None,
            soft_ttl: None,
            refresh_ahead: None,
            grace: None,
            jitter: None,
            negative_ttl: None,
            timeout: None,
            soft_timeout: None,
            single_flight: true,
            enabled: true,
            tiers: None,
            codec: None,
            compression: None,
            values: Values::Portable,
        }
    }

    spans! {
        /// Sets the age at which an entry expires. Default: never.
        ttl;
        /// Sets the time without an access after which an entry expires. Default: never.
        tti;
        /// Sets the age at which an entry is stale: still answered, and refreshed. Default: never.
        soft_ttl;
        /// Sets how long before its expiry an entry is stale. Default: not at all.
        refresh_ahead;
        /// Sets how long an expired entry may still answer if loading fails or is slow. Default: not at all.
        grace;
        /// Sets the TTL of negative entries (a kept `None` or a kept error). Default: the TTL.
        negative_ttl;
        /// Sets how long a caller waits for a load. Default: until it ends.
        timeout;
        /// Sets how long a caller waits before an expired entry within its grace answers. Default: until the load ends.
        soft_timeout;
    }

    /// Sets the spread of expiries. Default: none.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Jitter, Policy};
    ///
    /// let policy = Policy::new().jitter(Jitter::Span(Duration::from_secs(5)));
    /// assert_eq!(policy.jitter, Some(Jitter::Span(Duration::from_secs(5))));
    /// ```
    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = Some(jitter);
        self
    }

    /// Sets whether concurrent loads of one key are joined. Default: true.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(!cachex::Policy::new().single_flight(false).single_flight);
    /// ```
    #[must_use]
    pub const fn single_flight(mut self, joined: bool) -> Self {
        self.single_flight = joined;
        self
    }

    /// Sets whether the cache is used at all. Default: true.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(!cachex::Policy::new().enabled(false).enabled);
    /// ```
    #[must_use]
    pub const fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Sets where entries are kept, if there is a second tier. Default: in both.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Policy, Tiers};
    ///
    /// assert_eq!(Policy::new().tiers(Tiers::Memory).tiers, Some(Tiers::Memory));
    /// ```
    #[must_use]
    pub const fn tiers(mut self, tiers: Tiers) -> Self {
        self.tiers = Some(tiers);
        self
    }

    /// Sets how values become bytes in a second tier. Default: as that is set.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Codec, Policy};
    ///
    /// assert_eq!(Policy::new().codec(Codec::Json).codec, Some(Codec::Json));
    /// ```
    #[must_use]
    pub const fn codec(mut self, codec: Codec) -> Self {
        self.codec = Some(codec);
        self
    }

    /// Sets how the bytes become fewer. Default: as the second tier is set.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Compression, Policy};
    ///
    /// let policy = Policy::new().compression(Compression::Off);
    /// assert_eq!(policy.compression, Some(Compression::Off));
    /// ```
    #[must_use]
    pub const fn compression(mut self, compression: Compression) -> Self {
        self.compression = Some(compression);
        self
    }

    /// Says that values have no form outside of memory.
    #[doc(hidden)]
    #[must_use]
    pub const fn local(mut self) -> Self {
        self.values = Values::Local;
        self.tiers = Some(Tiers::Memory);
        self
    }

    /// Says that values are protobuf messages.
    #[doc(hidden)]
    #[must_use]
    pub const fn message(mut self) -> Self {
        self.values = Values::Message;
        self.codec = Some(Codec::Protobuf);
        self
    }

    /// Whether entries are to be kept in memory, where there is a second tier.
    pub(crate) fn keeps_in_memory(&self) -> bool {
        self.tiers != Some(Tiers::Remote)
    }

    /// Leaves out what is said of a second tier, where there is none: entries are kept in memory.
    pub(crate) fn in_memory(self) -> Self {
        Self { tiers: None, ..self }
    }

    /// Whether entries are to be kept in a second tier, where there is one.
    #[cfg(feature = "remote")]
    pub(crate) fn keeps_remotely(&self) -> bool {
        self.tiers != Some(Tiers::Memory)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}
