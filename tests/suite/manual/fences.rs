//! Fences and what is set by hand: hidden while the fence stands.

use cachex::{EntryOptions, Verdict};

use super::{SECOND, cache, key};

#[test]
fn what_is_set_under_a_fence_is_hidden_while_it_stands() {
    let (cache, _) = cache();
    let blocking = cache.blocking();
    let fence = cache.fence(["written"], 100 * SECOND);
    blocking.set(&key(1), 1, &EntryOptions::new().tag("written")).unwrap();
    assert_eq!(blocking.get::<i32>(&key(1)).unwrap(), None);
    assert!(!blocking.exists(&key(1)));
    assert_eq!(cache.explain(&key(1)).verdict, Verdict::Fenced);
    fence.cancel();
    assert_eq!(blocking.get::<i32>(&key(1)).unwrap(), Some(1), "nothing was written");
}

#[test]
fn what_was_set_under_a_fence_is_gone_after_the_write() {
    let (cache, _) = cache();
    let fence = cache.fence(["written"], 100 * SECOND);
    cache.blocking().set(&key(1), 1, &EntryOptions::new().tag("written")).unwrap();
    fence.release();
    assert_eq!(cache.blocking().get::<i32>(&key(1)).unwrap(), None);
    cache.blocking().set(&key(1), 2, &EntryOptions::new().tag("written")).unwrap();
    assert_eq!(cache.blocking().get::<i32>(&key(1)).unwrap(), Some(2));
}

#[test]
fn a_fence_hides_nothing_of_other_tags() {
    let (cache, _) = cache();
    let _fence = cache.fence(["written"], 100 * SECOND);
    cache.blocking().set(&key(1), 1, &EntryOptions::new().tag("read")).unwrap();
    cache.blocking().set(&key(2), 2, &EntryOptions::new()).unwrap();
    assert_eq!(cache.blocking().get_many::<i32>(&[key(1), key(2)]).unwrap(), [Some(1), Some(2)]);
}
