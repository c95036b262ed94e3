//! What to do with what was found: the one decision of a look-up, as a pure function.

use crate::entry::Freshness;

/// The verdict for one look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Answer with the value.
    Answer,
    /// Answer with the value, and load a new one in the background.
    AnswerAndRefresh,
    /// Load a new one here, unless somebody does already: then answer with the value.
    RefreshHere,
    /// Load; the value may answer if that fails.
    LoadOrFallBack,
    /// Load.
    Load,
}

/// Whether the method's loads can outlive their call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The load borrows from the call.
    Borrowed,
    /// The load owns what it needs.
    Detached,
}

/// Decides what is to be done with a current entry of the given age, or with none.
pub(crate) fn plan(found: Option<Freshness>, reach: Reach) -> Plan {
    match (found, reach) {
        (Some(Freshness::Fresh), _) => Plan::Answer,
        (Some(Freshness::Stale), Reach::Detached) => Plan::AnswerAndRefresh,
        (Some(Freshness::Stale), Reach::Borrowed) => Plan::RefreshHere,
        (Some(Freshness::Expired), _) => Plan::LoadOrFallBack,
        (Some(Freshness::Dead) | None, _) => Plan::Load,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_age_has_one_verdict() {
        for (found, borrowed, detached) in [
            (None, Plan::Load, Plan::Load),
            (Some(Freshness::Fresh), Plan::Answer, Plan::Answer),
            (Some(Freshness::Stale), Plan::RefreshHere, Plan::AnswerAndRefresh),
            (Some(Freshness::Expired), Plan::LoadOrFallBack, Plan::LoadOrFallBack),
            (Some(Freshness::Dead), Plan::Load, Plan::Load),
        ] {
            assert_eq!(plan(found, Reach::Borrowed), borrowed, "{found:?}");
            assert_eq!(plan(found, Reach::Detached), detached, "{found:?}");
        }
    }
}
