//! Kind bytes: the first byte of every encoded value. A change here is a new version of the encoding.

pub(crate) const UNIT: u8 = 0x00;
pub(crate) const FALSE: u8 = 0x01;
pub(crate) const TRUE: u8 = 0x02;
pub(crate) const NONE: u8 = 0x03;
pub(crate) const SOME: u8 = 0x04;
pub(crate) const U8: u8 = 0x10;
pub(crate) const U16: u8 = 0x11;
pub(crate) const U32: u8 = 0x12;
pub(crate) const U64: u8 = 0x13;
pub(crate) const U128: u8 = 0x14;
pub(crate) const I8: u8 = 0x18;
pub(crate) const I16: u8 = 0x19;
pub(crate) const I32: u8 = 0x1a;
pub(crate) const I64: u8 = 0x1b;
pub(crate) const I128: u8 = 0x1c;
pub(crate) const F32: u8 = 0x20;
pub(crate) const F64: u8 = 0x21;
pub(crate) const CHAR: u8 = 0x22;
pub(crate) const DURATION: u8 = 0x23;
pub(crate) const INSTANT: u8 = 0x24;
pub(crate) const IPV4: u8 = 0x25;
pub(crate) const IPV6: u8 = 0x26;
pub(crate) const UUID: u8 = 0x27;
pub(crate) const DECIMAL: u8 = 0x28;
pub(crate) const STR: u8 = 0x30;
pub(crate) const BYTES: u8 = 0x31;
pub(crate) const SEQ: u8 = 0x40;
pub(crate) const MAP: u8 = 0x41;
pub(crate) const SET: u8 = 0x42;
pub(crate) const TUPLE: u8 = 0x43;
pub(crate) const STRUCT: u8 = 0x44;
pub(crate) const VARIANT: u8 = 0x45;

// Heads of manual keys; they never stand inside a value. A manual key without a scheme begins with `STR`.
pub(crate) const ENTITY: u8 = 0x50;
pub(crate) const LIST: u8 = 0x51;
pub(crate) const COMPOSITE: u8 = 0x52;
pub(crate) const SESSION: u8 = 0x53;

/// What follows the kind of a value, or of the head of one.
#[derive(Clone, Copy)]
pub(crate) enum Body {
    Nothing,
    /// So many bytes.
    Fixed(usize),
    /// How many values follow.
    Count,
    /// A length, and as many bytes.
    Text,
    /// The fingerprint of the names of fields, and how many follow.
    Fields,
    /// A name, and how many fields follow.
    Variant,
}

/// Returns what follows a kind, if there is such a kind.
pub(crate) const fn body(kind: u8) -> Option<Body> {
    Some(match kind {
        UNIT | FALSE | TRUE | NONE | SOME | ENTITY | LIST | COMPOSITE | SESSION => Body::Nothing,
        U8 | I8 => Body::Fixed(1),
        U16 | I16 => Body::Fixed(2),
        U32 | I32 | F32 | CHAR | IPV4 => Body::Fixed(4),
        U64 | I64 | F64 => Body::Fixed(8),
        DURATION | INSTANT => Body::Fixed(12),
        U128 | I128 | IPV6 | UUID => Body::Fixed(16),
        DECIMAL => Body::Fixed(17),
        STR | BYTES => Body::Text,
        SEQ | MAP | SET | TUPLE => Body::Count,
        STRUCT => Body::Fields,
        VARIANT => Body::Variant,
        _ => return None,
    })
}
