//! What a call returns, and for which keys it runs the method.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cachex::time::ManualClock;
use cachex::{Cache, CacheScope, Event, MethodSettings, Observer, cached, invalidates, updates};

use super::{Table, cache, some};

#[derive(Clone, CacheScope)]
struct Rows {
    #[scope(cache)]
    cache: Cache,
    table: Table,
}

impl Rows {
    fn new() -> Self {
        Self { cache: cache(), table: Table::of(10) }
    }

    #[cached(batch(id in ids), ttl = "1m", negative_ttl = "1s", tags = ["rows", "row:{id}"])]
    async fn find_all(&self, ids: &[u64]) -> Result<Vec<Option<String>>, String> {
        self.table.read(ids)
    }

    #[cached(batch, ttl = "1m", grace = "1h")]
    fn find_each(&self, ids: Vec<u64>) -> Result<HashMap<u64, String>, String> {
        let rows = self.table.read(&ids)?;
        // What was not asked for does no harm.
        let more = [(99, "more".to_owned())];
        Ok(ids.into_iter().zip(rows).filter_map(|(id, row)| Some((id, row?))).chain(more).collect())
    }

    /// Leaves out the rows that are not there, which its return type does not allow.
    #[cached(batch(id in ids), ttl = "1m", tags = ["row:{id}"])]
    async fn find_odd(&self, ids: &[u64]) -> Vec<String> {
        self.table.read(ids).unwrap().into_iter().flatten().collect()
    }

    #[cached(batch(id in ids), ttl = "1m")]
    async fn find_valid(&self, ids: &[u64]) -> Vec<Result<String, u64>> {
        ids.iter().zip(self.table.read(ids).unwrap()).map(|(id, row)| row.ok_or(*id)).collect()
    }

    #[invalidates(Self::find_all(id))]
    async fn touch(&self, id: u64) -> Result<(), String> {
        let _ = id;
        Ok(())
    }

    #[invalidates(tags = ["row:{id}"])]
    async fn rename(&self, id: u64, name: &str) {
        self.table.write(id, name);
    }

    #[updates(Self::find_all(id))]
    async fn save(&self, id: u64, name: &str) -> Result<Option<String>, String> {
        self.table.write(id, name);
        Ok(some(name))
    }
}

#[tokio::test]
async fn only_what_is_missing_is_loaded_and_answers_stand_in_order() {
    let rows = Rows::new();
    assert_eq!(rows.find_all(&[3, 1]).await, Ok(vec![some("row 3"), some("row 1")]));
    assert_eq!(rows.table.queries(), [[3, 1]]);
    assert_eq!(rows.find_all(&[1, 2, 3, 77]).await, Ok(vec![some("row 1"), some("row 2"), some("row 3"), None]),);
    assert_eq!(rows.table.queries(), [[2, 77]]);
    // A row that is not there is kept as well.
    assert_eq!(rows.find_all(&[77, 2]).await, Ok(vec![None, some("row 2")]));
    assert!(rows.table.queries().is_empty());
    let stats = rows.cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.loads, stats.stores), (4, 4, 2, 4));
}

#[tokio::test]
async fn no_keys_are_no_run_and_a_key_that_is_named_twice_is_loaded_once() {
    let rows = Rows::new();
    assert_eq!(rows.find_all(&[]).await, Ok(vec![]));
    assert_eq!(
        rows.find_all(&[5, 6, 5, 5]).await,
        Ok(vec![some("row 5"), some("row 6"), some("row 5"), some("row 5")])
    );
    assert_eq!(rows.table.queries(), [[5, 6]]);
}

#[test]
fn a_map_may_leave_out_keys_which_are_kept_as_nothing() {
    let rows = Rows::new();
    let expected = HashMap::from([(1, "row 1".to_owned()), (2, "row 2".to_owned())]);
    assert_eq!(rows.find_each(vec![1, 77, 2, 1]), Ok(expected.clone()));
    assert_eq!(rows.table.queries(), [[1, 77, 2]]);
    assert_eq!(rows.find_each(vec![77, 2, 1]), Ok(expected));
    assert_eq!(rows.find_each(vec![77]), Ok(HashMap::new()));
    assert!(rows.table.queries().is_empty());
    assert_eq!(rows.cache.stats().entries, 3);
}

#[tokio::test]
async fn an_error_is_that_of_the_method_and_nothing_of_it_is_kept() {
    let rows = Rows::new();
    assert_eq!(rows.find_all(&[1]).await, Ok(vec![some("row 1")]));
    rows.table.set_broken(true);
    assert_eq!(rows.find_all(&[1, 2]).await, Err("the table is broken".to_owned()));
    assert_eq!(rows.find_all(&[1]).await, Ok(vec![some("row 1")]));
    rows.table.set_broken(false);
    assert_eq!(rows.find_all(&[2, 1]).await, Ok(vec![some("row 2"), some("row 1")]));
    assert_eq!(rows.table.queries(), [[1], [2], [2]]);
    assert_eq!((rows.cache.stats().load_errors, rows.cache.loads_in_flight()), (1, 0));
}

#[test]
fn expired_values_answer_for_a_load_that_fails_if_there_is_one_for_each_key() {
    let clock = ManualClock::new();
    let rows = Rows { cache: crate::builder().clock(clock.clone()).build().unwrap(), table: Table::of(10) };
    let expected = rows.find_each(vec![1, 2]).unwrap();
    clock.advance(Duration::from_secs(61));
    rows.table.set_broken(true);
    assert_eq!(rows.find_each(vec![2, 1]), Ok(expected));
    assert_eq!(rows.cache.stats().fallbacks, 2);
    assert_eq!(rows.find_each(vec![2, 3]), Err("the table is broken".to_owned()));
}

#[derive(Default)]
struct Refused(Mutex<Vec<Event>>);

impl Observer for Refused {
    fn observe(&self, event: &Event) {
        if let Event::ResultsRefused(_) = event {
            self.0.lock().unwrap().push(event.clone());
        }
    }
}

// Guards the count of results in `Collection::items`: without it the second row would be kept as the first one.
#[tokio::test]
async fn a_wrong_number_of_results_is_returned_as_it_is_and_not_kept() {
    let refused = Arc::new(Refused::default());
    let rows = Rows { cache: crate::builder().observer(refused.clone()).build().unwrap(), table: Table::of(10) };
    assert_eq!(rows.find_odd(&[77, 1, 2]).await, ["row 1", "row 2"]);
    assert_eq!(rows.table.queries(), [[77, 1, 2]]);
    assert_eq!(refused.0.lock().unwrap().len(), 1);
    assert_eq!(rows.cache.stats().entries, 0);
    assert_eq!(rows.find_odd(&[1]).await, ["row 1"]);
    // Of a part of the keys it can't be said what is whose: the method is run for all.
    assert_eq!(rows.find_odd(&[1, 77, 2]).await, ["row 1", "row 2"]);
    assert_eq!(rows.table.queries(), [vec![1], vec![77, 2], vec![1, 77, 2]]);
    assert_eq!((refused.0.lock().unwrap().len(), rows.cache.stats().entries), (2, 1));
    assert_eq!(rows.cache.loads_in_flight(), 0);
}

#[tokio::test]
async fn what_fails_by_itself_is_not_kept_and_the_others_are() {
    let rows = Rows::new();
    let expected = [Ok("row 1".to_owned()), Err(77), Ok("row 2".to_owned()), Err(77)];
    assert_eq!(rows.find_valid(&[1, 77, 2, 77]).await, expected);
    assert_eq!(rows.table.queries(), [vec![1, 77, 2], vec![77]]);
    assert_eq!(rows.find_valid(&[1, 77, 2, 77]).await, expected);
    assert_eq!(rows.table.queries(), [[77], [77]]);
}

#[tokio::test]
async fn an_entry_has_the_tags_and_the_life_of_its_own_key() {
    let clock = ManualClock::new();
    let rows = Rows { cache: crate::builder().clock(clock.clone()).build().unwrap(), table: Table::of(10) };
    rows.find_all(&[1, 2, 3, 77]).await.unwrap();
    rows.table.queries();
    rows.rename(2, "two").await;
    assert_eq!(rows.find_all(&[1, 2, 3, 77]).await, Ok(vec![some("row 1"), some("two"), some("row 3"), None]),);
    assert_eq!(rows.table.queries(), [[2]]);
    clock.advance(Duration::from_secs(2));
    rows.find_all(&[1, 2, 3, 77]).await.unwrap();
    assert_eq!(rows.table.queries(), [[77]]);
    rows.cache.invalidate_tags(["rows"]).await;
    rows.find_all(&[1, 2]).await.unwrap();
    assert_eq!(rows.table.queries(), [[1, 2]]);
}

#[tokio::test]
async fn companions_and_effects_are_of_one_key() {
    let rows = Rows::new();
    rows.find_all(&[1, 2]).await.unwrap();
    rows.touch(1).await.unwrap();
    rows.table.queries();
    rows.find_all(&[1, 2]).await.unwrap();
    assert_eq!(rows.table.queries(), [[1]]);
    assert!(rows.find_all_remove(&2).await && !rows.find_all_remove(&9).await);
    rows.find_all(&[1, 2]).await.unwrap();
    assert_eq!(rows.table.queries(), [[2]]);
    rows.find_all_prime(&3, &Ok(some("primed"))).await;
    rows.save(4, "four").await.unwrap();
    assert_eq!(rows.find_all(&[3, 4]).await, Ok(vec![some("primed"), some("four")]));
    assert!(rows.table.queries().is_empty());
    assert_eq!(rows.find_all_uncached(&[3]).await, Ok(vec![some("row 3")]));
    assert_ne!(rows.find_all_key(&3), rows.find_all_key(&4));
    assert!(rows.find_all_key(&3).text().ends_with("find_all(3)"), "{}", rows.find_all_key(&3).text());
}

#[tokio::test]
async fn a_method_that_is_switched_off_is_run_for_all_keys() {
    let rows = Rows::new();
    rows.find_all(&[1]).await.unwrap();
    let name = rows.find_all_key(&1).text();
    let name = name.split('(').next().unwrap();
    rows.cache.set_method_config(name, MethodSettings::new().enabled(false)).unwrap();
    rows.table.queries();
    assert_eq!(rows.find_all(&[1, 2, 1]).await, Ok(vec![some("row 1"), some("row 2"), some("row 1")]));
    assert_eq!(rows.table.queries(), [[1, 2, 1]]);
}
