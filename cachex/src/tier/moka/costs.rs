//! Two bounds made one: moka knows one bound of one sum, in numbers of 32 bits.

use super::Limits;

/// What entries cost, so that a sum within [`capacity`](Self::capacity) means that there are neither too many nor too heavy ones.
///
/// An entry costs the greater of its share of the entries and its share of the bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Costs {
    capacity: u32,
    /// The share of one entry.
    least: u32,
    max_bytes: Option<u64>,
}

impl Costs {
    pub(super) fn new(limits: Limits) -> Self {
        let entries = u32::try_from(limits.max_entries).unwrap_or(u32::MAX);
        // A share is a whole number. Where there is room for all of both bounds, so is that of each byte.
        let least = limits.max_bytes.map_or(1, |bytes| bytes.min(u64::from(u32::MAX / entries)) as u32);
        Self { capacity: entries * least, least, max_bytes: limits.max_bytes }
    }

    pub(super) fn capacity(&self) -> u64 {
        u64::from(self.capacity)
    }

    /// Returns the cost of an entry that is not heavier than all may be.
    pub(super) fn of(&self, weight: u64) -> u32 {
        let Some(max_bytes) = self.max_bytes else { return self.least };
        // Rounded up, so that the bound holds whatever is added up.
        let share = (u128::from(weight) * u128::from(self.capacity)).div_ceil(u128::from(max_bytes));
        u32::try_from(share).unwrap_or(u32::MAX).clamp(self.least, self.capacity)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn costs(max_entries: u64, max_bytes: Option<u64>) -> Costs {
        Costs::new(Limits { max_entries, max_bytes })
    }

    proptest! {
        #[test]
        fn what_fits_by_cost_is_within_both_bounds(
            max_entries in 1..=u64::from(u32::MAX),
            max_bytes in 1..=i64::MAX as u64,
            shifts in (0_u32..32, 0_u32..63),
            parts in proptest::collection::vec(0_u64..=1 << 20, 1..50),
        ) {
            let (max_entries, max_bytes) = ((max_entries >> shifts.0).max(1), (max_bytes >> shifts.1).max(1));
            let costs = costs(max_entries, Some(max_bytes));
            let (mut entries, mut bytes, mut cost) = (0, 0, 0);
            for part in parts {
                let weight = ((u128::from(max_bytes) * u128::from(part)) >> 20) as u64;
                let one = u64::from(costs.of(weight));
                if cost + one <= costs.capacity() {
                    (entries, bytes, cost) = (entries + 1, bytes + weight, cost + one);
                }
            }
            prop_assert!(entries <= max_entries && bytes <= max_bytes, "{entries} entries, {bytes} bytes");
        }

        #[test]
        fn as_many_light_entries_fit_as_are_allowed(max_entries in 1..=u64::from(u32::MAX), max_bytes in 1..=u64::MAX) {
            let costs = costs(max_entries, Some(max_bytes));
            prop_assert_eq!(u64::from(costs.of(0)) * max_entries, costs.capacity());
        }
    }

    #[test]
    fn shares_of_small_bounds_are_exact() {
        let four_of_a_quarter = costs(10, Some(100));
        assert_eq!(u64::from(four_of_a_quarter.of(25)) * 4, four_of_a_quarter.capacity());
        assert_eq!(u64::from(four_of_a_quarter.of(100)), four_of_a_quarter.capacity());
    }

    #[test]
    fn without_a_bound_of_bytes_each_entry_is_one() {
        let costs = costs(7, None);
        assert_eq!((costs.capacity(), costs.of(0), costs.of(u64::MAX)), (7, 1, 1));
    }
}
