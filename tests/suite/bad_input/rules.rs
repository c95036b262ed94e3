//! Rules of an annotation that panic: the call returns its value, nothing is kept, and nothing leaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cachex::{Cache, CacheScope, cached};
use serde::{Deserialize, Serialize};

/// Counts itself as long as it lives.
struct Living(Arc<AtomicUsize>);

impl Living {
    fn new(count: &Arc<AtomicUsize>) -> Arc<Self> {
        count.fetch_add(1, Ordering::SeqCst);
        Arc::new(Self(count.clone()))
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What can't be measured by what serialization sees of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Unmeasured(u64);

impl Serialize for Unmeasured {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("not to be serialized")
    }
}

/// What says to serde that it can't be serialized.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Unserializable(u64);

impl Serialize for Unserializable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not to be serialized"))
    }
}

fn falls_over<T>(_: &Arc<Living>) -> T {
    panic!("the rule fell over")
}

#[derive(CacheScope)]
struct Ruled {
    #[scope(cache)]
    cache: Cache,
    living: Arc<AtomicUsize>,
}

impl Ruled {
    #[cached(ttl_with = falls_over::<Duration>, local, tags = ["ruled"])]
    fn ttl(&self) -> Arc<Living> {
        Living::new(&self.living)
    }

    #[cached(tags_with = falls_over::<[String; 1]>, local, tags = ["ruled"])]
    fn tags(&self) -> Arc<Living> {
        Living::new(&self.living)
    }

    #[cached(unless = falls_over::<bool>, local, tags = ["ruled"])]
    fn unless(&self) -> Arc<Living> {
        Living::new(&self.living)
    }

    #[cached(weight = falls_over::<u64>, local, tags = ["ruled"])]
    fn weight(&self) -> Arc<Living> {
        Living::new(&self.living)
    }

    #[cached]
    fn unmeasured(&self) -> Unmeasured {
        Unmeasured(self.living.fetch_add(1, Ordering::SeqCst) as u64)
    }

    #[cached]
    fn unserializable(&self) -> Unserializable {
        Unserializable(self.living.fetch_add(1, Ordering::SeqCst) as u64)
    }
}

fn ruled() -> Ruled {
    Ruled { cache: crate::builder().max_bytes(1 << 20).build().unwrap(), living: Arc::default() }
}

// Guards the `catch_unwind` in `appraise`.
#[test]
fn what_a_rule_that_panics_was_given_does_not_leak() {
    let ruled = ruled();
    for call in [Ruled::ttl, Ruled::tags, Ruled::unless, Ruled::weight] {
        let values = [call(&ruled), call(&ruled)];
        assert_eq!(ruled.living.load(Ordering::SeqCst), 2, "two loads");
        drop(values);
        assert_eq!(ruled.living.load(Ordering::SeqCst), 0, "a value is kept that nobody can use");
    }
    let stats = ruled.cache.stats();
    assert_eq!((stats.loads, stats.stores, stats.entries, ruled.cache.loads_in_flight()), (8, 0, 0, 0));
}

#[test]
fn a_value_that_can_not_be_measured_breaks_no_call() {
    let unmeasured = ruled();
    assert_eq!([unmeasured.unmeasured(), unmeasured.unmeasured()], [Unmeasured(0), Unmeasured(1)]);
    assert_eq!(unmeasured.cache.stats().entries, 0);
    let told = ruled();
    assert_eq!([told.unserializable(), told.unserializable()], [0; 2].map(Unserializable));
    assert_eq!(told.cache.stats().entries, 1, "it weighs as much as itself");
}
