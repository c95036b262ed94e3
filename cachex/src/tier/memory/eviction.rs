//! The names of the eviction policies.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// Which entry leaves the memory tier when a bound is reached.
///
/// A tier for 256 entries or more (and 2 MiB or more, if it is bounded by bytes) is divided into shards, up to 64 of them; the key of an
/// entry decides which one it is in. A policy sees one shard. So does the rule that holds for all policies: where there are entries
/// that are dead by age, they go before the others of their shard.
///
/// In configuration each policy has the name shown by [`Display`](fmt::Display).
///
/// Default: [`S3Fifo`](Self::S3Fifo).
///
/// # Examples
///
/// ```
/// use cachex::Eviction;
///
/// assert_eq!("lru".parse::<Eviction>()?, Eviction::Lru);
/// assert_eq!(Eviction::default().to_string(), "s3-fifo");
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Eviction {
    /// S3-FIFO: new entries prove themselves in a small queue, used ones move to a main queue. Good for most work, and
    /// unharmed by scans.
    ///
    /// Source: Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023.
    #[default]
    S3Fifo,
    /// The entry that was used longest ago leaves. Good where recent use foretells the next one.
    ///
    /// The order is kept exactly where the tier is one shard (fewer than 256 entries, or less than 2 MiB), and exactly within each
    /// shard of a larger one.
    Lru,
    /// W-TinyLFU: the entry that was used least often leaves, where old uses count less and less. Good for work that
    /// loops over more than fits.
    ///
    /// Source: Einziger, Friedman and Manes, "TinyLFU: a highly efficient cache admission policy", ACM Transactions on
    /// Storage 13(4), 2017.
    Lfu,
    /// The entry that was stored longest ago leaves, used or not; an entry that is replaced counts as stored anew.
    Fifo,
    /// Any entry leaves, each with the same chance.
    Random,
    /// SIEVE: the oldest entry that was not used since the hand last passed it leaves. Good for web-like work, weak for
    /// loops and shifting popularity.
    ///
    /// Source: Zhang et al., "SIEVE is simpler than LRU", NSDI 2024.
    Sieve,
}

impl Eviction {
    /// All policies by name, in the order in which messages list them.
    pub(crate) const NAMES: [(&'static str, Self); 6] = [
        ("s3-fifo", Self::S3Fifo),
        ("lru", Self::Lru),
        ("lfu", Self::Lfu),
        ("fifo", Self::Fifo),
        ("random", Self::Random),
        ("sieve", Self::Sieve),
    ];

    fn name(self) -> &'static str {
        let found = Self::NAMES.into_iter().find(|(_, eviction)| *eviction == self);
        found.map(|(name, _)| name).expect("every policy has a name")
    }
}

impl fmt::Display for Eviction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Eviction {
    type Err = Error;

    /// Reads the name of a policy.
    ///
    /// # Errors
    ///
    /// A configuration error that lists the names, if there is no policy of that name.
    fn from_str(name: &str) -> Result<Self, Error> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, eviction)| eviction).ok_or_else(|| {
            let names = Self::NAMES.map(|(known, _)| format!("`{known}`")).join(", ");
            Error::configuration(format!("`{name}` is not an eviction policy; use one of {names}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_read_back_from_its_name() {
        for (name, eviction) in Eviction::NAMES {
            assert_eq!(eviction.to_string(), name);
            assert_eq!(name.parse::<Eviction>().unwrap(), eviction);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "LRU".parse::<Eviction>().unwrap_err();
        assert!(error.is_configuration());
        assert_eq!(
            error.to_string(),
            "`LRU` is not an eviction policy; use one of `s3-fifo`, `lru`, `lfu`, `fifo`, `random`, `sieve`"
        );
    }
}
