//! W-TinyLFU: Einziger, Friedman and Manes, "TinyLFU: a highly efficient cache admission policy", ACM Transactions on
//! Storage 13(4), 2017.
//!
//! New entries enter a window. Who leaves the window is admitted to the main part only if it was seen more often than
//! the entry it would displace. The main part is a segmented LRU: on probation, then protected. Uses are counted in the
//! sketch when the policy comes across the slot, not when they happen: a reader touches nothing but its entry.

use super::lists::Lists;
use super::sketch::Sketch;
use super::{Patience, Policy, SlotId, Traces};

const WINDOW: usize = 0;
const PROBATION: usize = 1;
const PROTECTED: usize = 2;
/// The window is one part in this many of all slots, and at least one slot.
const WINDOW_PART: usize = 100;

/// Evicts what was used least often of late.
#[derive(Debug, Default)]
pub(crate) struct Lfu {
    lists: Lists<3>,
    sketch: Sketch,
}

impl Lfu {
    fn main_len(&self) -> usize {
        self.lists.len(PROBATION) + self.lists.len(PROTECTED)
    }

    fn window_share(&self) -> usize {
        ((self.lists.len(WINDOW) + self.main_len()) / WINDOW_PART).max(1)
    }

    /// Moves the uses of a slot into the sketch; returns whether there were any.
    fn count_uses(&mut self, slot: SlotId, traces: &impl Traces) -> bool {
        let uses = traces.uses(slot);
        self.sketch.add(traces.hash(slot), uses);
        traces.set_uses(slot, 0);
        uses > 0
    }

    /// Returns the slot that is to leave the window: the oldest not used since it was last looked at.
    fn window_candidate(&mut self, traces: &impl Traces) -> Option<SlotId> {
        let mut patience = Patience::of(self.lists.len(WINDOW), 1);
        loop {
            let slot = self.lists.oldest(WINDOW)?;
            if !self.count_uses(slot, traces) || !patience.lasts() {
                return Some(slot);
            }
            self.lists.move_to(WINDOW, slot);
        }
    }

    /// Returns the slot that is to leave the main part.
    fn main_victim(&mut self, traces: &impl Traces) -> Option<SlotId> {
        let mut patience = Patience::of(self.main_len(), 1);
        loop {
            let Some(slot) = self.lists.oldest(PROBATION) else {
                let slot = self.lists.oldest(PROTECTED)?;
                self.lists.move_to(PROBATION, slot);
                continue;
            };
            if !self.count_uses(slot, traces) || !patience.lasts() {
                return Some(slot);
            }
            self.lists.move_to(PROTECTED, slot);
            // The protected part holds at most four fifths of the main part.
            while self.lists.len(PROTECTED) * 5 > self.main_len() * 4 {
                let Some(demoted) = self.lists.oldest(PROTECTED) else { break };
                self.lists.move_to(PROBATION, demoted);
            }
        }
    }
}

impl Policy for Lfu {
    fn enter(&mut self, slot: SlotId, hash: u64, _traces: &impl Traces) {
        self.lists.push(WINDOW, slot);
        self.sketch.reserve(self.lists.len(WINDOW) + self.main_len());
        self.sketch.add(hash, 1);
        // While there is room, who leaves the window is admitted without a contest.
        while self.lists.len(WINDOW) > self.window_share() {
            let Some(admitted) = self.lists.oldest(WINDOW) else { break };
            self.lists.move_to(PROBATION, admitted);
        }
    }

    fn forget(&mut self, slot: SlotId, empty: &mut Vec<SlotId>) {
        self.lists.remove(slot);
        empty.push(slot);
    }

    fn evict(&mut self, traces: &impl Traces, _empty: &mut Vec<SlotId>) -> Option<SlotId> {
        let is_window_full = self.lists.len(WINDOW) >= self.window_share();
        let victim = match self.main_victim(traces) {
            None => self.window_candidate(traces)?,
            Some(victim) if !is_window_full => victim,
            Some(victim) => match self.window_candidate(traces) {
                None => victim,
                Some(candidate) => self.loser(candidate, victim, traces),
            },
        };
        self.lists.remove(victim);
        Some(victim)
    }

    #[cfg(test)]
    fn members(&self) -> Vec<SlotId> {
        [WINDOW, PROBATION, PROTECTED].map(|list| self.lists.oldest_first(list)).concat()
    }
}

impl Lfu {
    /// Decides between who leaves the window and who leaves the main part; the winner is on probation.
    fn loser(&mut self, candidate: SlotId, victim: SlotId, traces: &impl Traces) -> SlotId {
        let seen = |slot| self.sketch.count(traces.hash(slot));
        if seen(candidate) > seen(victim) {
            self.lists.move_to(PROBATION, candidate);
            victim
        } else {
            candidate
        }
    }
}
