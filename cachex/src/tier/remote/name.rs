//! The key of a value in a store: readable where that is short and safe, and a digest.

use std::fmt::Write;

use xxhash_rust::xxh3::xxh3_128;

use crate::key::KeyRef;

/// Longer texts are left to the digest.
const LONGEST: usize = 160;

/// Returns what the key is called in a store. That it is this very key is in the checksum of the value.
pub(crate) fn name(at: KeyRef<'_>) -> String {
    let method = at.region.remote_name();
    let text = at.key().text();
    let arguments = text.strip_prefix(at.region.name()).unwrap_or(&text);
    let is_safe = |c: char| c.is_ascii_graphic() && !matches!(c, '{' | '}' | '*' | '?' | '[' | ']' | '\\');
    let mut name = String::with_capacity(method.len() + arguments.len());
    name.extend(method.chars().map(|c| if is_safe(c) { c } else { '_' }));
    if arguments.len() <= LONGEST && arguments.chars().all(is_safe) {
        if !arguments.starts_with('(') {
            // Of the manual API: it has names of its own.
            name.push(':');
        }
        name.push_str(arguments);
    }
    // Two keys may have one text (`1_u8` and `1_u64`).
    let _written = write!(name, "#{:032x}", xxh3_128(at.bytes));
    name
}

/// Returns the bytes that tell the key from all others: namespace, method and arguments.
pub(crate) fn identity(namespace: &str, at: KeyRef<'_>) -> Vec<u8> {
    let method = at.region.remote_name();
    let mut bytes = Vec::with_capacity(namespace.len() + method.len() + at.bytes.len() + 16);
    for part in [namespace.as_bytes(), method.as_bytes(), at.bytes] {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part);
    }
    bytes
}
