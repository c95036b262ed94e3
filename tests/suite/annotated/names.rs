//! Names of the user's that could meet ours.

#[test]
fn arguments_may_be_called_as_our_locals() {
    #[cachex::cached(ttl = "1m", tags = ["{key}{call}{tags}"])]
    #[expect(clippy::too_many_arguments, reason = "all names at once")]
    fn all(
        key: u64,
        call: u64,
        cache: u64,
        tags: u64,
        inner: u64,
        shape: u64,
        value: u64,
        this: u64,
        here: u64,
        kept: u64,
        effects: u64,
    ) -> u64 {
        key + call + cache + tags + inner + shape + value + this + here + kept + effects
    }

    assert_eq!(all(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), 66);
    all_prime(&1, &2, &3, &4, &5, &6, &7, &8, &9, &10, &11, &7);
    assert_eq!(all(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), 7);
}

#[tokio::test]
async fn raw_names_are_fine() {
    #[cachex::cached(ttl = "1m", tags = ["{type}", "raw:{r#type}"])]
    async fn r#match(r#type: u64) -> u64 {
        r#type + 1
    }

    assert_eq!(r#match(1).await, 2);
    assert_eq!(match_key(&1), match_key(&1));
}

mod shadowed {
    #![expect(dead_code, non_camel_case_types, unused_macros, reason = "they are here to be in the way")]

    pub(super) struct Result;
    pub(super) struct Option;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct String;
    pub(super) struct Key;
    pub(super) struct Call;
    pub(super) struct Tags;
    pub(super) struct Policy;
    pub(super) struct Duration;
    pub(super) struct u64;
    pub(super) mod std {}
    pub(super) mod core {}

    macro_rules! format {
        ($($any:tt)*) => {
            compile_error!("not the macro that was meant")
        };
    }

    #[cachex::cached(ttl = "1m", jitter = "10%", tags = ["n:{n}"], name = "shadowed")]
    pub(super) fn next(n: u32) -> ::std::option::Option<u32> {
        ::std::option::Option::Some(n + 1)
    }

    #[cachex::invalidates(next(n), tags = ["n:{n}"])]
    pub(super) async fn forget(n: u32) -> ::std::result::Result<(), u32> {
        ::std::result::Result::Ok(())
    }
}

#[tokio::test]
async fn a_module_may_shadow_the_prelude() {
    assert_eq!(shadowed::next(1), Some(2));
    assert_eq!(shadowed::forget(1).await, Ok(()));
}

mod renamed {
    pub(super) use ::cachex as store;

    #[store::cached(ttl = "1m", crate = store)]
    pub(super) fn next(n: u32) -> u32 {
        n + 1
    }
}

#[test]
fn the_runtime_may_go_by_another_name() {
    assert_eq!(renamed::next(1), 2);
}
