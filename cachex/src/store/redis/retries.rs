//! Questions that are asked again, over another connection, where the one broke that was to bring the answer.
//!
//! Each question that is answered saves a part of a retry. So where all of them break, for a server is going down or something in between has enough of us, few more are asked than
//! without; and where one breaks now and then, as an idle one that a firewall has forgotten, nobody loads for that.

use std::sync::atomic::{AtomicU32, Ordering};

/// What one retry takes.
const ONE: u32 = 100;
/// So many are saved at most, and there from the beginning.
const MOST: u32 = 10 * ONE;

/// What is saved for retries.
#[derive(Debug)]
pub(super) struct Retries {
    /// What an answer saves.
    percent: u32,
    saved: AtomicU32,
}

impl Retries {
    /// So many retries there may be for a hundred answers.
    pub(super) fn of(percent: u32) -> Self {
        Self { percent, saved: AtomicU32::new(if percent == 0 { 0 } else { MOST }) }
    }

    /// Notes an answer.
    pub(super) fn answered(&self) {
        // Most find that there is enough, and write nothing.
        if self.percent > 0 && self.saved.load(Ordering::Relaxed) < MOST {
            let _known = self.saved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |saved| {
                Some(saved.saturating_add(self.percent).min(MOST))
            });
        }
    }

    /// Takes one, if there is one.
    // Break this (always say yes) and a server that breaks off each question is asked twice as much.
    pub(super) fn take(&self) -> bool {
        self.saved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |saved| saved.checked_sub(ONE)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_as_were_saved() {
        let retries = Retries::of(25);
        assert_eq!((0..20).filter(|_| retries.take()).count(), 10);
        for expected in [false, false, false, true, false] {
            retries.answered();
            assert_eq!(retries.take(), expected);
        }
        (0..1_000).for_each(|_| retries.answered());
        assert_eq!((0..20).filter(|_| retries.take()).count(), 10);
        let none = Retries::of(0);
        (0..1_000).for_each(|_| none.answered());
        assert!(!none.take());
    }
}
