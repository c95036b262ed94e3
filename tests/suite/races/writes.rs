//! Writes that meet loads, and each other.

use std::time::Duration;

use cachex::{Cache, EntryOptions};

use crate::source::{Outcome, Source, Stepped};

fn source() -> Source {
    Source::new(crate::builder().reclaim_interval(Duration::from_secs(3_600)).build().unwrap())
}

/// Checks that a load from before `write` does not replace what it wrote, nor answer who comes after.
fn check_write_stays(expected: u64, write: impl Fn(&Source)) {
    let source = source();
    let gate = source.hold();
    let leader = Stepped::waiting(source.find(1));
    let follower = Stepped::waiting(source.find(1));
    write(&source);
    assert_eq!(Stepped::new(source.find(1)).end(), Ok(expected), "at once");
    gate.open(Outcome::Value);
    assert_eq!(leader.end(), Ok(1));
    assert_eq!(follower.end(), Ok(expected), "a follower");
    assert_eq!(Stepped::new(source.find(1)).end(), Ok(expected), "afterwards");
    assert_eq!(source.cache.loads_in_flight(), 0);
}

// Guards `self.void(key, at)` in `Engine::try_write`.
#[test]
fn a_load_does_not_replace_what_was_set() {
    check_write_stays(7, |source| {
        source.cache.blocking().set(&source.find_key(&1), 7_u64, &EntryOptions::new()).unwrap();
    });
}

#[test]
fn a_load_does_not_replace_what_was_primed() {
    check_write_stays(7, |source| Stepped::new(source.find_prime(&1, &Ok(7))).end());
}

// Guards `engine.void(key, at)` in `Writing::end`.
#[test]
fn a_load_does_not_replace_what_was_updated() {
    check_write_stays(7, |source| assert_eq!(Stepped::new(source.put(1, 7)).end(), Ok(7)));
}

// Guards `is_undisturbed` in `Writing::end`: with `true` the update that ends last wins, whichever wrote last.
#[test]
fn of_two_updates_that_overlap_none_becomes_the_entry() {
    for last in [0, 1] {
        let source = source();
        let (first_gate, second_gate) = (source.hold(), source.hold());
        let mut updates =
            vec![(Stepped::waiting(source.put(1, 7)), first_gate), (Stepped::waiting(source.put(1, 8)), second_gate)];
        let (later, later_gate) = updates.remove(last);
        let (sooner, sooner_gate) = updates.remove(0);
        sooner_gate.open(Outcome::Value);
        sooner.end().unwrap();
        later_gate.open(Outcome::Value);
        later.end().unwrap();
        assert_eq!(source.loads(), 2, "the two writes");
        assert_eq!(Stepped::new(source.find(1)).end(), Ok(8), "what the source holds");
        assert_eq!(source.loads(), 3);
    }
}

// Guards the checks of epochs and tags in `is_undisturbed`.
#[test]
fn an_update_that_an_invalidation_met_is_not_kept() {
    type Act = fn(&Cache);
    let acts: [Act; 3] = [
        |cache| cache.invalidate_tags(["all"]).wait(),
        |cache| cache.clear().wait(),
        |cache| cache.invalidate_method_all("source.find").unwrap().wait(),
    ];
    for act in acts {
        let source = source();
        let gate = source.hold();
        let update = Stepped::waiting(source.put(1, 7));
        act(&source.cache);
        gate.open(Outcome::Value);
        assert_eq!(update.end(), Ok(7));
        source.write(9);
        assert_eq!(Stepped::new(source.find(1)).end(), Ok(9));
    }
}

// Guards `Drop for ArmedUpdate`: nobody knows what a write that was dropped has done.
#[test]
fn an_update_that_is_dropped_removes_the_entry() {
    let source = source();
    assert_eq!(Stepped::new(source.find(1)).end(), Ok(1));
    let _gate = source.hold();
    let update = Stepped::waiting(source.put(1, 7));
    assert_eq!(Stepped::new(source.find(1)).end(), Ok(1), "until it ends");
    drop(update);
    assert_eq!(Stepped::new(source.find(1)).end(), Ok(7));
}

// Guards the arm of failures in `Update::end`.
#[test]
fn an_update_that_fails_changes_nothing() {
    let source = source();
    assert_eq!(Stepped::new(source.find(1)).end(), Ok(1));
    let gate = source.hold();
    let update = Stepped::waiting(source.put(1, 7));
    gate.open(Outcome::Failure);
    update.end().unwrap_err();
    assert_eq!(Stepped::new(source.find(1)).end(), Ok(1));
}
