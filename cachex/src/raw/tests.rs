//! The module by itself; also run under Miri.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::grace::{Pin, Read, pinned, records, skip_next, try_pinned};
use super::node::{Node, Parts};
use super::table::{Owner, Sought, Table};

struct Test;

impl Parts for Test {
    type Head = u64;
    type Rare = [u16; 3];
    type Item = u32;
}

type TestTable = Table<Test, ()>;

/// A key, and what it hashes to.
#[derive(Clone, Copy)]
struct Key(u64, u64);

impl Sought<Test> for Key {
    fn hash(&self) -> u64 {
        self.1
    }

    fn is(&self, node: &Node<Test>) -> bool {
        node.bytes() == self.0.to_be_bytes()
    }
}

fn key(number: u64) -> Key {
    Key(number, hash(number))
}

/// Under Miri everything takes some thousand times as long.
const MANY: u64 = if cfg!(miri) { 40 } else { 20_000 };

/// Counts itself as long as it lives, and knows its key.
struct Counted {
    key: u64,
    living: Arc<AtomicUsize>,
}

impl Counted {
    fn new(key: u64, living: &Arc<AtomicUsize>) -> Self {
        living.fetch_add(1, Ordering::SeqCst);
        Self { key, living: living.clone() }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.living.fetch_sub(1, Ordering::SeqCst);
    }
}

fn node(key: u64, living: &Arc<AtomicUsize>) -> Node<Test> {
    Node::new(key, (0, 0), None, Counted::new(key, living), (&[], b""), &key.to_be_bytes()).expect("it is small")
}

fn hash(key: u64) -> u64 {
    (key + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn insert(table: &TestTable, key: u64, living: &Arc<AtomicUsize>) {
    let mut owner = table.own(table.shard_of(hash(key)));
    let known = owner.find(self::key(key)).map(|lent| Node::clone(&lent));
    let new = node(key, living);
    match known {
        Some(known) => assert!(owner.replace(known.number(), new, 1).is_same(&known)),
        None => {
            let number = free_number(&owner);
            assert!(owner.insert(hash(key), number, new, |(), node| hash(*node.head())).is_ok());
            assert_eq!(*owner.nodes().node(number).head(), key);
        }
    }
    drop(owner);
    table.tend(|| 0);
}

fn remove(table: &TestTable, key: u64) -> bool {
    let mut owner = table.own(table.shard_of(hash(key)));
    let known = owner.find(self::key(key)).map(|lent| Node::clone(&lent));
    known.inspect(|known| assert!(owner.remove(known.number(), |_| 1).is_same(known) && !owner.has(known))).is_some()
}

fn free_number(owner: &Owner<'_, Test, ()>) -> u32 {
    (0..).find(|number| owner.nodes().get(*number).is_none()).expect("there are few")
}

/// Reads a key as the tier does: compares, and looks at the value within the pin.
fn read(table: &TestTable, key: u64) -> Option<u64> {
    pinned(|pin| {
        let lent = table.find(pin, self::key(key))?;
        lent.value::<Counted>().map(|value| value.key)
    })
}

/// Drops all that was unlinked. Other tests may read meanwhile, but end.
fn flush(table: &TestTable) {
    assert_eq!(table.flush(1_000_000), 0);
}

#[test]
fn a_node_keeps_all_its_parts() {
    let items = [5, 6, 7];
    let value = "a value".to_owned();
    let node = Node::<Test>::new(7, (11, 9), Some([1, 2, 3]), value, (&items, b"note"), b"key").expect("it is small");
    assert_eq!((*node.head(), node.name(), node.detail(), node.rare()), (7, 11, 9, Some(&[1, 2, 3])));
    assert_eq!(node.value::<String>().map(String::as_str), Some("a value"));
    assert_eq!(node.value::<&str>(), None);
    assert_eq!((node.items(), node.bytes(), node.note()), (&items[..], &b"key"[..], &b"note"[..]));
    let mut other = node.clone();
    assert!(other.get_mut().is_none() && other.is_same(&node));
    drop(node);
    *other.get_mut().expect("it is the only holder") = 8;
    other.set_number(5);
    assert_eq!((*other.head(), other.number()), (8, 5));
}

#[test]
fn a_note_is_kept_where_there_are_items() {
    for (items, note) in [(&[][..], &b""[..]), (&[1], b""), (&[1, 2], b"a note"), (&[1], &[7; 70_000])] {
        for bytes in [&b""[..], b"1", b"123"] {
            let node = Node::<Test>::new(1, (0, 0), None, 5_u64, (items, note), bytes).expect("it is small");
            assert_eq!((node.items(), node.bytes(), node.note(), node.value()), (items, bytes, note, Some(&5_u64)));
        }
    }
    let node = Node::<Test>::new(1, (0, 0), None, 5_u64, (&[], b"a note of nothing"), b"key").expect("it is small");
    assert_eq!(node.note(), b"");
}

#[test]
fn values_of_any_alignment_and_size_have_their_place() {
    #[repr(align(128))]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Wide(u8);

    let items = [1];
    for (items, bytes) in [(&items[..0], &b""[..]), (&items[..], b"x"), (&items[..], b"12345678")] {
        let nothing = Node::<Test>::new(1, (0, 0), None, (), (items, b"n"), bytes).expect("it is small");
        assert_eq!((nothing.value::<()>(), nothing.items(), nothing.bytes()), (Some(&()), items, bytes));
        let wide = Node::<Test>::new(1, (0, 0), Some([4; 3]), Wide(3), (items, b"n"), bytes).expect("it is small");
        let value = wide.value::<Wide>().expect("it is one");
        assert_eq!((*value, std::ptr::from_ref(value).addr() % 128), (Wide(3), 0));
        assert_eq!((wide.rare(), wide.items(), wide.bytes()), (Some(&[4; 3]), items, bytes));
        let byte = Node::<Test>::new(1, (0, 0), None, 5_u8, (items, b"n"), bytes).expect("it is small");
        assert_eq!((byte.value::<u8>(), byte.items(), byte.bytes()), (Some(&5), items, bytes));
    }
}

#[test]
fn more_items_than_a_short_count_holds_are_kept() {
    struct Small;
    impl Parts for Small {
        type Head = ();
        type Rare = ();
        type Item = u8;
    }
    for count in [usize::from(u16::MAX) - 1, usize::from(u16::MAX), usize::from(u16::MAX) + 1] {
        let node =
            Node::<Small>::new((), (0, 0), None, 2_u16, (&vec![7; count], b"note"), b"key").expect("it is small");
        assert_eq!((node.items().len(), node.bytes(), node.value()), (count, &b"key"[..], Some(&2_u16)));
        assert_eq!((node.items()[0], node.items()[count - 1], node.note()), (7, 7, &b"note"[..]));
    }
}

#[test]
fn a_value_that_panics_when_dropped_leaks_nothing_and_ends_nothing() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("a value that can't be dropped");
        }
    }
    // That nothing leaks is what Miri says.
    let node = Node::<Test>::new(1, (0, 0), Some([0; 3]), Panics, (&[1], b"note"), b"key").expect("it is small");
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(node))).is_ok());
}

#[test]
#[cfg_attr(miri, ignore = "what is thrown in turn is given up on purpose")]
fn a_value_that_throws_what_panics_in_its_turn_ends_nothing_either() {
    /// Panics with itself that many times.
    struct Throws(u8);
    impl Drop for Throws {
        fn drop(&mut self) {
            if let Some(left) = self.0.checked_sub(1) {
                std::panic::panic_any(Throws(left));
            }
        }
    }
    for times in 0..4 {
        let node = Node::<Test>::new(1, (0, 0), None, Throws(times), (&[1], b"note"), b"key");
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(node))).is_ok(), "{times}");
    }
}

#[test]
fn what_is_unlinked_lives_as_long_as_it_may_be_read_and_no_longer() {
    let living = Arc::new(AtomicUsize::new(0));
    let table = TestTable::new(1, 1 << 20, |_| ());
    insert(&table, 1, &living);
    pinned(|pin| {
        let lent = table.find(pin, key(1)).expect("it is there");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert!(remove(&table, 1));
                assert_eq!(read(&table, 1), None);
                assert_eq!(table.flush(10), 1);
            });
        });
        assert_eq!(lent.value::<Counted>().map(|value| value.key), Some(1));
    });
    assert_eq!(living.load(Ordering::SeqCst), 1);
    flush(&table);
    assert_eq!(living.load(Ordering::SeqCst), 0);
}

#[test]
fn no_more_than_a_batch_waits_without_being_asked_for() {
    let living = Arc::new(AtomicUsize::new(0));
    let table = TestTable::new(2, 1 << 20, |_| ());
    let most_in = |rounds: u64| {
        let living_after = |round| {
            insert(&table, round % 10, &living);
            living.load(Ordering::SeqCst)
        };
        (0..rounds).map(living_after).max()
    };
    // Other tests pin their threads meanwhile, and may hold a batch up: not each of a thousand times.
    let is_bounded = (0..1000).any(|_| {
        flush(&table);
        most_in(5 * 64).is_some_and(|most| most <= 10 + 64)
    });
    assert!(is_bounded);
}

#[test]
fn what_weighs_much_does_not_wait_for_a_batch() {
    let living = Arc::new(AtomicUsize::new(0));
    let table = TestTable::new(1, 3, |_| ());
    let is_bounded = (0..1000).any(|_| {
        flush(&table);
        (0..100).all(|_| {
            insert(&table, 1, &living);
            living.load(Ordering::SeqCst) <= 1 + 4
        })
    });
    assert!(is_bounded);
}

#[test]
fn a_pin_may_be_taken_within_a_pin_and_the_inner_one_ends_nothing() {
    let living = Arc::new(AtomicUsize::new(0));
    let table = TestTable::new(1, 1 << 20, |_| ());
    insert(&table, 1, &living);
    pinned(|pin| {
        let lent = table.find(pin, key(1)).expect("it is there");
        // One, so that the number of pins that came and went is odd.
        pinned(|_| ());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                remove(&table, 1);
                assert_eq!(table.flush(2), 1);
            });
        });
        assert_eq!(lent.value::<Counted>().map(|value| value.key), Some(1));
    });
    flush(&table);
}

/// What a hit does: reads a key, or does nothing.
struct Hit<'a>(&'a TestTable, u64);

impl Read for Hit<'_> {
    type Found = Option<u64>;

    fn read(self, pin: &Pin) -> Option<u64> {
        let lent = self.0.find(pin, key(self.1))?;
        lent.value::<Counted>().map(|value| value.key)
    }
}

#[test]
fn a_hit_does_nothing_within_a_pin_or_where_it_is_to_be_skipped() {
    let living = Arc::new(AtomicUsize::new(0));
    let table = TestTable::new(1, 1 << 20, |_| ());
    insert(&table, 1, &living);
    let hit = || try_pinned(Hit(&table, 1));
    assert_eq!((hit(), hit()), (Some(Some(1)), Some(Some(1))));
    pinned(|_| assert_eq!(hit(), None));
    assert_eq!(hit(), Some(Some(1)));
    skip_next();
    assert_eq!((hit(), hit()), (None, Some(Some(1))));
    // Also if the thread pins for something else in between.
    skip_next();
    pinned(|_| ());
    assert_eq!((hit(), hit(), hit()), (None, Some(Some(1)), Some(Some(1))));
}

#[test]
fn what_a_hit_reads_lives_until_it_ends() {
    struct SlowHit<'a>(&'a TestTable, &'a Arc<AtomicUsize>);
    impl Read for SlowHit<'_> {
        type Found = usize;

        fn read(self, pin: &Pin) -> usize {
            let lent = self.0.find(pin, key(1)).expect("it is there");
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    assert!(remove(self.0, 1));
                    assert_eq!(self.0.flush(10), 1);
                });
            });
            assert_eq!(lent.value::<Counted>().map(|value| value.key), Some(1));
            self.1.load(Ordering::SeqCst)
        }
    }
    let living = Arc::new(AtomicUsize::new(0));
    let table = TestTable::new(1, 1 << 20, |_| ());
    // Once by a thread that has no record yet, and once by one that has it at hand.
    for _ in 0..2 {
        insert(&table, 1, &living);
        assert_eq!(try_pinned(SlowHit(&table, &living)), Some(1));
        flush(&table);
        assert_eq!(living.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn a_hit_that_panics_holds_nothing_up() {
    struct Panics;
    impl Read for Panics {
        type Found = ();

        fn read(self, _: &Pin) {
            panic!("as a clone of users' making may");
        }
    }
    let living = Arc::new(AtomicUsize::new(0));
    let table = TestTable::new(1, 1 << 20, |_| ());
    for _ in 0..2 {
        assert!(std::panic::catch_unwind(|| try_pinned(Panics)).is_err());
        insert(&table, 1, &living);
        remove(&table, 1);
        flush(&table);
        assert_eq!(living.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn threads_that_end_hand_their_records_on() {
    for _ in 0..300 {
        std::thread::spawn(|| pinned(|_| ())).join().expect("it ends");
    }
    // As many as there are threads at once, of all tests.
    assert!(records() < 200, "{} records", records());
}

#[test]
fn a_thread_that_ends_reads_to_its_very_end() {
    struct ReadsLast(Arc<TestTable>);
    impl Drop for ReadsLast {
        fn drop(&mut self) {
            assert_eq!(read(&self.0, 1), Some(1));
        }
    }
    thread_local! {
        static LAST: std::cell::RefCell<Option<ReadsLast>> = const { std::cell::RefCell::new(None) };
    }
    let living = Arc::new(AtomicUsize::new(0));
    let table = Arc::new(TestTable::new(1, 1 << 20, |_| ()));
    insert(&table, 1, &living);
    for is_before in [true, false] {
        let table = table.clone();
        std::thread::spawn(move || {
            if is_before {
                read(&table, 1);
            }
            LAST.set(Some(ReadsLast(table.clone())));
            read(&table, 1);
        })
        .join()
        .expect("nothing in it panics");
    }
    remove(&table, 1);
    // A record that was left behind odd would hold it up for ever.
    flush(&table);
}

#[test]
fn keys_of_one_hash_are_refused_in_the_end_and_all_others_are_found() {
    let living = Arc::new(AtomicUsize::new(0));
    let table = TestTable::new(1, 1 << 20, |_| ());
    let mut owner = table.own(0);
    let mut stored = Vec::new();
    for key in 0..MANY {
        let number = stored.len() as u32;
        match owner.insert(7, number, node(key, &living), |(), _| 7) {
            Ok(()) => stored.push(key),
            Err(crowded) => {
                assert_eq!(*crowded.node.head(), key);
                assert!(stored.contains(crowded.other.head()));
            }
        }
    }
    assert!(stored.len() <= 16 * 7);
    assert!(cfg!(miri) || stored.len() == 16 * 7, "{} found a place", stored.len());
    for key in &stored {
        assert!(owner.find(Key(*key, 7)).is_some());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 64 }, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_table_agrees_with_a_map(steps in proptest::collection::vec((0_u8..20, 0_u64..400), 0..(MANY as usize).min(2000))) {
        let living = Arc::new(AtomicUsize::new(0));
        let table = TestTable::new(2, 1 << 20, |_| ());
        let mut model = HashMap::new();
        for (step, key) in steps {
            match step {
                0..12 => {
                    insert(&table, key, &living);
                    model.insert(key, ());
                }
                12..19 => assert_eq!(remove(&table, key), model.remove(&key).is_some()),
                _ => {
                    table.own((key % 2) as usize).clear(|_| 1);
                    model.retain(|known, ()| table.shard_of(hash(*known)) != (key % 2) as usize);
                }
            }
            assert_eq!(read(&table, key).is_some(), model.contains_key(&key));
        }
        for key in 0..400 {
            assert_eq!(read(&table, key), model.contains_key(&key).then_some(key));
        }
        prop_assert_eq!(table.own(0).all().len() + table.own(1).all().len(), model.len());
        flush(&table);
        prop_assert_eq!(living.load(Ordering::SeqCst), model.len());
        drop(table);
        prop_assert_eq!(living.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn readers_of_a_changing_table_read_nothing_that_is_gone() {
    const KEYS: u64 = if cfg!(miri) { 5 } else { 200 };
    let living = Arc::new(AtomicUsize::new(0));
    let table = TestTable::new(2, 1 << 20, |_| ());
    std::thread::scope(|scope| {
        for thread in 0..2_u64 {
            let (table, living) = (&table, &living);
            scope.spawn(move || {
                for round in 0..MANY {
                    let key = (round * 7 + thread) % KEYS;
                    match (round + thread) % 5 {
                        0 => _ = remove(table, key),
                        4 if round % 7 == 0 => drop(table.own((key % 2) as usize).clear(|_| 1)),
                        _ => insert(table, key, living),
                    }
                }
            });
            scope.spawn(move || {
                for round in 0..3 * MANY {
                    let key = (round * 3 + thread) % KEYS;
                    // The key inside the value was overwritten if the value was dropped.
                    assert!(read(table, key).is_none_or(|found| found == key));
                }
            });
        }
    });
    flush(&table);
    assert_eq!(living.load(Ordering::SeqCst), table.own(0).all().len() + table.own(1).all().len());
}

#[test]
fn readers_see_a_table_grow_and_be_emptied() {
    let living = Arc::new(AtomicUsize::new(0));
    let table = TestTable::new(1, 1 << 20, |_| ());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                (0..150).for_each(|round| assert!(read(&table, round % 12).is_none_or(|found| found == round % 12)))
            });
        }
        for _ in 0..3 {
            (0..12).for_each(|key| insert(&table, key, &living));
            table.own(0).clear(|_| 1);
        }
    });
    flush(&table);
    assert_eq!(living.load(Ordering::SeqCst), 0);
}
