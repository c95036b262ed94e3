//! Generic functions and types, where clauses, constants, lifetimes, `impl Trait` arguments.

use std::fmt::Display;
use std::marker::PhantomData;

use cachex::{CacheKey, CacheScope, KeyWriter, cached, invalidates};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Loads;

trait Named {
    const NAME: &'static str;
}

struct Cat;
struct Dog;

impl Named for Cat {
    const NAME: &'static str = "cat";
}

impl Named for Dog {
    const NAME: &'static str = "dog";
}

#[test]
fn instances_of_a_generic_function_have_entries_of_their_own() {
    #[cached(ttl = "1m")]
    fn named<T: Named>(times: u8) -> String {
        T::NAME.repeat(times.into())
    }

    assert_eq!([named::<Cat>(1), named::<Dog>(1)], ["cat", "dog"]);
    assert_eq!([named::<Cat>(1), named::<Dog>(1)], ["cat", "dog"]);
    assert_ne!(named_key::<Cat>(&1), named_key::<Dog>(&1));
}

#[tokio::test]
async fn a_generic_async_function_with_a_where_clause_loads_once() {
    static LOADS: Loads = Loads::new();

    #[cached(ttl = "1m", tags = ["shown:{value}"])]
    async fn shown<'a, T, const N: usize>(value: &'a T, more: [u64; N]) -> Vec<String>
    where
        T: CacheKey + Display + Sync + ?Sized + 'a,
    {
        LOADS.note();
        more.iter().map(|n| format!("{value}{n}")).collect()
    }

    assert_eq!(shown("a", [1, 2]).await, ["a1", "a2"]);
    assert_eq!(shown("a", [1, 2]).await, ["a1", "a2"]);
    assert_eq!(shown(&7_u64, [1]).await, ["71"]);
    LOADS.check(2);
}

#[test]
fn a_generic_value_is_kept() {
    #[cached]
    fn pair<T, E>(value: T) -> Result<(T, T), E>
    where
        T: CacheKey + Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
        E: 'static,
    {
        Ok((value.clone(), value))
    }

    assert_eq!(pair::<u64, ()>(1), Ok((1, 1)));
    assert_eq!(pair::<String, ()>("a".to_owned()), Ok(("a".to_owned(), "a".to_owned())));
}

#[test]
fn an_argument_without_a_name_for_its_type_is_part_of_the_key() {
    #[cached(ttl = "1m")]
    fn length(text: impl AsRef<str> + CacheKey, other: &impl CacheKey) -> usize {
        let _ = other;
        text.as_ref().len()
    }

    assert_eq!([length("abc", &1_u64), length("abc".to_owned(), &"x")], [3, 3]);
    assert_eq!(length_key(&"abc", &1_u64), length_key(&"abc", &1_u64));
}

#[test]
fn a_type_that_only_a_skipped_argument_names_keeps_entries_apart() {
    trait Kind {
        const NAME: &'static str;
    }
    struct A;
    struct B;
    impl Kind for A {
        const NAME: &'static str = "a";
    }
    impl Kind for B {
        const NAME: &'static str = "b";
    }

    #[cached(ttl = "1m", skip(_kind))]
    fn named<K: Kind>(id: u64, _kind: PhantomData<K>) -> String {
        format!("{} {id}", K::NAME)
    }

    assert_eq!(named(1, PhantomData::<A>), "a 1");
    assert_eq!(named(1, PhantomData::<B>), "b 1");
    assert!(named_remove::<A>(&1));
    assert!(named_remove::<B>(&1));
}

// Guards the additional reference of the hidden companions.
#[test]
fn an_invalidation_names_the_instance_that_a_call_with_these_arguments_has() {
    #[cached(ttl = "1m")]
    fn length<K: CacheKey + AsRef<str> + ?Sized>(text: &K) -> usize {
        text.as_ref().len()
    }

    #[cached(ttl = "1m")]
    fn width(text: &(impl CacheKey + AsRef<str> + ?Sized)) -> usize {
        text.as_ref().len()
    }

    #[invalidates(length(text), width(text), length(owned), width(owned))]
    fn change(text: &str, owned: &String) {
        let _ = (text, owned);
    }

    let (text, owned) = ("abc", "abcd".to_owned());
    assert_eq!([length(text), width(text), length(&owned), width(&owned)], [3, 3, 4, 4]);
    change(text, &owned);
    let gone = [length_remove(text), width_remove(text), length_remove(&owned), width_remove(&owned)];
    assert_eq!(gone, [false; 4]);
}

#[test]
fn an_associated_function_is_not_taken_for_a_free_one_of_its_name() {
    struct Rates;

    impl Rates {
        #[cached(ttl = "1m", in_impl)]
        fn rate(id: u64) -> u64 {
            id + 1000
        }
    }

    #[cached(ttl = "1m")]
    fn rate(id: u64) -> u64 {
        id + 1
    }

    assert_eq!([rate(1), Rates::rate(1), rate(1), Rates::rate(1)], [2, 1001, 2, 1001]);
}

struct Table<T> {
    rows: u64,
    of: PhantomData<T>,
}

impl<T> CacheScope for Table<T> {
    fn encode_scope(&self, out: &mut KeyWriter<'_>) {
        out.write_u64(self.rows);
    }
}

impl<T: Named> Table<T> {
    #[cached(ttl = "1m")]
    fn title(&self, n: u64) -> String {
        format!("{} {} {n}", self.rows, T::NAME)
    }
}

#[test]
fn instances_of_a_generic_type_have_entries_of_their_own() {
    let (cats, dogs) = (Table::<Cat> { rows: 1, of: PhantomData }, Table::<Dog> { rows: 1, of: PhantomData });
    assert_eq!([cats.title(1), dogs.title(1)], ["1 cat 1", "1 dog 1"]);
    assert_eq!([cats.title(1), dogs.title(1)], ["1 cat 1", "1 dog 1"]);
}

struct Borrowing<'a> {
    name: &'a str,
}

impl CacheScope for Borrowing<'_> {
    fn encode_scope(&self, out: &mut KeyWriter<'_>) {
        out.write_str(self.name);
    }
}

impl<'a> Borrowing<'a> {
    #[cached(ttl = "1m")]
    async fn join<'b>(&self, left: &'b str, right: Option<&'a str>) -> String {
        format!("{}{left}{}", self.name, right.unwrap_or_default())
    }
}

#[tokio::test]
async fn lifetimes_are_carried_along() {
    let name = "a".to_owned();
    let borrowing = Borrowing { name: &name };
    assert_eq!(borrowing.join("b", Some("c")).await, "abc");
    assert_eq!(borrowing.join_key("b", &Some("c")), borrowing.join_key("b", &Some("c")));
}
