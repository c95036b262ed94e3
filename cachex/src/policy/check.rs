//! Which policies make sense: a policy goes in, the mistakes in it come out.

use std::fmt;
use std::time::Duration;

use humantime::format_duration;

use super::{Jitter, Policy, Tiers, Values};
use crate::codec::Codec;
use crate::error::Error;

/// The longest span a policy may have: 100 years, of 365.25 days each.
// A timestamp counts nanoseconds in 64 bits; a longer span could reach its end.
pub(crate) const LONGEST: Duration = Duration::from_secs(100 * 31_557_600);

/// One thing that is wrong in a policy: the setting, and what to change about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The name of the setting to change.
    pub(crate) setting: &'static str,
    /// What follows the setting's name in the message.
    pub(crate) text: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.setting, self.text)
    }
}

impl Policy {
    /// Checks that the rules fit together: what the attribute checks when it is expanded, for a policy made at run time.
    ///
    /// A setting that needs a TTL passes without one, because the TTL may come from the value (`ttl_with`).
    ///
    /// # Errors
    ///
    /// A configuration error that lists all mistakes, one on a line:
    /// a span of zero or of more than 100 years; `soft_ttl`, `refresh_ahead` or `jitter` not shorter than `ttl`; both
    /// `soft_ttl` and `refresh_ahead`; `soft_timeout` without `grace`, or not shorter than `timeout`; a share of
    /// `jitter` outside of 0.0 to 1.0.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::Policy;
    ///
    /// let minute = Duration::from_secs(60);
    /// let error = Policy::new().ttl(minute).soft_ttl(minute).check().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "`soft_ttl` must be shorter than `ttl` (1m); lower it, or remove it to disable staleness"
    /// );
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        report(&self.mistakes())
    }

    /// Returns all mistakes of a whole policy.
    pub(crate) fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = self.conflicts();
        mistakes.extend(self.missing());
        mistakes
    }

    /// Returns the mistakes that no further setting could mend: they also hold for a part of a policy.
    pub(crate) fn conflicts(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let mut add = |setting, text: String| mistakes.push(Mistake { setting, text });
        for (setting, span) in self.spans() {
            if span > LONGEST {
                add(setting, "is longer than 100 years; shorten it, or remove it".to_owned());
            } else if span.is_zero() && !matches!(setting, "grace" | "refresh_ahead" | "jitter") {
                add(setting, "is zero; write a longer span, or remove it".to_owned());
            }
        }
        if let Some(Jitter::Share(share)) = self.jitter
            && !(0.0..=1.0).contains(&share)
        {
            add("jitter", "is not between 0% and 100% of `ttl`; write for example \"10%\"".to_owned());
        }
        if let Some(ttl) = self.ttl {
            let reaches = |span: Option<Duration>| span.is_some_and(|span| span >= ttl);
            let limit = format_duration(ttl);
            if reaches(self.soft_ttl) {
                let mend = "lower it, or remove it to disable staleness";
                add("soft_ttl", format!("must be shorter than `ttl` ({limit}); {mend}"));
            }
            if reaches(self.refresh_ahead) {
                let mend = "lower it, or remove it to disable refreshing";
                add("refresh_ahead", format!("must be shorter than `ttl` ({limit}); {mend}"));
            }
            if matches!(self.jitter, Some(Jitter::Span(span)) if span >= ttl) {
                add("jitter", format!("must be shorter than `ttl` ({limit}); lower it, or remove it"));
            }
        }
        if self.soft_ttl.is_some() && self.refresh_ahead.is_some() {
            add("refresh_ahead", "says the same as `soft_ttl` in another way; remove one of the two".to_owned());
        }
        if let (Some(soft), Some(timeout)) = (self.soft_timeout, self.timeout)
            && soft >= timeout
        {
            let limit = format_duration(timeout);
            add("soft_timeout", format!("must be shorter than `timeout` ({limit}); lower it, or remove it"));
        }
        mistakes.extend(self.forms());
        mistakes
    }

    /// Returns what is set of the second tier, and can't be so with values of this kind.
    fn forms(&self) -> impl Iterator<Item = Mistake> {
        let tiers = self.tiers.filter(|tiers| self.values == Values::Local && *tiers != Tiers::Memory);
        let tiers = tiers.map(|tiers| Mistake {
            setting: "tiers",
            text: format!(
                "is \"{}\", but the annotation says `local`: these values are kept in memory only; remove one of the two",
                tiers.name()
            ),
        });
        let codec = self.codec.and_then(|codec| {
            let name = codec.name();
            let text = match (self.values, codec) {
                (Values::Local, _) => {
                    "has no effect, as the annotation says `local`: these values are kept in memory only; remove it".to_owned()
                }
                (Values::Message, Codec::Protobuf) => return None,
                (Values::Message, _) => format!(
                    "is \"{name}\", but the annotation says \"protobuf\": these values are messages, which need no other form; \
                     remove it"
                ),
                (Values::Portable, Codec::Protobuf) => format!(
                    "is \"{name}\", which the configuration can't choose alone, because the values must be messages; write \
                     `codec = \"protobuf\"` in the annotation"
                ),
                (Values::Portable, _) => return None,
            };
            Some(Mistake { setting: "codec", text })
        });
        tiers.into_iter().chain(codec)
    }

    /// Returns the mistakes that a further setting would mend.
    fn missing(&self) -> Option<Mistake> {
        (self.soft_timeout.is_some() && self.grace.is_none()).then(|| Mistake {
            setting: "soft_timeout",
            text: "needs `grace`: without it no expired entry may answer; add `grace`, or remove it".to_owned(),
        })
    }

    /// Visits each span that is set, with its name.
    fn spans(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let jitter = match self.jitter {
            Some(Jitter::Span(span)) => Some(span),
            _ => None,
        };
        [
            ("ttl", self.ttl),
            ("tti", self.tti),
            ("soft_ttl", self.soft_ttl),
            ("refresh_ahead", self.refresh_ahead),
            ("grace", self.grace),
            ("jitter", jitter),
            ("negative_ttl", self.negative_ttl),
            ("timeout", self.timeout),
            ("soft_timeout", self.soft_timeout),
        ]
        .into_iter()
        .filter_map(|(setting, span)| span.map(|span| (setting, span)))
    }
}

/// Turns mistakes into one error with a line for each.
pub(super) fn report(mistakes: &[Mistake]) -> Result<(), Error> {
    if mistakes.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    Err(Error::configuration(lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn check(policy: Policy, expected: &[&str]) {
        let found = policy.check().map_or_else(|error| error.to_string(), |()| String::new());
        assert_eq!(found, expected.join("\n"), "{policy:?}");
    }

    #[test]
    fn an_empty_policy_is_fine() {
        check(Policy::new(), &[]);
    }

    #[test]
    fn each_span_may_be_alone_but_soft_timeout() {
        check(Policy::new().ttl(MINUTE), &[]);
        check(Policy::new().tti(MINUTE), &[]);
        check(Policy::new().soft_ttl(MINUTE), &[]);
        check(Policy::new().refresh_ahead(MINUTE), &[]);
        check(Policy::new().grace(MINUTE), &[]);
        check(Policy::new().negative_ttl(MINUTE), &[]);
        check(Policy::new().timeout(MINUTE), &[]);
        let expected =
            "`soft_timeout` needs `grace`: without it no expired entry may answer; add `grace`, or remove it";
        check(Policy::new().soft_timeout(MINUTE), &[expected]);
    }

    #[test]
    fn every_mistake_is_listed() {
        let policy = Policy::new().ttl(MINUTE).soft_ttl(MINUTE * 2).refresh_ahead(MINUTE).timeout(Duration::ZERO);
        check(
            policy,
            &[
                "`timeout` is zero; write a longer span, or remove it",
                "`soft_ttl` must be shorter than `ttl` (1m); lower it, or remove it to disable staleness",
                "`refresh_ahead` must be shorter than `ttl` (1m); lower it, or remove it to disable refreshing",
                "`refresh_ahead` says the same as `soft_ttl` in another way; remove one of the two",
            ],
        );
    }

    #[test]
    fn a_span_beyond_the_end_of_time_is_refused() {
        check(Policy::new().ttl(Duration::MAX), &["`ttl` is longer than 100 years; shorten it, or remove it"]);
        check(Policy::new().ttl(LONGEST), &[]);
    }

    #[test]
    fn a_jitter_is_a_part_of_the_ttl() {
        let share = "`jitter` is not between 0% and 100% of `ttl`; write for example \"10%\"";
        check(Policy::new().jitter(Jitter::Share(1.5)), &[share]);
        check(Policy::new().jitter(Jitter::Share(f64::NAN)), &[share]);
        check(Policy::new().jitter(Jitter::Share(1.0)), &[]);
        let span = "`jitter` must be shorter than `ttl` (1m); lower it, or remove it";
        check(Policy::new().ttl(MINUTE).jitter(Jitter::Span(MINUTE)), &[span]);
    }

    #[test]
    fn a_soft_timeout_ends_before_the_timeout() {
        let policy = Policy::new().grace(MINUTE).timeout(MINUTE).soft_timeout(MINUTE);
        check(policy, &["`soft_timeout` must be shorter than `timeout` (1m); lower it, or remove it"]);
    }
}
