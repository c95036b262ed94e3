//! The options of `#[cached]` that a body notices.

use std::time::Duration;

use cachex::{Jitter, Tag, cached};

use super::{Loads, Users};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn durations_may_be_constant_expressions() {
    #[cached(ttl = MINUTE, soft_ttl = Duration::from_secs(30), grace = MINUTE.saturating_mul(2), jitter = Jitter::Share(0.1))]
    fn next(n: u64) -> u64 {
        n + 1
    }

    assert_eq!(next(1), 2);
}

#[test]
fn when_bypasses_the_cache() {
    static LOADS: Loads = Loads::new();

    #[cached(ttl = "1m", when = limit < 100)]
    fn page(limit: u64) -> u64 {
        LOADS.note();
        limit
    }

    assert_eq!([page(1), page(1)], [1, 1]);
    LOADS.check(1);
    assert_eq!([page(100), page(100)], [100, 100]);
    LOADS.check(3);
}

#[test]
fn the_value_may_say_its_ttl_its_tags_and_its_weight() {
    fn ttl(value: &[u64]) -> Duration {
        MINUTE * u32::try_from(value.len()).unwrap()
    }

    fn tags(value: &[u64]) -> impl IntoIterator<Item = Tag> + use<> {
        value.iter().map(|n| Tag::from(format!("value:{n}"))).collect::<Vec<_>>()
    }

    #[cached(ttl_with = ttl, tags_with = tags, weight = |value| value.len() as u64 * 8, unless = Vec::is_empty, grace = "1h")]
    fn numbers(n: u64) -> Result<Vec<u64>, String> {
        LOADS.note();
        Ok((0..n).collect())
    }

    static LOADS: Loads = Loads::new();
    assert_eq!([numbers(2), numbers(2)], [Ok(vec![0, 1]), Ok(vec![0, 1])]);
    LOADS.check(1);
    assert_eq!([numbers(0), numbers(0)], [Ok(vec![]), Ok(vec![])]);
    LOADS.check(3);
}

#[test]
fn some_errors_are_kept_if_asked() {
    static LOADS: Loads = Loads::new();

    #[cached(ttl = "1m", negative_ttl = "10s", cache_err = |error| *error == 404, share_err)]
    fn get(code: u64) -> Result<String, u64> {
        LOADS.note();
        Err(code)
    }

    assert_eq!([get(404), get(404)], [Err(404), Err(404)]);
    LOADS.check(1);
    assert_eq!([get(500), get(500)], [Err(500), Err(500)]);
    LOADS.check(3);
}

#[test]
fn version_and_name_are_facts_of_the_call_site() {
    #[cached(ttl = "1m", name = "numbers.next", version = 2, single_flight = false, tti = "30s")]
    fn next(n: u64) -> u64 {
        n + 1
    }

    assert_eq!(next(1), 2);
    assert!(format!("{:?}", next_key(&1)).contains("numbers.next"));
}

impl Users {
    #[cached(ttl = "1m")]
    fn pathed(&self) -> u64 {
        self.tenant
    }
}

#[test]
fn the_path_of_a_method_is_its_name() {
    let key = format!("{:?}", Users::of(300).pathed_key());
    assert!(key.contains("Users::pathed"), "{key}");
}
