//! `CacheKey` for the types of the standard library.

use super::{CacheKey, KeyWriter};

impl<T: CacheKey + ?Sized> CacheKey for &T {
    #[inline]
    fn encode(&self, out: &mut KeyWriter) {
        (**self).encode(out);
    }
}

impl CacheKey for str {
    #[inline]
    fn encode(&self, out: &mut KeyWriter) {
        out.write_str(self);
    }
}

impl CacheKey for u64 {
    #[inline]
    fn encode(&self, out: &mut KeyWriter) {
        out.write_u64(*self);
    }
}
