//! Strings.

use std::ffi::{CStr, CString, OsStr, OsString};

use crate::key::{CacheKey, KeyWriter};

impl CacheKey for str {
    #[inline(always)]
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_str(self);
    }
}

impl CacheKey for String {
    #[inline(always)]
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_str(self);
    }
}

// Valid UTF-8, which is nearly all there is, is a string on every system. The rest can only be told apart by the system's
// own bytes, and nothing is lost: no such bytes are the encoding of a string.
impl CacheKey for OsStr {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        match self.to_str() {
            Some(text) => out.write_str(text),
            None => out.write_bytes(self.as_encoded_bytes()),
        }
    }
}

impl CacheKey for OsString {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        self.as_os_str().encode(out);
    }
}

impl CacheKey for CStr {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_bytes(self.to_bytes());
    }
}

impl CacheKey for CString {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        self.as_c_str().encode(out);
    }
}
