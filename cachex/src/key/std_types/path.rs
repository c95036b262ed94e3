//! Paths, by their components, because that is how they are compared: `a/b`, `a//b` and `a/b/` are equal.

use std::path::{Component, Path, PathBuf, Prefix};

use crate::key::{CacheKey, KeyWriter};

impl CacheKey for Path {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_variant("Path", self.components().count());
        for component in self.components() {
            match component {
                Component::Prefix(prefix) => encode_prefix(&prefix.kind(), out),
                // A normal component is never `/`, `.` or `..`, so the text is enough.
                Component::RootDir => out.write_str("/"),
                other => other.as_os_str().encode(out),
            }
        }
    }
}

// Windows only. A drive is compared without regard to case; the standard library has it in upper case here.
fn encode_prefix(prefix: &Prefix<'_>, out: &mut KeyWriter<'_>) {
    let (name, first, second) = match prefix {
        Prefix::Verbatim(name) => ("Verbatim", Some(*name), None),
        Prefix::VerbatimUNC(server, share) => ("VerbatimUNC", Some(*server), Some(*share)),
        Prefix::DeviceNS(name) => ("DeviceNS", Some(*name), None),
        Prefix::UNC(server, share) => ("UNC", Some(*server), Some(*share)),
        Prefix::VerbatimDisk(drive) => return encode_drive("VerbatimDisk", *drive, out),
        Prefix::Disk(drive) => return encode_drive("Disk", *drive, out),
    };
    out.write_variant(name, 2);
    first.encode(out);
    second.encode(out);
}

fn encode_drive(name: &str, drive: u8, out: &mut KeyWriter<'_>) {
    out.write_variant(name, 1);
    char::from(drive.to_ascii_uppercase()).encode(out);
}

impl CacheKey for PathBuf {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        self.as_path().encode(out);
    }
}
