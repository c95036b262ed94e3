//! What is set for a method outside of its annotation: goes over a policy, or under it.

use std::time::Duration;

use super::{Jitter, Policy, Tiers};
use crate::codec::{Codec, Compression};
use crate::error::Error;

/// Settings of one method that stand in the configuration or are given at run time; what is `None` is left as it is.
///
/// The annotation of a method gives its policy; [`apply`](Self::apply) puts these settings over it, and
/// [`fill`](Self::fill) puts them under it.
///
/// Default: nothing is set.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::{MethodSettings, Policy};
///
/// let annotated = Policy::new().ttl(Duration::from_secs(300)).grace(Duration::from_secs(3600));
/// let settings = MethodSettings::new().ttl(Duration::from_secs(600)).enabled(false);
///
/// let policy = settings.apply(annotated);
/// assert_eq!(policy.ttl, Some(Duration::from_secs(600)));
/// assert_eq!(policy.grace, Some(Duration::from_secs(3600)));
/// assert!(!policy.enabled);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct MethodSettings {
    /// Age at which an entry expires. Default: as annotated.
    pub ttl: Option<Duration>,
    /// Time without an access after which an entry expires. Default: as annotated.
    pub tti: Option<Duration>,
    /// Age at which an entry is stale: still answered, and refreshed in the background. Default: as annotated.
    pub soft_ttl: Option<Duration>,
    /// An entry that has less than this left of its TTL is stale. Default: as annotated.
    pub refresh_ahead: Option<Duration>,
    /// How long an expired entry may still answer if loading fails or is slow. Default: as annotated.
    pub grace: Option<Duration>,
    /// Spread of expiries. Default: as annotated.
    pub jitter: Option<Jitter>,
    /// TTL of negative entries. Default: as annotated.
    pub negative_ttl: Option<Duration>,
    /// How long a caller waits for a load. Default: as annotated.
    pub timeout: Option<Duration>,
    /// How long a caller waits before an expired entry within its grace answers instead. Default: as annotated.
    pub soft_timeout: Option<Duration>,
    /// Whether concurrent loads of one key are joined. Default: as annotated.
    pub single_flight: Option<bool>,
    /// Whether the cache is used at all. Default: as annotated.
    pub enabled: Option<bool>,
    /// Where entries are kept, if there is a second tier. Default: as annotated.
    pub tiers: Option<Tiers>,
    /// How values become bytes in a second tier. Default: as annotated.
    pub codec: Option<Codec>,
    /// How these become fewer. Default: as annotated.
    pub compression: Option<Compression>,
    /// Whether the program may be without this method; a method that does not exist is otherwise a mistake.
    /// Default: false.
    pub optional: bool,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $example:literal;)*) => {$(
        $(#[$doc])*
        /// Default: as annotated.
        ///
        /// # Examples
        ///
        /// ```
        /// use cachex::MethodSettings;
        ///
        #[doc = concat!("let settings = MethodSettings::new().", stringify!($name), "(", $example, ");")]
        #[doc = concat!("assert_eq!(settings.", stringify!($name), ", Some(", $example, "));")]
        /// ```
        #[must_use]
        pub const fn $name(mut self, $name: $type) -> Self {
            self.$name = Some($name);
            self
        }
    )*};
}

impl MethodSettings {
    /// Starts with nothing set.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{MethodSettings, Policy};
    ///
    /// assert_eq!(MethodSettings::new().apply(Policy::new()), Policy::new());
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
            single_flight: None,
            enabled: None,
            tiers: None,
            codec: None,
            compression: None,
            optional: false,
        }
    }

    setters! {
        /// Sets the age at which an entry expires.
        ttl: Duration = "std::time::Duration::from_secs(60)";
        /// Sets the time without an access after which an entry expires.
        tti: Duration = "std::time::Duration::from_secs(60)";
        /// Sets the age at which an entry is stale.
        soft_ttl: Duration = "std::time::Duration::from_secs(60)";
        /// Sets how long before its expiry an entry is stale.
        refresh_ahead: Duration = "std::time::Duration::from_secs(60)";
        /// Sets how long an expired entry may still answer if loading fails or is slow.
        grace: Duration = "std::time::Duration::from_secs(60)";
        /// Sets the spread of expiries.
        jitter: Jitter = "cachex::Jitter::Share(0.1)";
        /// Sets the TTL of negative entries.
        negative_ttl: Duration = "std::time::Duration::from_secs(60)";
        /// Sets how long a caller waits for a load.
        timeout: Duration = "std::time::Duration::from_secs(60)";
        /// Sets how long a caller waits before an expired entry within its grace answers.
        soft_timeout: Duration = "std::time::Duration::from_secs(60)";
        /// Sets whether concurrent loads of one key are joined.
        single_flight: bool = "false";
        /// Sets whether the cache is used at all.
        enabled: bool = "false";
        /// Sets where entries are kept, if there is a second tier.
        tiers: Tiers = "cachex::Tiers::Remote";
        /// Sets how values become bytes in a second tier.
        codec: Codec = "cachex::Codec::Json";
        /// Sets how these become fewer.
        compression: Compression = "cachex::Compression::Off";
    }

    /// Sets whether the program may be without this method: settings of a method that does not exist are otherwise an
    /// error. Default: false.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, MethodSettings};
    ///
    /// let settings = MethodSettings::new().enabled(false);
    /// assert!(Cache::builder().method("elsewhere::find", settings.clone()).build().is_err());
    /// assert!(Cache::builder().method("elsewhere::find", settings.optional(true)).build().is_ok());
    /// ```
    #[must_use]
    pub const fn optional(mut self, optional: bool) -> Self {
        self.optional = optional;
        self
    }

    /// Puts these settings over a policy: what is set here replaces what the policy says.
    ///
    /// The result may be a policy that makes no sense, for example a new TTL below the annotated soft TTL:
    /// [`Policy::check`] tells.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{MethodSettings, Policy};
    ///
    /// let minute = Duration::from_secs(60);
    /// let policy = MethodSettings::new().ttl(minute).apply(Policy::new().ttl(5 * minute).soft_ttl(4 * minute));
    /// assert_eq!(policy.ttl, Some(minute));
    /// assert!(policy.check().unwrap_err().is_configuration());
    /// ```
    #[must_use]
    pub fn apply(&self, policy: Policy) -> Policy {
        Policy {
            ttl: self.ttl.or(policy.ttl),
            tti: self.tti.or(policy.tti),
            soft_ttl: self.soft_ttl.or(policy.soft_ttl),
            refresh_ahead: self.refresh_ahead.or(policy.refresh_ahead),
            grace: self.grace.or(policy.grace),
            jitter: self.jitter.or(policy.jitter),
            negative_ttl: self.negative_ttl.or(policy.negative_ttl),
            timeout: self.timeout.or(policy.timeout),
            soft_timeout: self.soft_timeout.or(policy.soft_timeout),
            single_flight: self.single_flight.unwrap_or(policy.single_flight),
            enabled: self.enabled.unwrap_or(policy.enabled),
            tiers: self.tiers.or(policy.tiers),
            codec: self.codec.or(policy.codec),
            compression: self.compression.or(policy.compression),
            values: policy.values,
        }
    }

    /// Puts these settings under a policy: they hold where the policy says nothing.
    ///
    /// A setting that would contradict the policy is left out: a default soft TTL of 4 minutes is nothing for a method
    /// with a TTL of 1 minute. So a policy that makes sense still does when it is filled with settings that do.
    /// `single_flight` and `enabled` can only be turned off here, since a policy always says one or the other.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{MethodSettings, Policy};
    ///
    /// let minute = Duration::from_secs(60);
    /// let defaults = MethodSettings::new().ttl(5 * minute).soft_ttl(4 * minute);
    ///
    /// assert_eq!(defaults.fill(Policy::new()).soft_ttl, Some(4 * minute));
    /// assert_eq!(defaults.fill(Policy::new().ttl(minute)), Policy::new().ttl(minute));
    /// ```
    #[must_use]
    pub fn fill(&self, policy: Policy) -> Policy {
        let mut filled = policy;
        filled.single_flight &= self.single_flight.unwrap_or(true);
        filled.enabled &= self.enabled.unwrap_or(true);
        // One at a time and in this order, so that each is measured against what stands already.
        let fields: [fn(&Self, &mut Policy); 12] = [
            |this, policy| policy.ttl = policy.ttl.or(this.ttl),
            |this, policy| policy.tti = policy.tti.or(this.tti),
            |this, policy| policy.soft_ttl = policy.soft_ttl.or(this.soft_ttl),
            |this, policy| policy.refresh_ahead = policy.refresh_ahead.or(this.refresh_ahead),
            |this, policy| policy.grace = policy.grace.or(this.grace),
            |this, policy| policy.jitter = policy.jitter.or(this.jitter),
            |this, policy| policy.negative_ttl = policy.negative_ttl.or(this.negative_ttl),
            |this, policy| policy.timeout = policy.timeout.or(this.timeout),
            |this, policy| policy.soft_timeout = policy.soft_timeout.or(this.soft_timeout),
            |this, policy| policy.tiers = policy.tiers.or(this.tiers),
            |this, policy| policy.codec = policy.codec.or(this.codec),
            |this, policy| policy.compression = policy.compression.or(this.compression),
        ];
        for field in fields {
            let mut next = filled.clone();
            field(self, &mut next);
            if next.mistakes().len() <= filled.mistakes().len() {
                filled = next;
            }
        }
        filled
    }

    /// Checks that what is set here fits together, whatever the policy under it.
    ///
    /// # Errors
    ///
    /// A configuration error that lists all mistakes, one on a line: those of [`Policy::check`] that the annotation of
    /// a method can't mend.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::MethodSettings;
    ///
    /// let second = Duration::from_secs(1);
    /// assert!(MethodSettings::new().soft_ttl(second).check().is_ok());
    /// assert!(MethodSettings::new().soft_ttl(second).ttl(second).check().is_err());
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        super::check::report(&self.apply(Policy::new()).conflicts())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Spans that often meet: a few seconds, zero among them.
    fn span() -> impl Strategy<Value = Option<Duration>> {
        proptest::option::of((0_u64..6).prop_map(Duration::from_secs))
    }

    fn jitter() -> impl Strategy<Value = Option<Jitter>> {
        proptest::option::of(prop_oneof![
            (0.0_f64..1.2).prop_map(Jitter::Share),
            (0_u64..6).prop_map(|seconds| Jitter::Span(Duration::from_secs(seconds))),
        ])
    }

    fn forms() -> impl Strategy<Value = (Option<Tiers>, Option<Codec>, Option<Compression>)> {
        (
            proptest::option::of(proptest::sample::select(vec![Tiers::Both, Tiers::Memory, Tiers::Remote])),
            // Seldom what is a mistake by itself: such settings are of no use to most properties.
            proptest::option::of(prop_oneof![15 => Just(Codec::Json), 1 => Just(Codec::Protobuf)]),
            proptest::option::of(proptest::sample::select(vec![Compression::Off, Compression::Lz4])),
        )
    }

    prop_compose! {
        fn settings()(
            (ttl, tti, soft_ttl, refresh_ahead) in (span(), span(), span(), span()),
            (grace, negative_ttl, timeout, soft_timeout) in (span(), span(), span(), span()),
            jitter in jitter(),
            single_flight in any::<Option<bool>>(),
            enabled in any::<Option<bool>>(),
            (tiers, codec, compression) in forms(),
        ) -> MethodSettings {
            MethodSettings {
                ttl, tti, soft_ttl, refresh_ahead, grace, jitter, negative_ttl, timeout, soft_timeout, single_flight,
                enabled, tiers, codec, compression, optional: false,
            }
        }
    }

    proptest! {
        #[test]
        fn filling_never_breaks_a_policy(annotated in settings(), defaults in settings()) {
            let annotated = annotated.apply(Policy::new());
            prop_assume!(annotated.check().is_ok());
            let filled = defaults.fill(annotated.clone());
            prop_assert!(filled.check().is_ok(), "{annotated:?} filled with {defaults:?} is {filled:?}");
        }

        #[test]
        fn filling_keeps_what_is_annotated(annotated in settings(), defaults in settings()) {
            let policy = annotated.apply(Policy::new());
            let filled = defaults.fill(policy.clone());
            let again = MethodSettings { single_flight: None, enabled: None, ..annotated }.apply(filled.clone());
            prop_assert_eq!(again, filled);
        }

        #[test]
        fn applying_twice_is_applying_once(over in settings(), under in settings()) {
            let once = over.apply(under.apply(Policy::new()));
            prop_assert_eq!(over.apply(once.clone()), once);
        }

        #[test]
        fn settings_that_conflict_do_so_over_any_policy(over in settings(), under in settings()) {
            prop_assume!(over.check().is_err());
            prop_assert!(over.apply(under.apply(Policy::new())).check().is_err());
        }
    }

    #[test]
    fn a_default_that_fits_is_taken() {
        let second = Duration::from_secs(1);
        let defaults = MethodSettings::new().ttl(9 * second).refresh_ahead(second).soft_timeout(second).grace(second);
        let filled = defaults.fill(Policy::new());
        assert_eq!(filled, Policy::new().ttl(9 * second).refresh_ahead(second).soft_timeout(second).grace(second));
        assert!(!MethodSettings::new().enabled(false).fill(Policy::new()).enabled);
        assert!(!MethodSettings::new().single_flight(false).fill(Policy::new()).single_flight);
    }

    #[test]
    fn a_default_that_the_values_can_not_have_is_left_out() {
        let defaults = MethodSettings::new().tiers(Tiers::Remote).codec(Codec::Json);
        let (local, message) = (Policy::new().local(), Policy::new().message());
        assert_eq!(defaults.fill(local.clone()), local);
        assert_eq!(defaults.fill(message.clone()), message.clone().tiers(Tiers::Remote));
        let mistakes = |policy: Policy| policy.check().map_err(|error| error.to_string()).unwrap_err();
        assert!(mistakes(defaults.apply(local)).starts_with("`tiers` is \"remote\", but the annotation says `local`"));
        assert!(
            mistakes(defaults.apply(message)).starts_with("`codec` is \"json\", but the annotation says \"protobuf\"")
        );
        let chosen = mistakes(Policy::new().codec(Codec::Protobuf));
        assert!(chosen.starts_with("`codec` is \"protobuf\", which the configuration can't choose alone"), "{chosen}");
    }
}
