//! Names of eviction policies.

/// Which entry goes when there is no room for a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Eviction {
    /// S3-FIFO.
    #[default]
    S3Fifo,
    /// Least recently used.
    Lru,
    /// Least frequently used.
    Lfu,
    /// Oldest.
    Fifo,
    /// Any.
    Random,
    /// SIEVE.
    Sieve,
}

impl Eviction {
    pub(super) const NAMES: [(&'static str, Self); 6] = [
        ("s3-fifo", Self::S3Fifo),
        ("lru", Self::Lru),
        ("lfu", Self::Lfu),
        ("fifo", Self::Fifo),
        ("random", Self::Random),
        ("sieve", Self::Sieve),
    ];
}
