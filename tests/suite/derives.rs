//! What the derives write, through the public API.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use cachex::{Cache, CacheKey, CacheScope, Key, KeyFields, KeyWriter};

fn bytes(value: &(impl CacheKey + ?Sized)) -> Vec<u8> {
    let mut out = KeyWriter::new();
    value.encode(&mut out);
    out.as_bytes().to_vec()
}

fn written(write: impl FnOnce(&mut KeyWriter<'_>)) -> Vec<u8> {
    let mut out = KeyWriter::new();
    write(&mut out);
    out.as_bytes().to_vec()
}

fn scope(value: &impl CacheScope) -> Vec<u8> {
    written(|out| value.encode_scope(out))
}

fn text(value: &(impl CacheKey + ?Sized)) -> String {
    Key::new("k").part(value).text()
}

#[test]
fn a_struct_is_the_names_and_values_of_its_fields() {
    #[derive(CacheKey)]
    struct Filter<'a> {
        city: &'a str,
        r#type: Option<u8>,
    }
    let expected = written(|out| {
        out.write_struct(KeyFields::new(&["city", "type"]));
        out.write_str("Bonn");
        out.write_some(&3_u8);
    });
    assert_eq!(bytes(&Filter { city: "Bonn", r#type: Some(3) }), expected);
}

#[test]
fn a_struct_with_other_names_has_other_keys() {
    #[derive(CacheKey)]
    struct From {
        from: u8,
    }
    #[derive(CacheKey)]
    struct To {
        to: u8,
    }
    assert_ne!(bytes(&From { from: 1 }), bytes(&To { to: 1 }));
    assert_ne!(KeyFields::new(&["ab", "c"]), KeyFields::new(&["a", "bc"]));
    assert_ne!(KeyFields::new(&["a", ""]), KeyFields::new(&["", "a"]));
}

#[test]
fn a_tuple_struct_of_one_field_is_the_field() {
    #[derive(CacheKey)]
    struct UserId(u64);
    #[derive(CacheKey)]
    struct Pair(u64, u64);
    assert_eq!(bytes(&UserId(7)), bytes(&7_u64));
    assert_eq!(text(&UserId(7)), "k(7)");
    assert_eq!(text(&Pair(1, 2)), "k({1, 2})");
    assert_ne!(bytes(&Pair(1, 2)), bytes(&Pair(2, 1)));
}

#[test]
fn a_struct_without_fields_is_one_value_still() {
    #[derive(CacheKey)]
    struct Unit;
    #[derive(CacheKey)]
    struct Braces {}
    #[derive(CacheKey)]
    struct Skipped(
        #[key(skip)]
        #[expect(dead_code, reason = "left out of the key")]
        f32,
    );
    assert_eq!(bytes(&Unit), written(|out| out.write_struct(KeyFields::new(&[]))));
    assert_eq!(bytes(&Unit), bytes(&Braces {}));
    assert_eq!(bytes(&Unit), bytes(&Skipped(1.5)));
    assert!(!bytes(&Unit).is_empty());
}

#[test]
fn a_variant_is_its_name_and_its_fields() {
    #[derive(CacheKey)]
    enum Order {
        Newest,
        Near { x: i32, y: i32 },
        Named(String),
    }
    let near = written(|out| {
        out.write_variant("Near", 2);
        out.write_i32(1);
        out.write_i32(2);
    });
    assert_eq!(bytes(&Order::Near { x: 1, y: 2 }), near);
    assert_eq!(text(&Order::Newest), "k(Newest)");
    assert_eq!(text(&Order::Named("a".into())), r#"k(Named("a"))"#);
}

#[test]
fn reordered_variants_keep_their_keys() {
    mod before {
        #[derive(cachex::CacheKey)]
        pub(super) enum Side {
            Left,
            Right(u8),
        }
    }
    mod after {
        #[derive(cachex::CacheKey)]
        pub(super) enum Side {
            #[expect(dead_code, reason = "a variant that was added")]
            Middle,
            Right(u8),
            Left,
        }
    }
    assert_eq!(bytes(&before::Side::Left), bytes(&after::Side::Left));
    assert_eq!(bytes(&before::Side::Right(1)), bytes(&after::Side::Right(1)));
}

#[test]
fn an_enum_without_variants_compiles() {
    #[derive(CacheKey)]
    enum Never {}
    assert_eq!(bytes(&None::<Never>), bytes(&None::<u8>));
}

#[test]
fn a_skipped_field_changes_no_key() {
    struct Trace;
    #[derive(CacheKey)]
    struct Filter {
        city: &'static str,
        #[key(skip)]
        #[expect(dead_code, reason = "left out of the key")]
        trace: Option<Trace>,
    }
    #[derive(CacheKey)]
    enum Search {
        By(
            u8,
            #[key(skip)]
            #[expect(dead_code, reason = "left out of the key")]
            Option<Trace>,
        ),
    }
    let key = |trace| bytes(&Filter { city: "Bonn", trace });
    assert_eq!(key(None), key(Some(Trace)));
    assert_ne!(key(None), bytes(&Filter { city: "Ulm", trace: None }));
    assert_eq!(bytes(&Search::By(1, None)), bytes(&Search::By(1, Some(Trace))));
    assert_ne!(bytes(&Search::By(1, None)), bytes(&Search::By(2, None)));
}

#[test]
fn a_function_says_what_stands_for_a_field() {
    struct Foreign(u16);
    impl Foreign {
        fn number(&self) -> u16 {
            self.0
        }
    }
    fn by_parity(foreign: &Foreign) -> bool {
        foreign.0.is_multiple_of(2)
    }
    #[derive(CacheKey)]
    struct Filter<'a> {
        #[key(with = by_parity)]
        parity: Foreign,
        #[key(with = Foreign::number)]
        number: Foreign,
        #[key(with = str::trim)]
        name: &'a str,
    }
    let key = |parity, number, name| bytes(&Filter { parity: Foreign(parity), number: Foreign(number), name });
    assert_eq!(key(1, 1, " a"), key(3, 1, "a "));
    assert_ne!(key(1, 1, "a"), key(2, 1, "a"));
    assert_ne!(key(1, 1, "a"), key(1, 2, "a"));
    assert_ne!(key(1, 1, "a"), key(1, 1, "b"));
}

#[test]
fn a_generic_type_needs_keys_only_of_what_it_writes() {
    trait Model {
        type Id;
    }
    struct User;
    impl Model for User {
        type Id = u64;
    }
    #[derive(CacheKey)]
    struct Page<'a, M: Model, T: ?Sized, C = (), const N: usize = 2>
    where
        T: std::fmt::Debug,
    {
        after: Option<M::Id>,
        last: [<M as Model>::Id; N],
        order: &'a T,
        _model: PhantomData<M>,
        #[key(skip)]
        #[expect(dead_code, reason = "left out of the key")]
        client: C,
    }
    struct NoKey;
    let page = |after| {
        bytes(&Page::<User, str, NoKey> { after, last: [1, 2], order: "age", _model: PhantomData, client: NoKey })
    };
    assert_ne!(page(Some(1)), page(None));
    assert_eq!(page(Some(1)), page(Some(1)));
}

#[test]
fn a_type_may_contain_itself() {
    #[derive(CacheKey)]
    struct Tree<T> {
        value: T,
        children: Vec<Tree<T>>,
        by_name: BTreeMap<String, Box<Tree<T>>>,
    }
    let leaf = |value| Tree { value, children: vec![], by_name: BTreeMap::new() };
    let tree =
        |value| Tree { value: 0, children: vec![leaf(value)], by_name: [("a".to_owned(), Box::new(leaf(1)))].into() };
    assert_eq!(bytes(&tree(1)), bytes(&tree(1)));
    assert_ne!(bytes(&tree(1)), bytes(&tree(2)));
}

#[test]
fn names_of_the_program_do_not_get_in_the_way() {
    mod shadows {
        #![allow(dead_code, reason = "only in the way")]
        pub(super) struct Option;
        pub(super) struct KeyWriter;
        pub(super) struct KeyFields;
        pub(super) trait CacheKey {
            fn encode(&self) {}
        }
        impl<T> CacheKey for T {}
        #[derive(cachex::CacheKey, cachex::CacheScope)]
        pub(super) struct Odd {
            #[scope]
            pub(super) out: u8,
            pub(super) field_0: u8,
            #[scope(cache)]
            #[key(skip)]
            pub(super) cache: Cache,
        }
        pub(super) struct Cache(pub(super) cachex::Cache);
        impl AsRef<cachex::Cache> for Cache {
            fn as_ref(&self) -> &cachex::Cache {
                &self.0
            }
        }
    }
    let odd = shadows::Odd { out: 1, field_0: 2, cache: shadows::Cache(a_cache()) };
    assert_eq!(text(&odd), "k({1, 2})");
    assert_eq!(scope(&odd), bytes(&1_u8));
}

#[test]
fn the_runtime_may_go_by_another_name() {
    mod vendored {
        pub(super) use cachex as store;
    }
    #[derive(CacheKey, CacheScope)]
    #[key(crate = vendored::store)]
    #[scope(crate = vendored::store)]
    struct Users {
        #[scope]
        tenant: u8,
    }
    assert_eq!(scope(&Users { tenant: 1 }), bytes(&1_u8));
    assert_eq!(text(&Users { tenant: 1 }), "k({1})");
}

fn a_cache() -> Cache {
    Cache::builder().build().unwrap()
}

#[test]
fn a_scope_is_its_marked_fields_in_order() {
    #[derive(CacheScope)]
    struct Users<'a> {
        #[scope]
        tenant: &'a str,
        #[expect(dead_code, reason = "changes nothing of what methods return")]
        pool: Vec<Box<dyn Send>>,
        #[scope]
        region: u8,
    }
    let users = Users { tenant: "a", pool: vec![], region: 2 };
    let expected = written(|out| {
        out.write_str("a");
        out.write_u8(2);
    });
    assert_eq!(scope(&users), expected);
    assert!(users.cache().is_none());
}

#[test]
fn a_type_without_marks_adds_nothing() {
    #[derive(CacheScope)]
    struct Unit;
    #[derive(CacheScope)]
    struct Plain {
        _pool: u8,
    }
    assert!(scope(&Unit).is_empty());
    assert!(scope(&Plain { _pool: 1 }).is_empty());
}

#[test]
fn a_scope_names_its_cache() {
    #[derive(CacheScope)]
    struct Owned(#[scope] u8, #[scope(cache)] Cache);
    #[derive(CacheScope)]
    struct Shared<'a> {
        #[scope(cache)]
        cache: &'a Arc<Cache>,
    }
    let owned = Owned(1, a_cache());
    assert_eq!(scope(&owned), bytes(&1_u8));
    assert!(std::ptr::eq(owned.cache().unwrap(), &owned.1));
    let cache = Arc::new(a_cache());
    assert!(std::ptr::eq(Shared { cache: &cache }.cache().unwrap(), &*cache));
}

#[test]
fn a_generic_scope_needs_keys_only_of_its_parts() {
    struct NoKey;
    #[derive(CacheScope)]
    struct Repository<T: Clone, P, C>
    where
        P: Send,
    {
        #[scope]
        tenant: Option<T>,
        #[expect(dead_code, reason = "changes nothing of what methods return")]
        pool: P,
        #[scope(cache)]
        cache: C,
    }
    let repository = Repository { tenant: Some(1_u8), pool: NoKey, cache: a_cache() };
    assert_eq!(scope(&repository), bytes(&Some(1_u8)));
    assert!(repository.cache().is_some());
}

#[test]
fn mistakes_are_told_at_their_token() {
    trybuild::TestCases::new().compile_fail("ui/derive/*.rs");
}
