//! What `==` says of standard types, their bytes say as well.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::ffi::{CString, OsStr};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV6};
use std::num::{NonZeroI16, Wrapping};
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cachex::{CacheKey, Key, KeyWriter};

use super::bytes;

/// Checks that values are written alike exactly if they are equal.
#[track_caller]
fn check<T: CacheKey + PartialEq + std::fmt::Debug>(values: &[T]) {
    for one in values {
        for other in values {
            assert_eq!(bytes(one) == bytes(other), one == other, "{one:?} and {other:?}");
        }
    }
}

#[test]
fn owners_and_references_are_written_as_what_they_lead_to() {
    let expected = bytes("x");
    let mut owned = "x".to_owned();
    assert_eq!(bytes(&owned), expected);
    assert_eq!(bytes(&&&"x"), expected);
    assert_eq!(bytes(&Box::<str>::from("x")), expected);
    assert_eq!(bytes(&Rc::<str>::from("x")), expected);
    assert_eq!(bytes(&Arc::new("x")), expected);
    assert_eq!(bytes(&Cow::Borrowed("x")), expected);
    assert_eq!(bytes(&Cow::<str>::Owned("x".into())), expected);
    assert_eq!(bytes(&&mut owned), expected);
    assert_eq!(bytes(&Wrapping("x")), expected);
    assert_eq!(bytes(&std::cmp::Reverse("x")), expected);
    assert_eq!(bytes(OsStr::new("x")), expected);
    assert_eq!(bytes(&NonZeroI16::new(-7).unwrap()), bytes(&-7_i16));
    let object: &dyn CacheKey = &"x";
    assert_eq!(bytes(object), expected);
}

#[test]
fn slices_are_written_alike_whatever_their_owner() {
    let expected = bytes(&[1_u16, 2][..]);
    assert_eq!(bytes(&[1_u16, 2]), expected);
    assert_eq!(bytes(&vec![1_u16, 2]), expected);
    assert_eq!(bytes(&VecDeque::from([1_u16, 2])), expected);
    assert_eq!(bytes(&LinkedList::from([1_u16, 2])), expected);
    let expected = bytes(&[1_u8, 2][..]);
    assert_eq!(bytes(&[1_u8, 2]), expected);
    assert_eq!(bytes(&vec![1_u8, 2]), expected);
    assert_eq!(bytes(&Arc::<[u8]>::from([1, 2])), expected);
    assert_eq!(bytes(&CString::new([1, 2]).unwrap()), expected);
}

#[test]
fn a_deque_is_written_alike_wherever_it_begins() {
    let mut turned = VecDeque::with_capacity(4);
    turned.extend([9_u8, 1, 2]);
    turned.pop_front();
    turned.extend([3, 4]);
    assert_eq!(bytes(&turned), bytes(&VecDeque::from([1_u8, 2, 3, 4])));
}

#[test]
fn maps_and_sets_are_written_alike_in_any_order() {
    let forwards: HashMap<String, u32> = (0..500_u32).map(|n| (n.to_string(), n)).collect();
    let backwards: HashMap<String, u32> = (0..500_u32).rev().map(|n| (n.to_string(), n)).collect();
    let sorted: BTreeMap<String, u32> = forwards.clone().into_iter().collect();
    assert_eq!(bytes(&forwards), bytes(&backwards));
    assert_eq!(bytes(&forwards), bytes(&sorted));

    let forwards: HashSet<i32> = (-200..200).collect();
    let backwards: HashSet<i32> = (-200..200).rev().collect();
    assert_eq!(bytes(&forwards), bytes(&backwards));
    assert_eq!(bytes(&forwards), bytes(&forwards.iter().copied().collect::<BTreeSet<i32>>()));
    assert_ne!(bytes(&forwards), bytes(&(-200..201).collect::<HashSet<i32>>()));
}

#[test]
fn a_map_knows_which_value_is_whose() {
    check(&[
        BTreeMap::from([(1_u8, 2_u8), (2, 1)]),
        BTreeMap::from([(1, 1), (2, 2)]),
        BTreeMap::from([(1, 2)]),
        BTreeMap::from([(2, 1)]),
        BTreeMap::new(),
    ]);
}

#[test]
fn every_integer_type_reaches_its_ends() {
    check(&[i8::MIN, -1, 0, 1, i8::MAX]);
    check(&[i64::MIN, -1, 0, 1, i64::MAX]);
    check(&[0, 1, u64::MAX, u64::MAX << 32]);
    check(&[i128::MIN, -1, 0, 1, i128::MAX]);
    check(&[0, 1, u128::MAX, u128::from(u64::MAX)]);
    check(&[isize::MIN, -1, 0, isize::MAX]);
    check(&[usize::MIN, 1, usize::MAX]);
}

#[test]
fn floats_have_one_zero_and_one_nan() {
    check(&[
        0.0,
        -0.0,
        1.0,
        -1.0,
        f64::MIN_POSITIVE,
        -f64::MIN_POSITIVE,
        5e-324,
        -5e-324,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ]);
    check(&[0.0, -0.0, 1.0, -1.0, f32::MIN_POSITIVE, 1e-45, -1e-45, f32::INFINITY, f32::NEG_INFINITY]);
    let nans = [f64::NAN, -f64::NAN, f64::from_bits(0x7ff0_0000_0000_0001), f64::from_bits(0xffff_ffff_ffff_ffff)];
    assert!(nans.iter().all(|nan| bytes(nan) == bytes(&f64::NAN)));
    let nans = [f32::NAN, -f32::NAN, f32::from_bits(0x7f80_0001), f32::from_bits(0xffff_ffff)];
    assert!(nans.iter().all(|nan| bytes(nan) == bytes(&f32::NAN)));
    assert_ne!(bytes(&f64::NAN), bytes(&f64::INFINITY));
}

#[test]
fn paths_are_written_as_they_are_compared() {
    check(
        &["a/b", "a//b", "a/b/", "a/./b", "./a/b", "/a/b", "//a/b", "a/../b", "a", "", ".", "..", "/", "ab", "a\\b"]
            .map(Path::new),
    );
    check(&[PathBuf::from("x"), PathBuf::from("x/"), PathBuf::from("y")]);
}

#[cfg(unix)]
#[test]
fn a_path_that_is_no_text_is_told_from_every_other() {
    use std::os::unix::ffi::OsStrExt;
    let names: [&[u8]; 6] = [b"\xff", b"\xfe", b"\xff\xff", b"a\xff", "\u{fffd}".as_bytes(), b"a"];
    check(&names.map(OsStr::from_bytes));
    check(&names.map(|name| Path::new(OsStr::from_bytes(name))));
}

#[test]
fn a_range_that_was_used_up_is_not_a_fresh_one() {
    let mut used_up = 5_u8..=5;
    used_up.next();
    check(&[5..=5, used_up, 5..=6, RangeInclusive::new(6, 5)]);
    check(&[0..5, 0..6, 1..5, Range { start: 5, end: 0 }]);
}

#[test]
fn times_are_told_apart_on_both_sides_of_1970() {
    let nano = Duration::from_nanos(1);
    let second = Duration::from_secs(1);
    let before = UNIX_EPOCH - second;
    check(&[
        UNIX_EPOCH,
        UNIX_EPOCH + nano,
        UNIX_EPOCH - nano,
        UNIX_EPOCH + second,
        before,
        before - nano,
        before + nano,
    ]);
    check::<SystemTime>(&[before + second, UNIX_EPOCH, UNIX_EPOCH + second - nano]);
    check(&[Duration::ZERO, nano, second, second + nano, Duration::MAX]);
    assert_eq!(Key::new("k").part(&(UNIX_EPOCH - nano)).text(), "k(@-1.999999999)");
}

#[test]
fn addresses_are_told_apart() {
    let v4: IpAddr = Ipv4Addr::LOCALHOST.into();
    check(&[v4, Ipv4Addr::LOCALHOST.to_ipv6_mapped().into(), Ipv4Addr::LOCALHOST.to_ipv6_compatible().into()]);
    let local = "fe80::1".parse().unwrap();
    check(&[
        SocketAddrV6::new(local, 80, 0, 0),
        SocketAddrV6::new(local, 80, 1, 0),
        SocketAddrV6::new(local, 80, 0, 1),
        SocketAddrV6::new(local, 81, 0, 0),
    ]);
}

#[test]
fn what_holds_nothing_is_written_all_the_same() {
    assert_eq!(bytes(&PhantomData::<SystemTime>), bytes(&()));
    check(&[vec![()], vec![(), ()], vec![]]);
    check(&[None, Some(None), Some(Some(None)), Some(Some(Some(())))]);
}

#[test]
fn a_key_that_outgrows_its_place_keeps_what_was_there() {
    let parts: Vec<String> = (0..40).map(|n| "x".repeat(n)).collect();
    let mut out = KeyWriter::new();
    let mut expected = Vec::new();
    for part in &parts {
        part.encode(&mut out);
        expected.extend(bytes(part));
        assert_eq!(out.as_bytes(), expected);
    }
}

#[test]
fn manual_keys_of_different_schemes_are_different() {
    let keys = [
        Key::new("user").part(&7),
        Key::new("user").part(&(7,)),
        Key::new("user"),
        Key::new("user").part(&()),
        Key::new("entity:user").part(&7),
        Key::entity("user", &7),
        Key::list("user", &7),
        Key::composite("user", &7),
        Key::session(&7),
        Key::session("user").part(&7),
        Key::entity("user", &8),
        Key::entity("use", "r"),
        Key::entity("", "user"),
    ];
    for (at, one) in keys.iter().enumerate() {
        for (other_at, other) in keys.iter().enumerate() {
            assert_eq!(one == other, at == other_at, "{} and {}", one.text(), other.text());
        }
    }
}

#[test]
fn debug_shows_no_argument() {
    let shown = format!("{:?}", Key::entity("user", "jane@example.org"));
    assert!(shown.starts_with("Key(manual, "), "{shown}");
    assert!(!shown.contains("jane"), "{shown}");
    let mut out = KeyWriter::new();
    out.write_str("jane@example.org");
    let shown = format!("{out:?}");
    assert!(shown.starts_with("KeyWriter(18 bytes, "), "{shown}");
}

#[test]
fn text_shows_what_was_written() {
    let map = BTreeMap::from([("a", 1_u8), ("b", 2)]);
    let key = Key::new("k").part(&map).part(&BTreeSet::from([1, 2])).part(&('x', "q\"", 1.0_f32, -2_i64, true));
    assert_eq!(key.text(), r#"k({"a": 1, "b": 2}, {1, 2}, ('x', "q\"", 1.0, -2, true))"#);
    let key = Key::new("k").part(&Ipv4Addr::LOCALHOST).part(&Duration::from_millis(1_500)).part(&Err::<u8, _>(()));
    assert_eq!(key.text(), "k(127.0.0.1, 1.5s, Err(()))");
    let key = Key::new("k").part(&Path::new("/a/b")).part(&(1..=2)).part(&Vec::<u64>::new());
    assert_eq!(key.text(), r#"k(Path("/", "a", "b"), RangeInclusive(1, 2), [])"#);
    assert_eq!(Key::new("prices").text(), "prices");
}
