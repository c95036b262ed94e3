//! UUIDs of the crate `uuid`.

use ::uuid::{NonNilUuid, Uuid};

use crate::key::{CacheKey, KeyWriter, kind};

impl CacheKey for Uuid {
    #[inline]
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.put_fixed(kind::UUID, self.as_bytes());
    }
}

impl CacheKey for NonNilUuid {
    #[inline]
    fn encode(&self, out: &mut KeyWriter<'_>) {
        self.get().encode(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    #[test]
    fn a_uuid_is_written_by_its_bytes_and_read_in_its_customary_form() {
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert_eq!(Key::new("k").part(&id).text(), "k(01234567-89ab-cdef-0123-456789abcdef)");
        assert_ne!(Key::new("k").part(&id), Key::new("k").part(&Uuid::nil()));
        let frozen = [&[0x30, 1, b'k', 0x27][..], id.as_bytes()].concat();
        assert_eq!(Key::new("k").part(&id).bytes(), frozen);
    }
}
