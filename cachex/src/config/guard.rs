//! Guards of the second tier that a test can leave out, to show that somebody notices: with the feature `mutants`, which is for the tests
//! of cachex itself.

/// A guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum Guard {
    /// A value is stored only with the lease of its key.
    Lease,
    /// A value is stamped with the clock from before its load.
    EarlyClock,
    /// What is taken from L2 is kept here only if nothing was invalidated since it was asked for.
    Promotion,
    /// Memory is emptied when notices may have been lost.
    Flush,
    /// Who asks L2 about what is on its way waits until it has arrived.
    Outbox,
    /// Groups that a load finds out are looked up in the log of invalidations.
    Mint,
    /// Notices of others are acted upon.
    Notices,
}
