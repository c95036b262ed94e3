//! Arguments: references, patterns, exclusive ones, skipped ones.

use std::borrow::Cow;

use cachex::cached;

use super::Loads;

#[derive(Clone, Copy)]
struct Trace(u32);

struct Order {
    id: u64,
    lines: Vec<u64>,
}

#[test]
fn references_are_followed() {
    static LOADS: Loads = Loads::new();

    #[cached(ttl = "1m")]
    fn sum(numbers: &[u64], name: &str, more: &&u64, text: Cow<'_, str>) -> String {
        LOADS.note();
        format!("{name}{text}{}", numbers.iter().sum::<u64>() + **more)
    }

    assert_eq!(sum(&[1, 2], "a", &&3, "b".into()), "ab6");
    assert_eq!(sum([1, 2].as_slice(), "a", &&3, "b".to_owned().into()), "ab6");
    LOADS.check(1);
}

#[tokio::test]
async fn patterns_are_part_of_the_key_as_a_whole() {
    static LOADS: Loads = Loads::new();

    #[cached(ttl = "1m", tags = ["from:{from}", "to:{to}"])]
    async fn between((from, mut to): (u64, u64), [a, b]: [u64; 2], &c: &u64) -> u64 {
        LOADS.note();
        to += a + b + c;
        to - from
    }

    assert_eq!(between((1, 2), [3, 4], &5).await, 13);
    assert_eq!(between((1, 2), [3, 4], &5).await, 13);
    assert_eq!(between((1, 2), [3, 4], &6).await, 14);
    LOADS.check(2);
}

#[test]
fn fields_of_a_pattern_can_be_the_key() {
    static LOADS: Loads = Loads::new();

    #[cached(ttl = "1m", key = id, tags = ["order:{id}"], when = *id != 9)]
    fn total(Order { id, lines }: Order) -> u64 {
        LOADS.note();
        id + lines.iter().sum::<u64>()
    }

    assert_eq!(total(Order { id: 1, lines: vec![2] }), 3);
    assert_eq!(total(Order { id: 1, lines: vec![9] }), 3);
    LOADS.check(1);
}

#[test]
fn an_exclusive_reference_is_lent_to_the_load() {
    #[cached(ttl = "1m")]
    fn push(log: &mut u64, n: u64) -> u64 {
        *log += n;
        *log
    }

    let mut log = 1;
    assert_eq!(push(&mut log, 2), 3);
    assert_eq!(log, 3);
    assert_ne!(push_key(&1, &2), push_key(&3, &2));
}

#[test]
fn a_skipped_argument_does_not_tell_entries_apart() {
    static LOADS: Loads = Loads::new();

    #[cached(ttl = "1m", skip(trace, _))]
    fn plus(n: u64, trace: Trace, _: &dyn Fn()) -> u64 {
        LOADS.note();
        n + u64::from(trace.0)
    }

    assert_eq!([plus(1, Trace(1), &|| ()), plus(1, Trace(2), &|| ())], [2, 2]);
    LOADS.check(1);
    assert_eq!(plus_key(&1), plus_key(&1));
}

#[test]
fn a_key_replaces_the_arguments_and_sees_them_by_reference() {
    static LOADS: Loads = Loads::new();

    #[cached(ttl = "1m", key = (order.id, name.len() as u64), tags = ["order:{order.id}"])]
    fn describe(order: Order, name: &str, trace: Trace) -> String {
        LOADS.note();
        format!("{name}{}{}", order.lines.len(), trace.0)
    }

    assert_eq!(describe(Order { id: 1, lines: vec![] }, "a", Trace(1)), "a01");
    assert_eq!(describe(Order { id: 1, lines: vec![7] }, "b", Trace(2)), "a01");
    LOADS.check(1);
    let order = Order { id: 1, lines: vec![] };
    assert_eq!(describe_key(&order, "a"), describe_key(&order, "z"));
}

#[test]
fn braces_in_a_tag_are_doubled() {
    #[cached(ttl = "1m", tags = ["{{plain}}", "{{{n}}}"])]
    fn next(n: u64) -> u64 {
        n + 1
    }

    assert_eq!(next(1), 2);
}

// Guards `Call::keep_cache`: the load takes `self` away, and with it the cache that the call is of.
#[test]
fn a_method_that_takes_self_loads_into_the_cache_of_that() {
    use cachex::{Cache, CacheScope};
    use futures_util::FutureExt;

    #[derive(Clone, CacheScope)]
    struct Taken {
        #[scope(cache)]
        cache: Cache,
    }

    impl Taken {
        #[cached]
        fn double(self, number: u64) -> u64 {
            2 * number
        }

        #[cached]
        async fn triple(mut self, number: u64) -> u64 {
            self.cache = Cache::builder().build().unwrap();
            3 * number
        }
    }

    let taken = Taken { cache: Cache::builder().build().unwrap() };
    for _ in 0..2 {
        assert_eq!(taken.clone().double(7), 14);
        assert_eq!(taken.clone().triple(7).now_or_never(), Some(21));
    }
    let stats = taken.cache.stats();
    assert_eq!((stats.loads, stats.hits, stats.entries), (2, 2, 2));
}
