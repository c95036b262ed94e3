//! Who leaves when room is needed: slots come in as they are filled, victims go out.
//!
//! Policies are pure structures over slot numbers. They know nothing of keys, values and locks; what readers left behind
//! they see through [`Traces`]. How many slots they hold is bounded from outside: shares (the small queue, the window)
//! are shares of the slots held now.
//!
//! Reading order: [`lists`] and [`queues`] (with [`link`]), then the policies from plain to rich: [`fifo`], [`random`], [`lru`],
//! [`sieve`], [`s3_fifo`] (with [`ghost`]), [`lfu`] (with [`sketch`]).

mod fifo;
mod ghost;
mod lfu;
mod link;
mod lists;
mod lru;
mod queues;
mod random;
mod s3_fifo;
mod sieve;
mod sketch;
#[cfg(test)]
mod tests;

use super::eviction::Eviction;

/// The number of a slot within its shard.
pub(crate) type SlotId = u32;

/// A shard has fewer slots than this: a number, and two bits for where the slot is, are four bytes.
pub(crate) const MOST_SLOTS: SlotId = (1 << 30) - 1;

/// What readers left behind at each slot.
pub(crate) trait Traces {
    /// Returns the uses since the policy last set them.
    fn uses(&self, slot: SlotId) -> u8;
    /// Sets the uses that count from now on.
    fn set_uses(&self, slot: SlotId, uses: u8);
    /// Returns the shard's tick at the last use: of two slots, the one used later has the greater.
    fn used_at(&self, slot: SlotId) -> u64;
    /// Returns the hash of the key in the slot.
    fn hash(&self, slot: SlotId) -> u64;
}

/// An eviction policy.
pub(crate) trait Policy {
    /// Takes in a slot that was filled, by a key with this hash.
    fn enter(&mut self, slot: SlotId, hash: u64, traces: &impl Traces);
    /// Notes that the entry of a slot was replaced; its uses were carried over and one was added.
    fn renew(&mut self, _slot: SlotId) {}
    /// Forgets a slot that was emptied for another reason than room. Numbers that may be used anew are added to `empty`: this
    /// one at once, or later.
    fn forget(&mut self, slot: SlotId, empty: &mut Vec<SlotId>);
    /// Chooses the slot to empty for room and forgets it; `None` if there is none. Its number may be used anew; others that may
    /// be from now on are added to `empty`.
    fn evict(&mut self, traces: &impl Traces, empty: &mut Vec<SlotId>) -> Option<SlotId>;
    /// Notes the hash of the key that was in the slot chosen last.
    fn note_victim(&mut self, _hash: u64) {}
    /// Returns all slots held, in any order.
    #[cfg(test)]
    fn members(&self) -> Vec<SlotId>;
}

/// How often a policy passes over slots because they are used, before it takes the one at hand.
///
/// Readers use slots meanwhile, without the lock under which the policy looks for one. On many cores they may use all slots
/// of a small shard faster than it passes over them: without an end to that, it would look for ever, and all writers wait.
struct Patience(usize);

impl Patience {
    /// Enough to pass over each of so many slots so many times: more than that is readers' doing.
    fn of(slots: usize, times: usize) -> Self {
        Self(slots.saturating_mul(times))
    }

    /// Says that a slot is passed over, if it may be.
    fn lasts(&mut self) -> bool {
        let lasts = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        lasts
    }
}

/// What a reader notes for a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trace {
    /// Nothing.
    Nothing,
    /// A use, counted up to `most`.
    Count { most: u8 },
    /// The tick of the use.
    Order,
}

impl Trace {
    /// Returns a number that what is noted does not exceed, or what it exceeds always.
    pub(crate) const fn most(self) -> u32 {
        match self {
            Self::Nothing => 0,
            Self::Count { most } => most as u32,
            Self::Order => u32::MAX,
        }
    }
}

impl Eviction {
    pub(crate) const fn trace(self) -> Trace {
        match self {
            Self::S3Fifo => Trace::Count { most: s3_fifo::MOST_USES },
            Self::Lfu => Trace::Count { most: sketch::MOST },
            Self::Sieve => Trace::Count { most: 1 },
            Self::Lru => Trace::Order,
            Self::Fifo | Self::Random => Trace::Nothing,
        }
    }

    /// Makes an empty policy; `seed` decides what [`Eviction::Random`] chooses.
    pub(crate) fn policy(self, seed: u64) -> Chosen {
        match self {
            Self::S3Fifo => Chosen::S3Fifo(s3_fifo::S3Fifo::default()),
            Self::Lru => Chosen::Lru(lru::Lru::default()),
            Self::Lfu => Chosen::Lfu(lfu::Lfu::default()),
            Self::Fifo => Chosen::Fifo(fifo::Fifo::default()),
            Self::Random => Chosen::Random(random::Random::new(seed)),
            Self::Sieve => Chosen::Sieve(sieve::Sieve::default()),
        }
    }
}

/// The policy that was chosen by name.
#[derive(Debug)]
pub(crate) enum Chosen {
    S3Fifo(s3_fifo::S3Fifo),
    Lru(lru::Lru),
    Lfu(lfu::Lfu),
    Fifo(fifo::Fifo),
    Random(random::Random),
    Sieve(sieve::Sieve),
}

/// Does the same with whichever policy it is.
macro_rules! with {
    ($chosen:expr, $policy:ident => $does:expr) => {
        match $chosen {
            Self::S3Fifo($policy) => $does,
            Self::Lru($policy) => $does,
            Self::Lfu($policy) => $does,
            Self::Fifo($policy) => $does,
            Self::Random($policy) => $does,
            Self::Sieve($policy) => $does,
        }
    };
}

impl Policy for Chosen {
    fn enter(&mut self, slot: SlotId, hash: u64, traces: &impl Traces) {
        with!(self, policy => policy.enter(slot, hash, traces));
    }

    fn renew(&mut self, slot: SlotId) {
        with!(self, policy => policy.renew(slot));
    }

    fn forget(&mut self, slot: SlotId, empty: &mut Vec<SlotId>) {
        with!(self, policy => policy.forget(slot, empty));
    }

    fn evict(&mut self, traces: &impl Traces, empty: &mut Vec<SlotId>) -> Option<SlotId> {
        with!(self, policy => policy.evict(traces, empty))
    }

    fn note_victim(&mut self, hash: u64) {
        with!(self, policy => policy.note_victim(hash));
    }

    #[cfg(test)]
    fn members(&self) -> Vec<SlotId> {
        with!(self, policy => policy.members())
    }
}
