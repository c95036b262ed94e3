//! The word of a bucket: seven bits of the hash of each of its nodes, and its reach as a home.

const ONES: u64 = 0x0101_0101_0101_0101;
/// The highest bits of the bytes of the pointers.
const HIGHEST: u64 = 0x0080_8080_8080_8080;
/// The bytes of the pointers; the remaining one is the reach.
pub(super) const TAGS: u64 = 0x00ff_ffff_ffff_ffff;
pub(super) const REACH_SHIFT: u32 = 56;

/// The bits of a hash that are kept beside the pointer.
#[inline(always)]
pub(super) fn tag(hash: u64) -> u8 {
    // The highest bits choose the bucket, others the shard.
    hash as u8 & 0x7f
}

/// Returns a word with the highest bit of each byte set where the byte of a pointer is `tag`. The lowest one is right; one above it
/// may be wrong, by a borrow in the subtraction, and so are those of empty places if `tag` is 0: what is there is looked at anyway.
///
/// Source: Mycroft's test for a zero byte, in Warren, "Hacker's Delight", 2nd edition, section 6-1; that no byte has its highest bit
/// set spares a part of it.
#[inline(always)]
pub(super) fn matches(word: u64, tag: u8) -> u64 {
    (word ^ ONES.wrapping_mul(u64::from(tag))).wrapping_sub(ONES) & HIGHEST
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn the_lowest_match_is_right_and_none_is_missed(bytes in any::<[u8; 7]>(), reach in any::<u8>(), hash in any::<u64>()) {
            let tags = bytes.map(|byte| byte % 5);
            let word = tags.iter().rev().fold(u64::from(reach), |word, byte| word << 8 | u64::from(*byte));
            let tag = hash as u8 % 5;
            let found = matches(word, tag);
            prop_assert_eq!(found & !HIGHEST, 0);
            let is_found = |place: usize| found >> (8 * place + 7) & 1 == 1;
            prop_assert!((0..7).all(|place| tags[place] != tag || is_found(place)));
            let first = (0..7).find(|place| is_found(*place));
            prop_assert_eq!(first, tags.iter().position(|byte| *byte == tag));
        }
    }
}
