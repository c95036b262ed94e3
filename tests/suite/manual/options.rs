//! How an entry is kept that is set by hand.

use std::time::Duration;

use cachex::{Cache, EntryOptions, Jitter, MethodSettings, Ttl, Verdict};

use super::{SECOND, cache, key};

const CENTURY: Duration = Duration::from_secs(100 * 31_557_600);

fn set(cache: &Cache, options: &EntryOptions) {
    cache.blocking().set(&key(1), 1, options).unwrap();
}

#[test]
fn each_option_has_its_effect() {
    let (cache, clock) = cache();
    let verdict = || cache.explain(&key(1)).verdict;
    set(&cache, &EntryOptions::new().ttl(10 * SECOND).soft_ttl(4 * SECOND).grace(30 * SECOND));
    assert_eq!((cache.blocking().ttl_of(&key(1)), verdict()), (Some(Ttl::Left(10 * SECOND)), Verdict::Fresh));
    for (step, expected) in [(4, Verdict::Stale), (6, Verdict::Expired), (30, Verdict::Dead)] {
        clock.advance(step * SECOND);
        assert_eq!(verdict(), expected);
    }
    set(&cache, &EntryOptions::new().ttl(10 * SECOND).jitter(Jitter::Span(4 * SECOND)));
    let Some(Ttl::Left(left)) = cache.blocking().ttl_of(&key(1)) else { panic!("it expires") };
    assert!((6 * SECOND..10 * SECOND).contains(&left), "{left:?}");
}

#[test]
fn without_options_an_entry_is_kept_as_the_defaults_say() {
    let defaults = MethodSettings::new().ttl(10 * SECOND);
    let cache = crate::builder().clock(cachex::time::ManualClock::new()).defaults(defaults).build().unwrap();
    set(&cache, &EntryOptions::new());
    assert_eq!(cache.blocking().ttl_of(&key(1)), Some(Ttl::Left(10 * SECOND)));
    set(&cache, &EntryOptions::new().ttl(SECOND));
    assert_eq!(cache.blocking().ttl_of(&key(1)), Some(Ttl::Left(SECOND)));
}

#[test]
fn an_idle_time_and_a_ttl_both_end_an_entry() {
    let (cache, clock) = cache();
    let blocking = cache.blocking();
    set(&cache, &EntryOptions::new().ttl(10 * SECOND).tti(3 * SECOND));
    for _ in 0..4 {
        clock.advance(2 * SECOND);
        assert_eq!(blocking.get::<i32>(&key(1)).unwrap(), Some(1));
    }
    assert_eq!(blocking.ttl_of(&key(1)), Some(Ttl::Left(2 * SECOND)), "the TTL is nearer");
    clock.advance(2 * SECOND);
    assert!(!blocking.exists(&key(1)));
    set(&cache, &EntryOptions::new().ttl(10 * SECOND).tti(3 * SECOND));
    clock.advance(3 * SECOND);
    assert!(!blocking.exists(&key(1)));
}

#[test]
fn a_span_beyond_the_end_of_time_is_cut() {
    let (cache, clock) = cache();
    let blocking = cache.blocking();
    set(&cache, &EntryOptions::new().ttl(Duration::MAX));
    assert_eq!(blocking.ttl_of(&key(1)), Some(Ttl::Left(CENTURY)));
    set(
        &cache,
        &EntryOptions::new().tti(Duration::MAX).ttl(Duration::MAX).soft_ttl(Duration::MAX).grace(Duration::MAX),
    );
    assert_eq!(cache.explain(&key(1)).verdict, Verdict::Fresh);
    set(&cache, &EntryOptions::new().ttl(Duration::MAX).jitter(Jitter::Share(1.0)));
    let Some(Ttl::Left(left)) = blocking.ttl_of(&key(1)) else { panic!("it expires") };
    assert!(left < CENTURY, "{left:?}");
    let load = || Ok::<_, String>(2);
    assert_eq!(blocking.get_or_load(&key(2), &EntryOptions::new().ttl(Duration::MAX), load), Ok(2));
    assert_eq!(blocking.ttl_of(&key(2)), Some(Ttl::Left(CENTURY)));
    clock.advance(CENTURY);
    assert!(!blocking.exists(&key(2)));
}

#[test]
fn a_soft_ttl_that_is_not_shorter_has_no_effect() {
    let (cache, clock) = cache();
    for soft_ttl in [10 * SECOND, 20 * SECOND] {
        set(&cache, &EntryOptions::new().ttl(10 * SECOND).soft_ttl(soft_ttl));
        clock.advance(9 * SECOND);
        assert_eq!(cache.explain(&key(1)).verdict, Verdict::Fresh, "{soft_ttl:?}");
    }
}

#[test]
fn a_ttl_of_zero_removes() {
    let (cache, _) = cache();
    set(&cache, &EntryOptions::new());
    set(&cache, &EntryOptions::new().ttl(Duration::ZERO));
    assert_eq!((cache.blocking().exists(&key(1)), cache.stats().removed), (false, 1));
}
