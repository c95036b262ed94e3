//! Many at once: every operation is one step for all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{all_places, key, places};

const NODES: usize = 4;
const STEPS: u64 = 200;

#[test]
fn no_step_of_a_counter_is_lost_or_seen_twice() {
    for place in all_places() {
        let (nodes, counter) = (place.nodes(NODES), key("counter"));
        let seen: Vec<Vec<i64>> = thread::scope(|scope| {
            let steps = |node: &cachex::Cache| {
                (0..STEPS).map(|_| node.blocking().increment(&key("counter"), 1).unwrap()).collect()
            };
            let all: Vec<_> = nodes.iter().map(|node| scope.spawn(move || steps(node))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let total = NODES as i64 * STEPS as i64;
        assert_eq!(nodes[0].blocking().counter(&counter).unwrap(), Some(total), "{}", place.name);
        let numbers: BTreeSet<i64> = seen.iter().flatten().copied().collect();
        assert_eq!(numbers, (1..=total).collect(), "{}: each number is the answer to one step", place.name);
    }
}

// Guards `unconstrained` in `runtime::block_on`: a task that blocks has no more than 128 polls of tokio's own.
#[tokio::test]
async fn a_task_may_block_as_often_as_it_likes() {
    for place in places() {
        let cache = place.node();
        for number in 1..=1_000 {
            assert_eq!(cache.blocking().increment(&key("counter"), 1).unwrap(), number, "{}", place.name);
        }
    }
}

/// Counts up when it is dropped.
struct Ends<'a>(&'a AtomicUsize);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn each_item_of_a_list_is_given_to_one_and_in_order() {
    for place in places() {
        let nodes = place.nodes(NODES);
        let have_pushed = AtomicUsize::new(0);
        let popped: Vec<Vec<(usize, u64)>> = thread::scope(|scope| {
            for (number, node) in nodes.iter().enumerate() {
                let have_pushed = &have_pushed;
                scope.spawn(move || {
                    // Also if one fails: nobody waits for it then.
                    let _ends = Ends(have_pushed);
                    for step in 0..STEPS {
                        node.blocking().list_push(&key("list"), &(number, step)).unwrap();
                    }
                });
            }
            let pop = |node: &cachex::Cache| {
                let mut items = Vec::new();
                loop {
                    let was_last = have_pushed.load(Ordering::SeqCst) == NODES;
                    match node.blocking().list_pop::<(usize, u64)>(&key("list")).unwrap() {
                        Some(item) => items.push(item),
                        None if was_last => return items,
                        None => thread::yield_now(),
                    }
                }
            };
            let all: Vec<_> = nodes.iter().map(|node| scope.spawn(move || pop(node))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let mut counts: BTreeMap<(usize, u64), u32> = BTreeMap::new();
        popped.iter().flatten().for_each(|item| *counts.entry(*item).or_default() += 1);
        assert_eq!(counts.len(), NODES * STEPS as usize, "{}: none is lost", place.name);
        assert!(counts.values().all(|count| *count == 1), "{}: none is given twice", place.name);
        for items in &popped {
            for number in 0..NODES {
                let of_one: Vec<_> = items.iter().filter(|item| item.0 == number).map(|item| item.1).collect();
                assert!(of_one.is_sorted(), "{}: {of_one:?}", place.name);
            }
        }
    }
}

#[test]
fn no_member_of_a_set_and_no_field_of_a_hash_is_lost() {
    for place in places() {
        let nodes = place.nodes(NODES);
        let new: u64 = thread::scope(|scope| {
            let add = |number: usize, node: &cachex::Cache| {
                let mut new = 0;
                for step in 0..STEPS {
                    // Half of them are added by all.
                    let member = if step % 2 == 0 { (0, step) } else { (number, step) };
                    new += u64::from(node.blocking().set_add(&key("set"), &member).unwrap());
                    let is_new = node.blocking().hash_set(&key("hash"), &format!("{member:?}"), &step).unwrap();
                    new += u64::from(is_new);
                }
                new
            };
            let all: Vec<_> =
                nodes.iter().enumerate().map(|(number, node)| scope.spawn(move || add(number, node))).collect();
            all.into_iter().map(|one| one.join().unwrap()).sum()
        });
        let blocking = nodes[0].blocking();
        let expected = STEPS / 2 + STEPS / 2 * NODES as u64;
        assert_eq!(blocking.set_members::<(usize, u64)>(&key("set")).unwrap().len() as u64, expected, "{}", place.name);
        assert_eq!(blocking.hash_get_all::<u64>(&key("hash")).unwrap().len() as u64, expected, "{}", place.name);
        assert_eq!(new, 2 * expected, "{}: each was new once", place.name);
    }
}
