//! All places give the same answers to the same questions.

use std::time::Duration;

use cachex::{Cache, Key, Ttl};
use proptest::prelude::*;

use super::{Place, all_places};

/// One thing that is done, of which only two keys know.
#[derive(Clone, Debug)]
enum Step {
    Increment(i64),
    Decrement(i64),
    Counter,
    Push(u8),
    PushText(String),
    Pop,
    PopText,
    Len,
    Add(u8),
    Members,
    Contains(u8),
    Put(u8, u8),
    Field(u8),
    Fields,
    Remove,
    Expire(bool),
    Left,
    Lock,
    Unlock,
}

fn numbers() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), -3..4_i64, Just(i64::MIN), Just(i64::MAX)]
}

fn steps() -> impl Strategy<Value = Vec<(u8, Step)>> {
    let small = || 0..4_u8;
    let step = prop_oneof![
        numbers().prop_map(Step::Increment),
        numbers().prop_map(Step::Decrement),
        Just(Step::Counter),
        small().prop_map(Step::Push),
        ".{0,3}".prop_map(Step::PushText),
        Just(Step::Pop),
        Just(Step::PopText),
        Just(Step::Len),
        small().prop_map(Step::Add),
        Just(Step::Members),
        small().prop_map(Step::Contains),
        (small(), small()).prop_map(|(field, value)| Step::Put(field, value)),
        small().prop_map(Step::Field),
        Just(Step::Fields),
        Just(Step::Remove),
        any::<bool>().prop_map(Step::Expire),
        Just(Step::Left),
        Just(Step::Lock),
        Just(Step::Unlock),
    ];
    proptest::collection::vec((0..2_u8, step), 1..60)
}

/// Does all steps, and writes down what is answered.
fn answers(cache: &Cache, run: u64, steps: &[(u8, Step)]) -> Vec<String> {
    let blocking = cache.blocking();
    let mut guards = [None, None];
    let mut tokens = [0; 2];
    let mut answer = |(key, step): &(u8, Step)| {
        let at = Key::new("agreement").part(&run).part(key);
        let field = |number: &u8| format!("field {number}");
        match step {
            Step::Increment(by) => shown(blocking.increment(&at, *by)),
            Step::Decrement(by) => shown(blocking.decrement(&at, *by)),
            Step::Counter => shown(blocking.counter(&at)),
            Step::Push(item) => shown(blocking.list_push(&at, item)),
            Step::PushText(item) => shown(blocking.list_push(&at, item)),
            Step::Pop => shown(blocking.list_pop::<u8>(&at)),
            Step::PopText => shown(blocking.list_pop::<String>(&at)),
            Step::Len => shown(blocking.list_len(&at)),
            Step::Add(member) => shown(blocking.set_add(&at, member)),
            Step::Members => shown(blocking.set_members::<u8>(&at).map(|mut members| {
                members.sort_unstable();
                members
            })),
            Step::Contains(member) => shown(blocking.set_contains(&at, member)),
            Step::Put(name, value) => shown(blocking.hash_set(&at, &field(name), value)),
            Step::Field(name) => shown(blocking.hash_get::<u8>(&at, &field(name))),
            Step::Fields => shown(blocking.hash_get_all::<u8>(&at)),
            Step::Remove => shown(blocking.remove_structure(&at)),
            Step::Expire(is_over) => {
                shown(blocking.expire_structure(&at, Duration::from_secs(if *is_over { 0 } else { 3600 })))
            }
            Step::Left => shown(blocking.structure_ttl(&at).map(|left| left.map(|left| left == Ttl::Never))),
            Step::Lock => {
                let guard = blocking.try_lock(&at, Duration::from_secs(3600)).unwrap();
                let last = &mut tokens[usize::from(*key)];
                let given =
                    guard.as_ref().map(|guard| guard.fencing_token() > std::mem::replace(last, guard.fencing_token()));
                if guard.is_some() {
                    guards[usize::from(*key)] = guard;
                }
                format!("{given:?}")
            }
            Step::Unlock => {
                format!("{:?}", guards[usize::from(*key)].take().map(|guard| guard.blocking_release().unwrap()))
            }
        }
    };
    steps.iter().map(&mut answer).collect()
}

fn shown<T: std::fmt::Debug>(answer: Result<T, cachex::Error>) -> String {
    match answer {
        Ok(answer) => format!("{answer:?}"),
        Err(error) if error.is_type_mismatch() => "another kind".to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn every_place_answers_the_same() {
    let with_node = |place: Place| (place.node(), place);
    let places: Vec<_> = all_places().into_iter().map(with_node).collect();
    let run = std::cell::Cell::new(0);
    let config = ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in steps())| {
        run.set(run.get() + 1);
        let expected = answers(&places[0].0, run.get(), &steps);
        for (cache, place) in &places[1..] {
            prop_assert_eq!(&answers(cache, run.get(), &steps), &expected, "{}", place.name);
        }
    });
}
