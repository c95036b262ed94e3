//! Bytes in fewer bytes.

#[cfg(feature = "remote")]
use std::borrow::Cow;

/// How the bytes of values are made fewer in a second tier.
///
/// In configuration: `remote.compression` and `compression` of a method, by the names shown; from `remote.compression_threshold` bytes on. What does not become shorter
/// is kept as it is. Values are read however they were compressed, as long as the feature is there.
///
/// Default: [`Lz4`](Self::Lz4).
///
/// # Examples
///
/// ```
/// use cachex::{Compression, RemoteSettings};
///
/// let remote = RemoteSettings::default();
/// assert_eq!((remote.compression, remote.compression_threshold), (Compression::Lz4, 512));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// `off`.
    Off,
    /// `lz4`: fast.
    #[default]
    Lz4,
    /// `zstd`: shorter. Needs the feature `zstd`, and a C compiler. `remote.compression_level` is 1 to 22; 3 if there is none.
    Zstd,
    /// `gzip`: for others to read. Needs the feature `gzip`. `remote.compression_level` is 1 to 9; 6 if there is none.
    Gzip,
}

/// More bytes are not compressed, and not made of fewer ones: whatever an envelope says.
#[cfg(feature = "remote")]
const MOST: usize = 64 << 20;

impl Compression {
    pub(crate) const NAMES: [(&'static str, Self); 4] =
        [("off", Self::Off), ("lz4", Self::Lz4), ("zstd", Self::Zstd), ("gzip", Self::Gzip)];

    /// Whether the features of this build have it.
    pub(crate) const fn is_built_in(self) -> bool {
        match self {
            Self::Off | Self::Lz4 => true,
            Self::Zstd => cfg!(feature = "zstd"),
            Self::Gzip => cfg!(feature = "gzip"),
        }
    }

    /// Returns itself if this build has it, or has no second tier at all: the attribute calls it in a constant, where a panic is a compile error.
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub const fn needed(self) -> Self {
        assert!(
            self.is_built_in() || !cfg!(feature = "remote"),
            "this `compression` needs the feature of cachex that has its name; add it to the dependency in Cargo.toml"
        );
        self
    }

    /// Returns its name, which is that of its feature as well.
    pub(crate) fn name(self) -> &'static str {
        let found = Self::NAMES.into_iter().find(|(_, compression)| *compression == self);
        found.map(|(name, _)| name).expect("every compression has a name")
    }

    /// Returns the levels there are.
    pub(crate) fn levels(self) -> Option<std::ops::RangeInclusive<u64>> {
        match self {
            Self::Off | Self::Lz4 => None,
            Self::Zstd => Some(1..=22),
            Self::Gzip => Some(1..=9),
        }
    }

    /// Returns its number in an envelope.
    #[cfg(feature = "remote")]
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Off => 0,
            Self::Lz4 => 1,
            Self::Zstd => 2,
            Self::Gzip => 3,
        }
    }

    /// Returns the one with a number.
    #[cfg(feature = "remote")]
    pub(crate) fn numbered(number: u8) -> Option<Self> {
        Self::NAMES.into_iter().map(|(_, compression)| compression).find(|known| known.number() == number)
    }

    /// Compresses. Nothing where that makes it no shorter.
    #[cfg(feature = "remote")]
    pub(crate) fn pack(self, bytes: &[u8], level: Option<u64>) -> Option<Vec<u8>> {
        if bytes.len() > MOST {
            return None;
        }
        let _: Option<u64> = level;
        let packed = match self {
            Self::Off => return None,
            Self::Lz4 => lz4_flex::block::compress(bytes),
            #[cfg(feature = "zstd")]
            Self::Zstd => zstd_contexts::pack(bytes, level.unwrap_or(3))?,
            #[cfg(feature = "gzip")]
            Self::Gzip => {
                let level = flate2::Compression::new(level.unwrap_or(6) as u32);
                let mut packer = flate2::write::GzEncoder::new(Vec::new(), level);
                std::io::Write::write_all(&mut packer, bytes).ok()?;
                packer.finish().ok()?
            }
            #[cfg(not(all(feature = "zstd", feature = "gzip")))]
            // Refused with the other settings that make no sense.
            _ => return None,
        };
        (packed.len() < bytes.len()).then_some(packed)
    }

    /// Undoes it. Nothing if the bytes are not what it makes of just so many.
    #[cfg(feature = "remote")]
    pub(crate) fn unpack(self, packed: &[u8], len: usize) -> Option<Cow<'_, [u8]>> {
        if len > MOST {
            return None;
        }
        let bytes = match self {
            Self::Off => return (packed.len() == len).then_some(packed.into()),
            Self::Lz4 => lz4_flex::block::decompress(packed, len).ok()?,
            #[cfg(feature = "zstd")]
            Self::Zstd => zstd_contexts::unpack(packed, len)?,
            #[cfg(feature = "gzip")]
            Self::Gzip => {
                let mut bytes = Vec::with_capacity(len);
                // One more than there may be: then there are too many.
                let mut unpacker = std::io::Read::take(flate2::read::GzDecoder::new(packed), len as u64 + 1);
                std::io::Read::read_to_end(&mut unpacker, &mut bytes).ok()?;
                bytes
            }
            #[cfg(not(all(feature = "zstd", feature = "gzip")))]
            _ => return None,
        };
        (bytes.len() == len).then_some(bytes.into())
    }
}

/// Contexts of zstd, one for each thread: making one takes longer than most of what it does.
#[cfg(all(feature = "remote", feature = "zstd"))]
mod zstd_contexts {
    use std::cell::RefCell;

    use zstd::bulk::{Compressor, Decompressor};

    thread_local! {
        static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
        static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    }

    pub(super) fn pack(bytes: &[u8], level: u64) -> Option<Vec<u8>> {
        let level = i32::try_from(level).ok()?;
        PACKER.with_borrow_mut(|packer| {
            if packer.is_none() {
                *packer = Compressor::new(level).ok();
            }
            let packer = packer.as_mut()?;
            packer.set_compression_level(level).ok()?;
            packer.compress(bytes).ok()
        })
    }

    pub(super) fn unpack(packed: &[u8], len: usize) -> Option<Vec<u8>> {
        UNPACKER.with_borrow_mut(|unpacker| {
            if unpacker.is_none() {
                *unpacker = Decompressor::new().ok();
            }
            unpacker.as_mut()?.decompress(packed, len).ok()
        })
    }
}

#[cfg(all(test, feature = "remote", feature = "zstd", feature = "gzip"))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_are_what_they_were(bytes: Vec<u8>, times in 1_usize..40) {
            let bytes = bytes.repeat(times);
            for (name, compression) in Compression::NAMES {
                let Some(packed) = compression.pack(&bytes, None) else { continue };
                prop_assert!(packed.len() < bytes.len(), "{}", name);
                prop_assert_eq!(compression.unpack(&packed, bytes.len()), Some(Cow::from(&bytes)), "{}", name);
                prop_assert_eq!(compression.unpack(&packed, bytes.len() - 1), None, "{}", name);
                prop_assert_eq!(compression.unpack(&packed, bytes.len() + 1), None, "{}", name);
            }
        }

        #[test]
        fn bytes_of_others_are_no_reason_to_panic_or_to_grow(bytes: Vec<u8>, len in 0_usize..1 << 20) {
            for (_, compression) in Compression::NAMES {
                let _refused = compression.unpack(&bytes, len);
                prop_assert_eq!(compression.unpack(&bytes, usize::MAX), None);
            }
        }
    }

    #[test]
    fn what_repeats_itself_becomes_shorter_each_way() {
        let bytes = b"the same again, ".repeat(100);
        for compression in [Compression::Lz4, Compression::Zstd, Compression::Gzip] {
            for level in [None, Some(1), Some(9)] {
                assert!(compression.pack(&bytes, level).is_some_and(|packed| packed.len() < 200), "{compression:?}");
            }
        }
    }
}
