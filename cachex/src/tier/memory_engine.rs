//! The names of the memory engines, and which eviction policies they have.

use std::fmt;
use std::str::FromStr;

use super::memory::Eviction;
use crate::error::Error;

/// Who decides which entries the memory tier keeps.
///
/// Whoever does, entries are kept in the same table, are found without a lock, and are equally right: an engine decides only what
/// leaves for room. In configuration each engine has the name shown by [`Display`](fmt::Display).
///
/// Default: [`Cachex`](Self::Cachex).
///
/// # Examples
///
/// ```
/// use cachex::MemoryEngine;
///
/// assert_eq!("moka".parse::<MemoryEngine>()?, MemoryEngine::Moka);
/// assert_eq!(MemoryEngine::default().to_string(), "cachex");
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MemoryEngine {
    /// Our own: every [`Eviction`] policy, [`S3Fifo`](Eviction::S3Fifo) unless another is set. Entries that are dead by age leave
    /// before the others of their shard, and what was stored last stays.
    #[default]
    Cachex,
    /// The crate [`moka`](https://docs.rs/moka), of version 0.12: TinyLFU with its record, [`Lfu`](Eviction::Lfu) here, or
    /// [`Lru`](Eviction::Lru). It needs the feature `moka`, without which a cache that is set to it can't be built.
    ///
    /// What differs:
    ///
    /// - Under TinyLFU a new entry may be the one that leaves, if those that would have to give way were used more often.
    /// - Entries that are dead by age leave with the next [`reclaim`](crate::Cache::reclaim), not before others.
    /// - The bounds are applied in batches: entries may exceed theirs by one part in 64, and by no more than 64; bytes by one part in
    ///   64. They hold again at the next [`reclaim`](crate::Cache::reclaim) or [`stats`](crate::Cache::stats), and what left since is
    ///   counted then, or with the next entry that is stored.
    /// - An entry counts as the greater of its shares of `max_entries` and of `max_bytes`, since moka has one bound. So a
    ///   cache of few heavy entries and many light ones keeps less than either bound allows.
    /// - Every look-up is noted by moka, and costs what one of moka does beside our own. Storing costs as much more as it does there, and
    ///   what removes many entries (`clear`, removal by pattern) tells moka of each, which takes some microseconds.
    /// - What leaves depends on real time and on threads, whatever the clock.
    Moka,
}

impl MemoryEngine {
    /// All engines by name, in the order in which messages list them.
    pub(crate) const NAMES: [(&'static str, Self); 2] = [("cachex", Self::Cachex), ("moka", Self::Moka)];

    /// Whether the program has it.
    pub(crate) const fn is_built_in(self) -> bool {
        match self {
            Self::Cachex => true,
            Self::Moka => cfg!(feature = "moka"),
        }
    }

    /// Returns the policy that holds unless another is set.
    pub(crate) const fn usual_eviction(self) -> Eviction {
        match self {
            Self::Cachex => Eviction::S3Fifo,
            Self::Moka => Eviction::Lfu,
        }
    }

    /// Returns the policy that comes nearest to one, if it does not have that itself.
    pub(crate) const fn instead_of(self, eviction: Eviction) -> Option<Eviction> {
        match (self, eviction) {
            (Self::Cachex, _) | (Self::Moka, Eviction::Lfu | Eviction::Lru) => None,
            (Self::Moka, Eviction::Fifo) => Some(Eviction::Lru),
            (Self::Moka, Eviction::S3Fifo | Eviction::Sieve | Eviction::Random) => Some(Eviction::Lfu),
        }
    }
}

impl fmt::Display for MemoryEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Self::NAMES.into_iter().find(|(_, engine)| engine == self);
        f.write_str(found.map(|(name, _)| name).expect("every engine has a name"))
    }
}

impl FromStr for MemoryEngine {
    type Err = Error;

    /// Reads the name of an engine.
    ///
    /// # Errors
    ///
    /// A configuration error that lists the names, if there is no engine of that name.
    fn from_str(name: &str) -> Result<Self, Error> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, engine)| engine).ok_or_else(|| {
            let names = Self::NAMES.map(|(known, _)| format!("`{known}`")).join(", ");
            Error::configuration(format!("`{name}` is not a memory engine; use one of {names}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_is_read_back_from_its_name() {
        for (name, engine) in MemoryEngine::NAMES {
            assert_eq!(engine.to_string(), name);
            assert_eq!(name.parse::<MemoryEngine>().unwrap(), engine);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "Moka".parse::<MemoryEngine>().unwrap_err();
        assert!(error.is_configuration());
        assert_eq!(error.to_string(), "`Moka` is not a memory engine; use one of `cachex`, `moka`");
    }

    #[test]
    fn an_engine_has_its_usual_policy_and_those_it_names_instead() {
        for (_, engine) in MemoryEngine::NAMES {
            assert_eq!(engine.instead_of(engine.usual_eviction()), None);
            for (_, eviction) in Eviction::NAMES {
                if let Some(instead) = engine.instead_of(eviction) {
                    assert_eq!(engine.instead_of(instead), None, "{engine}: {eviction}");
                }
            }
        }
    }
}
