//! The encoding as a whole: unequal arguments never give equal bytes, equal ones always do.

use std::collections::{BTreeMap, BTreeSet};

use cachex::{CacheKey, Key, KeyFields, KeyWriter};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use super::bytes;

/// A model of what can be in a key. Its equality is what the bytes are compared with, so floats are kept as what they mean.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Unit,
    Bool(bool),
    U8(u8),
    U64(u64),
    I64(i64),
    Float(Float),
    Char(char),
    Str(String),
    Bytes(Vec<u8>),
    Maybe(Option<Box<Value>>),
    Sequence(Vec<Value>),
    Set(BTreeSet<Value>),
    Map(BTreeMap<Value, Value>),
    Tuple(Vec<Value>),
    Struct(Vec<(String, Value)>),
    Variant(String, Vec<Value>),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Float {
    Zero,
    NotANumber,
    Bits(u64),
}

impl Float {
    fn of(number: f64) -> Self {
        match number {
            _ if number == 0.0 => Float::Zero,
            _ if number.is_nan() => Float::NotANumber,
            _ => Float::Bits(number.to_bits()),
        }
    }

    /// Returns the number, each time with another of its zeros and NaNs.
    fn number(&self, salt: u64) -> f64 {
        match self {
            Float::Zero => [0.0, -0.0][salt as usize % 2],
            Float::NotANumber => {
                [f64::NAN, -f64::NAN, f64::from_bits(0x7ff0_0000_0000_0000 | (salt | 1))][salt as usize % 3]
            }
            Float::Bits(bits) => f64::from_bits(*bits),
        }
    }
}

/// A value, and how to write what its meaning leaves open: which zero, which NaN, which order of a map.
struct Salted<'a>(&'a Value, u64);

impl CacheKey for Salted<'_> {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        let salt = self.1;
        let salted = |value| Salted(value, salt);
        match self.0 {
            Value::Unit => out.write_unit(),
            Value::Bool(value) => out.write_bool(*value),
            Value::U8(value) => out.write_u8(*value),
            Value::U64(value) => out.write_u64(*value),
            Value::I64(value) => out.write_i64(*value),
            Value::Float(value) => out.write_f64(value.number(salt)),
            Value::Char(value) => out.write_char(*value),
            Value::Str(value) => out.write_str(value),
            Value::Bytes(value) => out.write_bytes(value),
            Value::Maybe(None) => out.write_none(),
            Value::Maybe(Some(value)) => out.write_some(&salted(value)),
            Value::Sequence(items) => out.write_sequence(items.iter().map(salted)),
            Value::Set(items) => out.write_set(turned(items, salt).map(salted)),
            Value::Map(entries) => {
                out.write_map(turned(entries, salt).map(|(key, value)| (salted(key), salted(value))))
            }
            Value::Tuple(fields) => {
                out.write_tuple(fields.len());
                fields.iter().for_each(|field| salted(field).encode(out));
            }
            Value::Struct(fields) => {
                let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
                out.write_struct(KeyFields::new(&names));
                fields.iter().for_each(|(_, field)| salted(field).encode(out));
            }
            Value::Variant(name, fields) => {
                out.write_variant(name, fields.len());
                fields.iter().for_each(|field| salted(field).encode(out));
            }
        }
    }
}

/// Walks a collection from somewhere in its middle.
fn turned<T>(items: impl IntoIterator<Item = T>, salt: u64) -> impl Iterator<Item = T> {
    let mut items: Vec<T> = items.into_iter().collect();
    if !items.is_empty() {
        let middle = salt as usize % items.len();
        items.rotate_left(middle);
    }
    items.into_iter()
}

/// Short strings of few letters, so that different values are often nearly alike.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[ab]{0,3}", "[a\u{0}\u{1}0é😀]{0,2}", Just("\u{301}e".to_owned()), Just("é".repeat(70))]
}

fn leaf() -> impl Strategy<Value = Value> {
    let float = prop_oneof![Just(0.0), Just(1.0), Just(-1.0), Just(f64::NAN), Just(f64::INFINITY), any::<f64>()];
    prop_oneof![
        Just(Value::Unit),
        any::<bool>().prop_map(Value::Bool),
        (0..3_u8).prop_map(Value::U8),
        prop_oneof![0..3_u64, any::<u64>()].prop_map(Value::U64),
        (-1..2_i64).prop_map(Value::I64),
        float.prop_map(|number| Value::Float(Float::of(number))),
        prop_oneof![Just('a'), any::<char>()].prop_map(Value::Char),
        name().prop_map(Value::Str),
        vec(0..3_u8, 0..3).prop_map(Value::Bytes),
        Just(Value::Maybe(None)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|value| Value::Maybe(Some(Box::new(value)))),
            vec(inner.clone(), 0..3).prop_map(Value::Sequence),
            btree_set(inner.clone(), 0..4).prop_map(Value::Set),
            btree_map(inner.clone(), inner.clone(), 0..4).prop_map(Value::Map),
            vec(inner.clone(), 0..3).prop_map(Value::Tuple),
            vec((name(), inner.clone()), 0..3).prop_map(Value::Struct),
            (name(), vec(inner, 0..3)).prop_map(|(name, fields)| Value::Variant(name, fields)),
        ]
    })
}

/// Changes little: wraps, unwraps, moves a boundary, or takes another value of nearly the same bytes.
fn neighbours(value: &Value) -> Vec<Value> {
    let mut all = vec![
        Value::Maybe(Some(Box::new(value.clone()))),
        Value::Sequence(vec![value.clone()]),
        Value::Tuple(vec![value.clone()]),
        Value::Set([value.clone()].into()),
        Value::Map([(value.clone(), Value::Unit)].into()),
        Value::Variant(String::new(), vec![value.clone()]),
        Value::Str(String::from_utf8_lossy(&bytes(&Salted(value, 0))).into_owned()),
        Value::Bytes(bytes(&Salted(value, 0))),
    ];
    match value {
        Value::Str(text) => {
            all.push(Value::Bytes(text.clone().into_bytes()));
            all.push(Value::Str(format!("{text}\u{0}")));
            all.extend(text.chars().next().map(Value::Char));
        }
        Value::Bytes(items) => all.push(Value::Sequence(items.iter().copied().map(Value::U8).collect())),
        Value::Maybe(inner) => all.extend(inner.as_deref().cloned().or(Some(Value::Unit))),
        Value::Sequence(items) | Value::Tuple(items) | Value::Variant(_, items) => {
            all.push(Value::Sequence(items.clone()));
            all.push(Value::Tuple(items.clone()));
            all.push(Value::Set(items.iter().cloned().collect()));
            all.push(Value::Sequence(items.iter().skip(1).cloned().collect()));
            all.push(Value::Sequence(items.iter().rev().cloned().collect()));
        }
        Value::Map(entries) => all.push(Value::Set(entries.keys().chain(entries.values()).cloned().collect())),
        Value::Struct(fields) => {
            all.push(Value::Struct(fields.iter().rev().cloned().collect()));
            all.push(Value::Struct(fields.iter().map(|(name, field)| (format!("{name}a"), field.clone())).collect()));
            all.push(Value::Tuple(fields.iter().map(|(_, field)| field.clone()).collect()));
        }
        Value::U64(number) => all.push(Value::I64(*number as i64)),
        _ => {}
    }
    all
}

fn concatenated(parts: &[Value], salt: u64) -> Vec<u8> {
    parts.iter().flat_map(|part| bytes(&Salted(part, salt))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn equal_values_are_written_alike(value in value(), one in any::<u64>(), other in any::<u64>()) {
        prop_assert_eq!(bytes(&Salted(&value, one)), bytes(&Salted(&value, other)));
    }

    #[test]
    fn values_are_written_alike_only_if_equal(one in value(), other in value(), salt in any::<u64>()) {
        prop_assert_eq!(bytes(&Salted(&one, 0)) == bytes(&Salted(&other, salt)), one == other);
    }

    #[test]
    fn values_that_are_nearly_alike_are_told_apart(value in value(), salt in any::<u64>()) {
        let mut all = neighbours(&value);
        all.push(value);
        for one in &all {
            for other in &all {
                let (bytes, other_bytes) = (bytes(&Salted(one, 0)), bytes(&Salted(other, salt)));
                prop_assert_eq!(bytes == other_bytes, one == other, "{:?} and {:?}", one, other);
            }
        }
    }

    // What lets parts stand side by side without a separator.
    #[test]
    fn no_value_begins_like_another(value in value()) {
        let mut all = neighbours(&value);
        all.push(value);
        for one in &all {
            for other in &all {
                let (bytes, other_bytes) = (bytes(&Salted(one, 0)), bytes(&Salted(other, 0)));
                prop_assert_eq!(other_bytes.starts_with(&bytes), one == other, "{:?} and {:?}", one, other);
            }
        }
    }

    #[test]
    fn lists_of_parts_are_told_apart(parts in vec(leaf(), 0..5), others in vec(leaf(), 0..5), cut in 0..6_usize) {
        prop_assert_eq!(concatenated(&parts, 0) == concatenated(&others, 1), parts == others);
        let cut = cut.min(parts.len());
        let regrouped = [Value::Tuple(parts[..cut].to_vec()), Value::Tuple(parts[cut..].to_vec())];
        for at in 0..=parts.len() {
            let other = [Value::Tuple(parts[..at].to_vec()), Value::Tuple(parts[at..].to_vec())];
            prop_assert_eq!(concatenated(&regrouped, 0) == concatenated(&other, 1), at == cut);
        }
    }

    // `0` is the kind byte of a string, so without its length the second of two could begin elsewhere.
    #[test]
    fn strings_are_told_apart_wherever_they_are_split(text in "[a0\u{0}é]{0,8}", at in 0..9_usize, other in 0..9_usize) {
        let splits: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let (at, other) = (splits[at % splits.len()], splits[other % splits.len()]);
        prop_assert_eq!(bytes(&text.split_at(at)) == bytes(&text.split_at(other)), at == other);
        prop_assert_ne!(bytes(&text.split_at(at)), bytes(&(text.as_str(),)));
    }

    #[test]
    fn every_value_has_a_text(value in value()) {
        let text = Key::new("k").part(&Salted(&value, 0)).text();
        prop_assert!(text.starts_with("k(") && text.ends_with(')'), "{}", text);
        // Only bytes show in hexadecimal, and what can't be read; no other value here has a text with `0x` in it.
        prop_assert_eq!(text.contains("0x"), format!("{value:?}").contains("Bytes("), "{}", text);
    }
}
