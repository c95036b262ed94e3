//! What each operation does, in every place.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use cachex::{Codec, Error, RemoteSettings, Ttl};
use serde::{Deserialize, Serialize};

use super::{connected, key, places, until};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Job {
    id: u64,
    name: Option<String>,
}

fn job(id: u64) -> Job {
    Job { id, name: id.is_multiple_of(2).then(|| format!("job {id}")) }
}

#[test]
fn a_counter_begins_at_0_and_stays_within_its_range() {
    for place in places() {
        let (cache, counter, name) = (place.node(), key("counter"), place.name);
        let blocking = cache.blocking();
        assert_eq!(blocking.counter(&counter).unwrap(), None, "{name}");
        assert_eq!(blocking.increment(&counter, 0).unwrap(), 0, "{name}");
        assert_eq!(blocking.increment(&counter, i64::MAX - 1).unwrap(), i64::MAX - 1, "{name}");
        assert_eq!(blocking.increment(&counter, 5).unwrap(), i64::MAX, "{name}");
        assert_eq!(blocking.decrement(&counter, i64::MIN).unwrap(), i64::MAX, "{name}");
        assert_eq!(blocking.increment(&counter, i64::MIN).unwrap(), -1, "{name}");
        assert_eq!(blocking.decrement(&counter, i64::MIN).unwrap(), i64::MAX, "{name}: 2^63 - 1");
        assert_eq!(blocking.decrement(&counter, i64::MAX).unwrap(), 0, "{name}");
        assert_eq!(blocking.decrement(&counter, i64::MAX).unwrap(), -i64::MAX, "{name}");
        assert_eq!(blocking.decrement(&counter, 5).unwrap(), i64::MIN, "{name}");
        assert_eq!(blocking.counter(&counter).unwrap(), Some(i64::MIN), "{name}");
        // Above 2^53: not a number of a script.
        assert_eq!(blocking.increment(&key("large"), (1 << 60) + 1).unwrap(), (1 << 60) + 1, "{name}");
    }
}

#[test]
fn a_list_gives_first_what_was_put_in_first() {
    for place in places() {
        let (cache, list, name) = (place.node(), key("list"), place.name);
        let blocking = cache.blocking();
        assert_eq!((blocking.list_len(&list).unwrap(), blocking.list_pop::<Job>(&list).unwrap()), (0, None), "{name}");
        for id in 1..=3 {
            assert_eq!(blocking.list_push(&list, &job(id)).unwrap(), id, "{name}");
        }
        assert_eq!(blocking.list_len(&list).unwrap(), 3, "{name}");
        for id in 1..=3 {
            assert_eq!(blocking.list_pop::<Job>(&list).unwrap(), Some(job(id)), "{name}");
        }
        assert_eq!(blocking.list_pop::<Job>(&list).unwrap(), None, "{name}");
        // An empty list is none: the key may be of another kind.
        assert_eq!(blocking.structure_ttl(&list).unwrap(), None, "{name}");
        assert_eq!(blocking.increment(&list, 1).unwrap(), 1, "{name}");
    }
}

#[test]
fn a_set_has_each_member_once() {
    for place in places() {
        let (cache, set, name) = (place.node(), key("set"), place.name);
        let blocking = cache.blocking();
        assert_eq!(blocking.set_members::<Job>(&set).unwrap(), [], "{name}");
        assert!(!blocking.set_contains(&set, &job(1)).unwrap(), "{name}");
        for id in [1, 2, 1, 2, 3] {
            let is_new = !blocking.set_contains(&set, &job(id)).unwrap();
            assert_eq!(blocking.set_add(&set, &job(id)).unwrap(), is_new, "{name}");
        }
        let members: HashSet<_> = blocking.set_members::<Job>(&set).unwrap().into_iter().collect();
        assert_eq!(members, HashSet::from([job(1), job(2), job(3)]), "{name}");
    }
}

#[test]
fn a_hash_has_a_value_for_each_field() {
    for place in places() {
        let (cache, hash, name) = (place.node(), key("hash"), place.name);
        let blocking = cache.blocking();
        assert_eq!(blocking.hash_get::<Job>(&hash, "a").unwrap(), None, "{name}");
        assert_eq!(blocking.hash_get_all::<Job>(&hash).unwrap(), BTreeMap::new(), "{name}");
        assert!(blocking.hash_set(&hash, "a", &job(1)).unwrap(), "{name}");
        assert!(blocking.hash_set(&hash, "", &job(2)).unwrap(), "{name}: a field may have no name");
        assert!(!blocking.hash_set(&hash, "a", &job(3)).unwrap(), "{name}");
        assert_eq!(blocking.hash_get::<Job>(&hash, "a").unwrap(), Some(job(3)), "{name}");
        assert_eq!(blocking.hash_get::<Job>(&hash, "b").unwrap(), None, "{name}");
        let all = BTreeMap::from([("a".to_owned(), job(3)), (String::new(), job(2))]);
        assert_eq!(blocking.hash_get_all::<Job>(&hash).unwrap(), all, "{name}");
    }
}

// Every operation at a structure of every other kind: nothing changes, and the error says so.
#[test]
fn what_is_of_another_kind_is_an_error_and_stays() {
    for place in places() {
        let (cache, name) = (place.node(), place.name);
        let blocking = cache.blocking();
        let kinds = ["counter", "list", "set", "hash"].map(key);
        blocking.increment(&kinds[0], 1).unwrap();
        blocking.list_push(&kinds[1], &1_u64).unwrap();
        blocking.set_add(&kinds[2], &1_u64).unwrap();
        blocking.hash_set(&kinds[3], "a", &1_u64).unwrap();
        for (index, at) in kinds.iter().enumerate() {
            let asked: [(usize, Result<(), Error>); 12] = [
                (0, blocking.increment(at, 1).map(drop)),
                (0, blocking.decrement(at, 1).map(drop)),
                (0, blocking.counter(at).map(drop)),
                (1, blocking.list_len(at).map(drop)),
                (1, blocking.list_push(at, &2_u64).map(drop)),
                (1, blocking.list_pop::<u64>(at).map(drop)),
                (2, blocking.set_add(at, &2_u64).map(drop)),
                (2, blocking.set_members::<u64>(at).map(drop)),
                (2, blocking.set_contains(at, &2_u64).map(drop)),
                (3, blocking.hash_set(at, "b", &2_u64).map(drop)),
                (3, blocking.hash_get::<u64>(at, "b").map(drop)),
                (3, blocking.hash_get_all::<u64>(at).map(drop)),
            ];
            for (kind, answer) in asked {
                match answer {
                    Ok(()) => assert_eq!(kind, index, "{name}"),
                    Err(error) => assert!(kind != index && error.is_type_mismatch(), "{name}: {error}"),
                }
            }
        }
        assert_eq!(blocking.counter(&kinds[0]).unwrap(), Some(1), "{name}");
        assert_eq!(blocking.list_len(&kinds[1]).unwrap(), 1, "{name}");
        assert_eq!(blocking.set_members::<u64>(&kinds[2]).unwrap().len(), 2, "{name}");
        assert_eq!(blocking.hash_get_all::<u64>(&kinds[3]).unwrap().len(), 2, "{name}");
    }
}

#[test]
fn what_is_of_another_type_is_an_error_and_is_not_taken() {
    for place in places() {
        let (cache, name) = (place.node(), place.name);
        let blocking = cache.blocking();
        blocking.list_push(&key("list"), &7_u64).unwrap();
        // For postcard the same bytes.
        assert!(blocking.list_pop::<i8>(&key("list")).unwrap_err().is_type_mismatch(), "{name}");
        assert_eq!(blocking.list_pop::<u64>(&key("list")).unwrap(), Some(7), "{name}");
        blocking.set_add(&key("set"), &7_u64).unwrap();
        assert!(blocking.set_members::<i8>(&key("set")).unwrap_err().is_type_mismatch(), "{name}");
        assert!(!blocking.set_contains(&key("set"), &7_i8).unwrap(), "{name}");
        blocking.hash_set(&key("hash"), "a", &7_u64).unwrap();
        assert!(blocking.hash_get::<i8>(&key("hash"), "a").unwrap_err().is_type_mismatch(), "{name}");
        assert!(blocking.hash_get_all::<i8>(&key("hash")).unwrap_err().is_type_mismatch(), "{name}");
    }
}

#[test]
fn a_structure_ends_when_it_is_told_to() {
    for place in places() {
        let (cache, name) = (place.node(), place.name);
        let blocking = cache.blocking();
        let hour = Duration::from_secs(3600);
        for at in ["removed", "expired", "kept"].map(key) {
            assert!(!blocking.expire_structure(&at, hour).unwrap(), "{name}: there is none");
            assert!(!blocking.remove_structure(&at).unwrap(), "{name}");
            blocking.list_push(&at, &1).unwrap();
            assert_eq!(blocking.structure_ttl(&at).unwrap(), Some(Ttl::Never), "{name}");
            assert!(blocking.expire_structure(&at, hour).unwrap(), "{name}");
            blocking.list_push(&at, &2).unwrap();
            let Some(Ttl::Left(left)) = blocking.structure_ttl(&at).unwrap() else { panic!("{name}: it has a TTL") };
            assert!(left <= hour && left > hour - Duration::from_secs(60), "{name}: {left:?}");
        }
        assert!(blocking.remove_structure(&key("removed")).unwrap(), "{name}");
        assert!(blocking.expire_structure(&key("expired"), Duration::ZERO).unwrap(), "{name}");
        for at in ["removed", "expired"].map(key) {
            assert_eq!(blocking.list_len(&at).unwrap(), 0, "{name}");
            assert_eq!(blocking.structure_ttl(&at).unwrap(), None, "{name}");
        }
        assert!(blocking.expire_structure(&key("kept"), Duration::from_millis(30)).unwrap(), "{name}");
        until("the list is over", || (blocking.list_len(&key("kept")).unwrap() == 0).then_some(()));
        assert_eq!(blocking.increment(&key("kept"), 1).unwrap(), 1, "{name}: the next one is of its own kind");
        assert_eq!(blocking.structure_ttl(&key("kept")).unwrap(), Some(Ttl::Never), "{name}");
    }
}

#[test]
fn the_first_step_gives_a_structure_the_default_ttl() {
    let hour = Duration::from_secs(3600);
    for place in places() {
        let cache = place.builder().defaults(cachex::MethodSettings::new().ttl(hour));
        let (cache, name) = (connected(cache), place.name);
        let blocking = cache.blocking();
        blocking.increment(&key("counter"), 1).unwrap();
        blocking.list_push(&key("list"), &1).unwrap();
        blocking.set_add(&key("set"), &1).unwrap();
        blocking.hash_set(&key("hash"), "a", &1).unwrap();
        for kind in ["counter", "list", "set", "hash"] {
            let left = blocking.structure_ttl(&key(kind)).unwrap();
            assert!(
                matches!(left, Some(Ttl::Left(left)) if left <= hour && left > hour / 2),
                "{name}, {kind}: {left:?}"
            );
            assert!(blocking.expire_structure(&key(kind), 2 * hour).unwrap());
        }
        // And no later one.
        blocking.increment(&key("counter"), 1).unwrap();
        blocking.list_push(&key("list"), &1).unwrap();
        blocking.set_add(&key("set"), &2).unwrap();
        blocking.hash_set(&key("hash"), "b", &1).unwrap();
        for kind in ["counter", "list", "set", "hash"] {
            let left = blocking.structure_ttl(&key(kind)).unwrap();
            assert!(matches!(left, Some(Ttl::Left(left)) if left > hour), "{name}, {kind}: {left:?}");
        }
    }
}

#[test]
fn structures_are_apart_from_values_and_from_each_other() {
    for place in places() {
        let (cache, at, name) = (place.node(), key("both"), place.name);
        let blocking = cache.blocking();
        blocking.set(&at, 5_i64, &cachex::EntryOptions::new().tag("a")).unwrap();
        assert_eq!(blocking.increment(&at, 1).unwrap(), 1, "{name}");
        assert_eq!(blocking.get::<i64>(&at).unwrap(), Some(5), "{name}");
        cache.invalidate_tags(["a"]).wait();
        cache.clear().wait();
        assert!(!blocking.exists(&at), "{name}");
        assert_eq!(blocking.counter(&at).unwrap(), Some(1), "{name}: it is no copy of something");
        assert_eq!(blocking.counter(&key("both").part(&1)).unwrap(), None, "{name}");
    }
}

#[test]
fn each_codec_keeps_what_it_is_given() {
    for place in places() {
        for codec in [Codec::Postcard, Codec::MessagePack, Codec::Json] {
            let mut remote = RemoteSettings::default();
            remote.codec = codec;
            let cache = connected(place.builder().remote(remote));
            let (blocking, list) = (cache.blocking(), key("jobs").part(&format!("{codec:?}")));
            blocking.list_push(&list, &job(2)).unwrap();
            assert_eq!(blocking.list_pop::<Job>(&list).unwrap(), Some(job(2)), "{}, {codec:?}", place.name);
        }
    }
}

#[tokio::test]
async fn async_callers_get_the_same() {
    for place in places() {
        let cache = place.node();
        let (name, hash) = (place.name, key("hash"));
        assert_eq!(
            (cache.increment(&key("n"), 5).await.unwrap(), cache.decrement(&key("n"), 2).await.unwrap()),
            (5, 3)
        );
        assert_eq!(cache.counter(&key("n")).await.unwrap(), Some(3), "{name}");
        assert_eq!(cache.list_push(&key("l"), &1).await.unwrap(), 1, "{name}");
        assert_eq!(cache.list_len(&key("l")).await.unwrap(), 1, "{name}");
        assert_eq!(cache.list_pop::<i32>(&key("l")).await.unwrap(), Some(1), "{name}");
        assert!(cache.set_add(&key("s"), &1).await.unwrap(), "{name}");
        assert!(cache.set_contains(&key("s"), &1).await.unwrap(), "{name}");
        assert_eq!(cache.set_members::<i32>(&key("s")).await.unwrap(), [1], "{name}");
        assert!(cache.hash_set(&hash, "a", &1).await.unwrap(), "{name}");
        assert_eq!(cache.hash_get::<i32>(&hash, "a").await.unwrap(), Some(1), "{name}");
        assert_eq!(cache.hash_get_all::<i32>(&hash).await.unwrap(), BTreeMap::from([("a".to_owned(), 1)]), "{name}");
        assert!(cache.expire_structure(&hash, Duration::from_secs(60)).await.unwrap(), "{name}");
        assert!(matches!(cache.structure_ttl(&hash).await.unwrap(), Some(Ttl::Left(_))), "{name}");
        assert!(cache.remove_structure(&hash).await.unwrap(), "{name}");
    }
}
