//! Numbers, and what wraps one value without a meaning of its own.

use std::cmp::{Ordering, Reverse};
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8, NonZeroU16, NonZeroU32,
    NonZeroU64, NonZeroU128, NonZeroUsize, Saturating, Wrapping,
};

use crate::key::{CacheKey, KeyWriter};

macro_rules! by_writer {
    ($($ty:ty => $write:ident;)*) => {$(
        impl CacheKey for $ty {
            #[inline(always)]
            fn encode(&self, out: &mut KeyWriter<'_>) {
                out.$write(*self);
            }
        }
    )*};
}

by_writer! {
    bool => write_bool;
    u16 => write_u16;
    u32 => write_u32;
    u64 => write_u64;
    u128 => write_u128;
    i8 => write_i8;
    i16 => write_i16;
    i32 => write_i32;
    i64 => write_i64;
    i128 => write_i128;
    f32 => write_f32;
    f64 => write_f64;
    char => write_char;
}

impl CacheKey for u8 {
    #[inline(always)]
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_u8(*self);
    }

    #[inline(always)]
    fn encode_slice(items: &[Self], out: &mut KeyWriter<'_>) {
        out.write_bytes(items);
    }
}

// As 64 bits, so that a key means the same on every machine.
impl CacheKey for usize {
    #[inline(always)]
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_u64(*self as u64);
    }
}

impl CacheKey for isize {
    #[inline(always)]
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_i64(*self as i64);
    }
}

macro_rules! non_zero {
    ($($ty:ty)*) => {$(
        impl CacheKey for $ty {
            #[inline(always)]
            fn encode(&self, out: &mut KeyWriter<'_>) {
                self.get().encode(out);
            }
        }
    )*};
}

non_zero! {
    NonZeroU8 NonZeroU16 NonZeroU32 NonZeroU64 NonZeroU128 NonZeroUsize
    NonZeroI8 NonZeroI16 NonZeroI32 NonZeroI64 NonZeroI128 NonZeroIsize
}

macro_rules! wrapper {
    ($($ty:ident)*) => {$(
        impl<T: CacheKey> CacheKey for $ty<T> {
            #[inline(always)]
            fn encode(&self, out: &mut KeyWriter<'_>) {
                self.0.encode(out);
            }
        }
    )*};
}

wrapper! { Wrapping Saturating Reverse }

impl CacheKey for Ordering {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        let name = match self {
            Ordering::Less => "Less",
            Ordering::Equal => "Equal",
            Ordering::Greater => "Greater",
        };
        out.write_variant(name, 0);
    }
}
