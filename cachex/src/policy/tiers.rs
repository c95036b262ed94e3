//! Where the entries of a method are kept, and in which form.

/// In which tiers the entries of a method are kept, where the cache has a second one.
///
/// In configuration and annotations: `tiers`, by the names shown. A cache without a second tier keeps all entries in memory, whatever is
/// set here: there is nobody to share them with.
///
/// Default: [`Both`](Self::Both).
///
/// # Examples
///
/// ```
/// use cachex::{Policy, Tiers};
///
/// assert_eq!(Policy::new().tiers(Tiers::Remote).tiers, Some(Tiers::Remote));
/// assert_eq!(Tiers::default(), Tiers::Both);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tiers {
    /// `both`: in memory, and shared with other processes.
    #[default]
    Both,
    /// `memory`: other processes have entries of their own. Invalidations reach them as ever.
    Memory,
    /// `remote`: shared, and never kept in memory. A call that begins once an invalidation has returned in *any* process is not answered with
    /// what was before it; that costs each call a question to the second tier, and while that is out of reach each call loads.
    Remote,
}

impl Tiers {
    pub(crate) const NAMES: [(&'static str, Self); 3] =
        [("both", Self::Both), ("memory", Self::Memory), ("remote", Self::Remote)];

    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        let found = Self::NAMES.into_iter().find(|(_, tiers)| *tiers == self);
        found.map(|(name, _)| name).expect("all tiers have a name")
    }
}

/// What is known of the values of a method: which forms they can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Values {
    /// Whatever serde can write.
    #[default]
    Portable,
    /// None: they are for memory only.
    Local,
    /// That of a protobuf message.
    Message,
}
