//! The bytes of known values, which no release may change without a new version of the encoding.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::ops::Bound;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use cachex::CacheKey;

use super::bytes;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/keys.txt");

#[derive(CacheKey)]
struct Filter<'a> {
    city: &'a str,
    min_age: Option<u8>,
}

#[derive(CacheKey)]
struct UserId(u64);

#[derive(CacheKey)]
struct Unit;

#[derive(CacheKey)]
enum Order {
    Newest,
    Near { x: i32, y: i32 },
    Named(String),
}

/// Compares each vector; `CACHEX_UPDATE_GOLDEN=1` writes them anew instead, after a change that is meant.
#[test]
fn the_bytes_of_known_values_are_frozen() {
    let vectors = vectors();
    if std::env::var_os("CACHEX_UPDATE_GOLDEN").is_some() {
        std::fs::write(FILE, &vectors).unwrap();
    }
    let frozen = std::fs::read_to_string(FILE)
        .unwrap_or_else(|error| panic!("{FILE}: {error}; write it with CACHEX_UPDATE_GOLDEN=1 and review it"));
    for (frozen, now) in frozen.lines().zip(vectors.lines()) {
        assert_eq!(frozen, now, "the encoding changed; keys kept by other processes have lost their meaning");
    }
    assert_eq!(frozen.lines().count(), vectors.lines().count(), "vectors were added or removed");
}

fn vectors() -> String {
    let mut all = "# name | value | canonical bytes, in hexadecimal\n".to_owned();
    scalars(&mut all);
    text(&mut all);
    standard(&mut all);
    compounds(&mut all);
    derived(&mut all);
    all
}

fn vector(all: &mut String, name: &str, description: &str, value: &(impl CacheKey + ?Sized)) {
    let hex = bytes(value).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    writeln!(all, "{name} | {description} | {hex}").unwrap();
}

fn scalars(all: &mut String) {
    vector(all, "unit", "()", &());
    vector(all, "bool", "false", &false);
    vector(all, "bool", "true", &true);
    vector(all, "u8", "7", &7_u8);
    vector(all, "u16", "258", &258_u16);
    vector(all, "u32", "7", &7_u32);
    vector(all, "u64", "7", &7_u64);
    vector(all, "u64", "u64::MAX", &u64::MAX);
    vector(all, "u128", "7", &7_u128);
    vector(all, "usize", "7", &7_usize);
    vector(all, "i8", "-1", &-1_i8);
    vector(all, "i16", "-1", &-1_i16);
    vector(all, "i32", "-1", &-1_i32);
    vector(all, "i64", "-1", &-1_i64);
    vector(all, "i128", "-1", &-1_i128);
    vector(all, "isize", "-1", &-1_isize);
    vector(all, "NonZeroU32", "7", &NonZeroU32::new(7).unwrap());
    vector(all, "f32", "1.5", &1.5_f32);
    vector(all, "f32", "-0.0", &-0.0_f32);
    vector(all, "f32", "NaN", &f32::NAN);
    vector(all, "f64", "1.5", &1.5_f64);
    vector(all, "f64", "-0.0", &-0.0_f64);
    vector(all, "f64", "NaN", &f64::NAN);
    vector(all, "f64", "-inf", &f64::NEG_INFINITY);
    vector(all, "char", "ß", &'ß');
}

fn text(all: &mut String) {
    vector(all, "str", "empty", "");
    vector(all, "str", "héllo", "héllo");
    vector(all, "str", "128 times a", &"a".repeat(128));
    vector(all, "[u8]", "empty", &[0_u8; 0]);
    vector(all, "[u8]", "1, 2, 3", &[1_u8, 2, 3]);
    vector(all, "CStr", "a", c"a");
    vector(all, "Path", "/a//b/", Path::new("/a//b/"));
}

fn standard(all: &mut String) {
    vector(all, "Duration", "1.5s", &Duration::from_millis(1_500));
    vector(all, "SystemTime", "1.5s after 1970", &(UNIX_EPOCH + Duration::from_millis(1_500)));
    vector(all, "SystemTime", "1.5s before 1970", &(UNIX_EPOCH - Duration::from_millis(1_500)));
    vector(all, "Ipv4Addr", "127.0.0.1", &Ipv4Addr::LOCALHOST);
    vector(all, "Ipv6Addr", "::1", &Ipv6Addr::LOCALHOST);
    vector(all, "SocketAddr", "127.0.0.1:80", &SocketAddr::from(([127, 0, 0, 1], 80)));
    vector(all, "SocketAddr", "[::1]:80", &SocketAddr::from((Ipv6Addr::LOCALHOST, 80)));
    vector(all, "Ordering", "Less", &std::cmp::Ordering::Less);
    vector(all, "Range", "1..5", &(1_u8..5));
    vector(all, "RangeInclusive", "1..=5", &(1_u8..=5));
    vector(all, "RangeFrom", "1..", &(1_u8..));
    vector(all, "RangeTo", "..5", &(..5_u8));
    vector(all, "RangeToInclusive", "..=5", &(..=5_u8));
    vector(all, "RangeFull", "..", &(..));
    vector(all, "Bound", "Excluded(1)", &Bound::Excluded(1_u8));
    vector(all, "Bound", "Unbounded", &Bound::<u8>::Unbounded);
}

fn compounds(all: &mut String) {
    vector(all, "Option", "None", &None::<u8>);
    vector(all, "Option", "Some(\"\")", &Some(""));
    vector(all, "Option", "Some(None)", &Some(None::<u8>));
    vector(all, "Result", "Ok(1)", &Ok::<u8, u8>(1));
    vector(all, "Result", "Err(1)", &Err::<u8, u8>(1));
    vector(all, "tuple", "(\"ab\", \"c\")", &("ab", "c"));
    vector(all, "tuple", "(\"a\", \"bc\")", &("a", "bc"));
    vector(all, "[u16]", "1, 2", &[1_u16, 2]);
    vector(all, "Vec", "empty", &Vec::<u16>::new());
    vector(all, "Vec", "[[1], []]", &vec![vec![1_u16], vec![]]);
    vector(all, "Vec", "300 times ()", &vec![(); 300]);
    vector(all, "BTreeMap", "ten → 1, b → 2", &BTreeMap::from([("ten", 1_u8), ("b", 2)]));
    vector(all, "HashMap", "ten → 1, b → 2", &HashMap::from([("ten", 1_u8), ("b", 2)]));
    vector(all, "BTreeSet", "-1, 0, 1", &BTreeSet::from([-1_i8, 0, 1]));
}

fn derived(all: &mut String) {
    vector(all, "Unit", "a struct without fields", &Unit);
    vector(all, "UserId", "a tuple struct of 7", &UserId(7));
    vector(all, "Filter", "city Bonn, min_age 18", &Filter { city: "Bonn", min_age: Some(18) });
    vector(all, "Filter", "city empty, min_age none", &Filter { city: "", min_age: None });
    vector(all, "Order", "Newest", &Order::Newest);
    vector(all, "Order", "Near, x 1, y -1", &Order::Near { x: 1, y: -1 });
    vector(all, "Order", "Named x", &Order::Named("x".to_owned()));
}
