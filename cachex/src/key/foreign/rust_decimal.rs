//! Numbers of the crate `rust_decimal`, without trailing zeros: `1.0` and `1.00` are equal, so they are one key.

use ::rust_decimal::Decimal;

use crate::key::{CacheKey, KeyWriter, kind};

impl CacheKey for Decimal {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        // Also makes one of the two zeros.
        let canonical = self.normalize();
        let mut body = [0; 17];
        body[..16].copy_from_slice(&canonical.mantissa().to_be_bytes());
        body[16] = canonical.scale() as u8;
        out.put_fixed(kind::DECIMAL, &body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    fn key(mantissa: i64, scale: u32) -> Key {
        Key::new("k").part(&Decimal::new(mantissa, scale))
    }

    #[test]
    fn trailing_zeros_change_nothing() {
        assert_eq!(key(15, 1), key(1500, 3));
        assert_eq!(key(0, 0), key(0, 9));
        assert_eq!(Key::new("k").part(&-Decimal::new(0, 2)), key(0, 0));
        assert_ne!(key(15, 1), key(15, 2));
        assert_ne!(key(15, 1), key(-15, 1));
    }

    #[test]
    fn a_decimal_is_read_as_it_is_written_by_people() {
        assert_eq!(key(1500, 3).text(), "k(1.5)");
        assert_eq!(key(-5, 3).text(), "k(-0.005)");
        assert_eq!(key(700, 0).text(), "k(700)");
    }

    #[test]
    fn the_bytes_are_frozen() {
        let mut frozen = [0; 21];
        frozen[..4].copy_from_slice(&[0x30, 1, b'k', 0x28]);
        frozen[19..].copy_from_slice(&[15, 1]);
        assert_eq!(key(15, 1).bytes(), frozen);
    }
}
