//! The keys of a case, by their numbers.

use crate::peers::PeerKey;
use crate::service::Filter;

/// A key that is made from a number: another one from each.
pub(crate) trait NumberedKey: PeerKey {
    fn numbered(number: u32) -> Self;
}

/// Makes the keys with the first numbers.
pub(crate) fn keys<K: NumberedKey>(count: u32) -> Vec<K> {
    (0..count).map(K::numbered).collect()
}

impl NumberedKey for u64 {
    fn numbered(number: u32) -> Self {
        // Odd, so that no two numbers give one key.
        u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// 16 bytes, which live as long as the program: there are a few thousand.
impl NumberedKey for &'static str {
    fn numbered(number: u32) -> Self {
        format!("account-{number:08}").leak()
    }
}

impl NumberedKey for (u64, &'static str, Option<u32>) {
    fn numbered(number: u32) -> Self {
        (u64::numbered(number), <&str>::numbered(number), number.is_multiple_of(2).then_some(number))
    }
}

impl NumberedKey for Filter {
    fn numbered(number: u32) -> Self {
        Self { city: <&str>::numbered(number), min_age: number.is_multiple_of(3).then_some(18), page: number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<K: NumberedKey>() {
        let keys: std::collections::HashSet<K> = keys(1_000).into_iter().collect();
        assert_eq!(keys.len(), 1_000);
    }

    #[test]
    fn every_number_has_a_key_of_its_own() {
        check::<u64>();
        check::<&'static str>();
        check::<(u64, &'static str, Option<u32>)>();
        check::<Filter>();
        assert_eq!(<&str>::numbered(7).len(), 16);
    }
}
