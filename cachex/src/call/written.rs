//! An invocation whose key is written down: what loads, and what is done to an entry without a look-up.

use super::Call;
use crate::engine::begin::NoHit;
use crate::engine::subject::Borrowed;
use crate::key::{Key, KeyBytes, KeyRef, KeyWriter};
use crate::method::keep::Keep;

/// One invocation of an annotated method, with its key.
#[derive(Debug)]
pub struct Written<'a> {
    call: Call<'a>,
    bytes: KeyBytes,
    hash: u64,
}

/// The parts of a key that is written down.
#[derive(Debug)]
pub struct WrittenParts(KeyBytes);

impl WrittenParts {
    /// Writes the same parts.
    pub fn copy_to(&self, out: &mut KeyWriter<'_>) {
        out.put_written(self.0.as_slice());
    }
}

impl<'a> Call<'a> {
    /// Writes the key down.
    #[inline]
    #[must_use]
    pub fn written(self, key: impl FnOnce(&mut KeyWriter<'_>)) -> Written<'a> {
        let mut written = self.unwritten();
        written.write(key);
        written
    }

    /// Makes a call whose key is yet to be written.
    #[inline(always)]
    #[must_use]
    pub fn unwritten(self) -> Written<'a> {
        Written { call: self, bytes: KeyBytes::new(), hash: 0 }
    }
}

impl<'a> Written<'a> {
    /// Writes the key; returns what `key` does.
    #[inline(always)]
    pub fn write<R>(&mut self, key: impl FnOnce(&mut KeyWriter<'_>) -> R) -> R {
        let mut out = KeyWriter::keeping(&mut self.bytes);
        let returned = key(&mut out);
        self.hash = out.hash(self.call.region.id());
        returned
    }

    /// As [`Call::find`], by the key that is written down: one whose parts an expression returns, which is evaluated once.
    pub fn find<V, K: Keep<V>>(&self, keep: K) -> Result<V, NoHit> {
        if self.call.is_bypassed {
            return Err(NoHit::Bypassed);
        }
        let engine = self.call.cache_in_use().engine();
        engine.plain_hit(engine.method(self.call.region), self.at(), keep)
    }

    /// Lets go of the cache.
    #[must_use]
    pub fn parts(self) -> WrittenParts {
        WrittenParts(self.bytes)
    }

    /// Returns the key of the entry.
    #[must_use]
    pub fn key(&self) -> Key {
        self.at().key()
    }

    /// Returns what the call is about.
    pub(super) fn subject(&self) -> Borrowed<'_> {
        let engine = self.call.cache_in_use().engine();
        Borrowed { engine, method: engine.method(self.call.region), at: self.at() }
    }

    fn at(&self) -> KeyRef<'_> {
        KeyRef::new(self.call.region, self.bytes.as_slice(), self.hash)
    }

    pub(super) fn call(&self) -> Call<'a> {
        self.call
    }
}
