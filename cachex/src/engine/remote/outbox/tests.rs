use std::collections::HashMap;

use futures_util::FutureExt;

use super::state::{MOST, MOST_AT_ONCE};
use super::*;
use crate::key::Key;

const UP: Reach = reach(true);
const DOWN: Reach = reach(false);

const fn reach(is_up: bool) -> Reach {
    Reach { is_whole: is_up, takes_some: is_up }
}

fn groups(names: &[&str]) -> Batch {
    Batch { groups: names.iter().map(|name| Group::tag(name)).collect(), ..Batch::default() }
}

fn key(name: &str) -> Batch {
    Batch { keys: HashMap::from([(name.into(), Key::new(name))]), ..Batch::default() }
}

fn is_told(delivered: &mut oneshot::Receiver<()>) -> bool {
    delivered.try_recv() != Err(oneshot::error::TryRecvError::Empty)
}

/// All that was sent has arrived, but these keys.
fn arrived(outbox: &Outbox, left: &[&str]) -> Gone {
    let keys = left.iter().map(|name| (*name).into()).collect();
    outbox.tried(Missed { keys, ..Missed::default() }, true)
}

/// Nothing of what was sent has arrived; of groups these were sent.
fn failed(outbox: &Outbox, groups: &[Group], is_up: bool) {
    let keys = outbox.lock().sending.keys.keys().cloned().collect();
    outbox.tried(Missed { groups: groups.to_vec(), keys, is_failure: true }, is_up);
}

#[test]
fn what_is_for_a_part_of_the_store_that_is_left_is_tried_although_another_one_is_gone() {
    let (outbox, partly) = (Outbox::default(), Reach { is_whole: false, takes_some: true });
    drop(outbox.add(groups(&["a"]), DOWN));
    assert!(outbox.take(false).is_some());
    failed(&outbox, &[Group::tag("a")], false);
    assert!(!outbox.may_arrive() && is_told(&mut outbox.add(key("gone"), DOWN)));
    let mut removed = outbox.add(key("left"), partly);
    assert!(outbox.may_arrive() && !is_told(&mut removed));
    let batch = outbox.take(false).unwrap();
    assert!(batch.keys.contains_key("left") && batch.groups.is_empty() && !outbox.may_arrive());
    // Put in while that is sent.
    let mut later = outbox.add(key("later"), partly);
    outbox.tried(Missed { keys: ["gone".into()].into(), is_failure: true, ..Missed::default() }, false);
    assert!(is_told(&mut removed) && !is_told(&mut later) && outbox.may_arrive());
    assert!(outbox.take(false).unwrap().keys.contains_key("later"));
}

#[test]
fn who_comes_during_an_attempt_that_fails_is_told_after_one_of_his_own() {
    let outbox = Outbox::default();
    let mut early = outbox.add(groups(&["a"]), UP);
    outbox.take(true).expect("there is something");
    let mut late = outbox.add(groups(&["b"]), UP);
    failed(&outbox, &[Group::tag("a")], true);
    assert!(!is_told(&mut late), "his was never tried");
    outbox.take(true).expect("there is something");
    arrived(&outbox, &[]);
    assert!(is_told(&mut early) && is_told(&mut late));
    // Where the store is known to be out of reach, nobody waits.
    let mut told = outbox.add(groups(&["c"]), UP);
    outbox.take(true).expect("there is something");
    failed(&outbox, &[Group::tag("c")], false);
    assert!(is_told(&mut told));
    let outbox = Outbox::default();
    let mut told = outbox.add(groups(&["d"]), DOWN);
    outbox.give_up();
    assert!(is_told(&mut told));
    // But who has put in what can be reached, also if that was not looked at again since.
    let mut told = outbox.add(groups(&["e"]), UP);
    outbox.give_up();
    assert!(!is_told(&mut told));
}

#[test]
fn what_is_on_its_way_is_held_until_it_is_delivered() {
    let outbox = Outbox::default();
    let tags = [Group::tag("a")];
    let mut delivered = outbox.add(groups(&["a"]), UP);
    assert!(outbox.holds("k", &tags) && !outbox.holds("k", &[Group::tag("b")]));
    assert!(outbox.take(true).is_some() && outbox.holds("k", &tags));
    failed(&outbox, &tags, false);
    assert!(outbox.holds("k", &tags) && is_told(&mut delivered));
    assert!(outbox.take(true).is_some());
    arrived(&outbox, &[]);
    assert!(!outbox.holds("k", &tags) && outbox.take(true).is_none());
}

#[test]
fn the_removal_of_a_key_waits_for_its_write() {
    let outbox = Outbox::default();
    outbox.begin_write("k");
    let _delivered = outbox.add(key("k"), UP);
    assert!(outbox.take(true).is_none() && outbox.holds("k", &[]));
    outbox.end_write("k");
    assert!(outbox.take(true).is_some_and(|batch| batch.keys.contains_key("k")));
}

#[test]
fn a_write_takes_the_place_of_a_removal_from_before() {
    let outbox = Outbox::default();
    let mut removed = outbox.add(key("queued"), UP);
    let waiting = outbox.begin_write("queued");
    assert!(outbox.take(true).is_none() && !is_told(&mut removed));
    outbox.end_write("queued");
    // Whoever writes tells.
    assert!(!is_told(&mut removed));
    drop(waiting);
    assert!(is_told(&mut removed));
    let _delivered = outbox.add(key("sent"), UP);
    assert!(outbox.take(true).is_some());
    outbox.begin_write("sent");
    failed(&outbox, &[], false);
    outbox.end_write("sent");
    assert!(outbox.take(true).is_none());
    // Who comes then waits until it is delivered.
    assert!(!is_told(&mut outbox.add(groups(&["a"]), DOWN)));
}

#[test]
fn nobody_is_told_too_early_once_what_could_not_be_sent_was_written() {
    let outbox = Outbox::default();
    let _delivered = outbox.add(key("k"), UP);
    assert!(outbox.take(true).is_some());
    failed(&outbox, &[], false);
    outbox.begin_write("k");
    outbox.end_write("k");
    assert!(outbox.take(true).is_none());
    assert!(!is_told(&mut outbox.add(groups(&["a"]), DOWN)));
}

#[test]
fn who_waits_for_a_key_is_not_told_because_another_one_was_written() {
    let outbox = Outbox::default();
    let (mut other, mut written) = (outbox.add(key("other"), UP), outbox.add(key("written"), UP));
    let waiting = outbox.begin_write("written");
    outbox.end_write("written");
    assert!(!is_told(&mut other) && !is_told(&mut written));
    drop(waiting);
    assert!(!is_told(&mut other) && is_told(&mut written));
    outbox.begin_write("third");
    assert!(outbox.take(true).is_some());
    outbox.end_write("third");
    assert!(!is_told(&mut other));
    arrived(&outbox, &[]);
    assert!(is_told(&mut other));
}

#[test]
fn a_key_that_could_not_be_reached_holds_up_nothing_else() {
    let outbox = Outbox::default();
    let mut told = outbox.add(key("far"), UP);
    assert!(outbox.take(true).is_some());
    assert_eq!(arrived(&outbox, &["far"]), Gone::Keys(Vec::new()));
    assert!(outbox.holds("far", &[]) && is_told(&mut told));
    // Who comes later waits until that has been tried.
    let mut told = outbox.add(groups(&["a"]), UP);
    assert!(!is_told(&mut told));
    assert!(outbox.take(true).is_some_and(|batch| batch.keys.contains_key("far") && batch.groups.len() == 1));
    arrived(&outbox, &["far"]);
    assert!(is_told(&mut told) && !outbox.holds("k", &[Group::tag("a")]));
}

#[test]
fn who_waits_for_a_group_does_not_wait_for_a_write() {
    let outbox = Outbox::default();
    outbox.begin_write("k");
    let (mut key, mut group) = (outbox.add(key("k"), UP), outbox.add(groups(&["a"]), UP));
    assert!(outbox.take(true).is_some());
    arrived(&outbox, &[]);
    assert!(is_told(&mut group) && !is_told(&mut key));
}

#[test]
fn what_an_update_invalidates_is_held_until_it_is_settled_or_delivered() {
    let outbox = Outbox::default();
    let tags = [Group::tag("a")];
    outbox.begin_settling(1, groups(&["a"]));
    outbox.begin_settling(2, key("k"));
    assert!(outbox.take(true).is_none() && outbox.holds("other", &tags) && outbox.holds("k", &[]));
    outbox.settled(2);
    assert!(!outbox.holds("k", &[]));
    assert!(outbox.unsettled(1, UP).is_some() && outbox.holds("other", &tags));
    assert!(outbox.take(true).is_some_and(|batch| batch.groups.contains(&tags[0])));
    arrived(&outbox, &[]);
    assert!(!outbox.holds("other", &tags) && outbox.len() == 0);
}

#[test]
fn after_an_attempt_that_failed_only_who_is_out_of_reach_is_not_waited_for() {
    let outbox = Outbox::default();
    drop(outbox.add(groups(&["a"]), DOWN));
    assert!(outbox.take(true).is_some());
    failed(&outbox, &[Group::tag("a")], false);
    assert!(is_told(&mut outbox.add(groups(&["b"]), DOWN)));
    let mut delivered = outbox.add(groups(&["c"]), UP);
    assert!(!is_told(&mut delivered));
    assert!(outbox.take(true).is_some_and(|batch| batch.groups.len() == 3) && !is_told(&mut delivered));
    arrived(&outbox, &[]);
    assert!(is_told(&mut delivered));
}

#[test]
fn too_much_becomes_everything() {
    // While it can't be sent, or if it is very much.
    for (most, is_up) in [(MOST, false), (MOST_AT_ONCE, true)] {
        let outbox = Outbox::default();
        (0..most).for_each(|number| drop(outbox.add(groups(&[&number.to_string()]), reach(is_up))));
        assert!(!outbox.holds("k", &[]));
        drop(outbox.add(groups(&["another"]), reach(is_up)));
        assert!(outbox.holds("k", &[]));
        assert!(outbox.take(true).is_some_and(|batch| batch.groups.contains(&Group::all())));
    }
}

#[test]
fn too_much_that_was_tried_in_vain_becomes_everything() {
    let outbox = Outbox::default();
    for number in 0..=MOST {
        drop(outbox.add(key(&number.to_string()), UP));
    }
    assert!(outbox.take(true).is_some_and(|batch| batch.keys.len() > MOST && batch.groups.is_empty()));
    failed(&outbox, &[], true);
    assert!(outbox.holds("k", &[]));
    assert!(outbox.take(false).is_some_and(|batch| batch.groups.contains(&Group::all()) && batch.keys.is_empty()));
    arrived(&outbox, &[]);
    assert_eq!(outbox.len(), 0);
}

/// Whether who began to wait before `then` for a key, or the group `a`, waits no more after it.
fn is_over(outbox: &Outbox, name: &str, then: impl FnOnce()) -> bool {
    let groups = [Group::tag("a")];
    let mut waiting = std::pin::pin!(outbox.emptied_of(name, &groups));
    assert!(waiting.as_mut().now_or_never().is_none());
    then();
    waiting.now_or_never().is_some()
}

#[test]
fn who_waits_for_something_waits_for_what_comes_in_its_place() {
    // An update that is not settled: what it invalidates is sent.
    let outbox = Outbox::default();
    outbox.begin_settling(1, groups(&["a"]));
    let is_not_settled = || drop(outbox.unsettled(1, UP));
    assert!(!is_over(&outbox, "other", is_not_settled));
    assert!(outbox.take(true).is_some());
    assert!(is_over(&outbox, "other", || {
        arrived(&outbox, &[]);
    }));
    // A removal in whose place a write comes.
    drop(outbox.add(key("k"), UP));
    let is_written = || {
        drop(outbox.begin_write("k"));
        outbox.begin_turn("k");
    };
    assert!(!is_over(&outbox, "k", is_written));
    assert!(is_over(&outbox, "k", || outbox.end_write("k")));
    // Also if it was being sent when the write came.
    drop(outbox.add(key("k"), UP));
    assert!(outbox.take(true).is_some());
    let fails_meanwhile = || {
        drop(outbox.begin_write("k"));
        arrived(&outbox, &["k"]);
        outbox.begin_turn("k");
    };
    assert!(!is_over(&outbox, "k", fails_meanwhile));
    outbox.end_write("k");
    assert!(outbox.take(true).is_none());
    // A write that fails: the key is removed.
    outbox.begin_write("k");
    outbox.begin_turn("k");
    let fails = || {
        outbox.failed_to_write("k");
        drop(outbox.add(key("k"), UP));
        outbox.end_write("k");
    };
    assert!(!is_over(&outbox, "k", fails));
    assert!(outbox.take(true).is_some());
    assert!(is_over(&outbox, "k", || {
        arrived(&outbox, &[]);
    }));
    // A write that fails while another one waits for its turn; and then that one as well.
    drop(outbox.add(key("k"), UP));
    let both = || {
        drop(outbox.begin_write("k"));
        outbox.begin_turn("k");
        drop(outbox.begin_write("k"));
    };
    assert!(!is_over(&outbox, "k", both));
    let since = outbox.lock().written_since("k");
    assert!(is_over(&outbox, "k", || outbox.ended_turn("k", false)), "it is told that there is no use in waiting");
    // What was to come with it comes with the next one.
    outbox.begin_turn("k");
    assert!(since.is_some() && outbox.lock().written_since("k") == since);
    outbox.ended_turn("k", true);
    outbox.end_write("k");
    assert_eq!(outbox.len(), 0);
    assert!(outbox.lock().writing.is_empty() && outbox.lock().failing.is_empty());
}

#[test]
fn who_reads_waits_for_what_was_on_its_way_before_and_for_nothing_later() {
    let outbox = Outbox::default();
    drop(outbox.add(groups(&["a"]), UP));
    // Again and again, one of them on its way at any time.
    let go_on = |left: &[&str]| {
        assert!(outbox.take(true).is_some());
        drop(outbox.add(groups(&["a"]), UP));
        drop(outbox.add(key("k"), UP));
        arrived(&outbox, left);
    };
    assert!(is_over(&outbox, "other", || go_on(&[])), "what was on its way has arrived");
    assert!(outbox.take(true).is_some());
    drop(outbox.add(groups(&["a"]), UP));
    let while_it_is_sent = || {
        arrived(&outbox, &[]);
    };
    assert!(!is_over(&outbox, "k", while_it_is_sent), "another one was put in before");
    assert!(is_over(&outbox, "k", || go_on(&[])));
    // Writes of the key, without a break.
    outbox.begin_write("hot");
    let turn = || {
        drop(outbox.begin_write("hot"));
        outbox.begin_turn("hot");
    };
    assert!(outbox.take(true).is_some());
    arrived(&outbox, &[]);
    assert!(!is_over(&outbox, "hot", turn), "one more may have waited for its turn");
    let turns = || (0..2).for_each(|_| turn());
    assert!(is_over(&outbox, "hot", turns));
    // A removal that waits for a write goes with the next one.
    drop(outbox.add(key("hot"), UP));
    assert!(is_over(&outbox, "hot", turns));
    drop(outbox.add(key("hot"), UP));
    let ends = || {
        outbox.end_write("hot");
    };
    assert!(!is_over(&outbox, "hot", ends), "the removal is still to be sent");
}
/// As a write by hand that fails.
fn fails_to_be_written(outbox: &Outbox, name: &str) {
    outbox.begin_write(name);
    outbox.failed_to_write(name);
    drop(outbox.add(key(name), DOWN));
    outbox.end_write(name);
}

#[test]
fn what_could_not_be_written_goes_here_when_its_removal_has_arrived() {
    let outbox = Outbox::default();
    fails_to_be_written(&outbox, "k");
    drop(outbox.add(key("other"), UP));
    assert!(outbox.take(true).is_some());
    failed(&outbox, &[], false);
    assert!(outbox.take(true).is_some());
    assert_eq!(arrived(&outbox, &[]), Gone::Keys(vec![Key::new("k")]));
}

#[test]
fn of_too_much_that_could_not_be_written_no_names_are_kept_and_all_goes_here() {
    let outbox = Outbox::default();
    (0..=MOST).for_each(|number| fails_to_be_written(&outbox, &number.to_string()));
    outbox.begin_write("later");
    outbox.failed_to_write("later");
    drop(outbox.add(groups(&["a"]), DOWN));
    assert!(outbox.lock().unwritten.len() <= 2, "{}", outbox.lock().unwritten.len());
    // Also if it does not arrive at once.
    assert!(outbox.take(true).is_some());
    failed(&outbox, &[Group::all()], false);
    assert!(outbox.take(true).is_some());
    assert_eq!(arrived(&outbox, &[]), Gone::All);
    // What is later goes with its own removal.
    drop(outbox.add(key("later"), UP));
    outbox.end_write("later");
    assert!(outbox.take(true).is_some());
    assert_eq!(arrived(&outbox, &[]), Gone::Keys(vec![Key::new("later")]));
    assert!(outbox.lock().unwritten.is_empty());
}

#[test]
fn what_others_have_heard_of_is_forgotten_when_it_is_put_in_anew_or_has_arrived() {
    let outbox = Outbox::default();
    let both = || Batch { groups: groups(&["a"]).groups, ..key("k") };
    let heard = || {
        let Heard { groups, keys } = outbox.heard_of(&both());
        (groups.len(), keys.len())
    };
    let hear = || outbox.hear(&[Group::tag("a")], ["k".into()].into_iter());
    let fails = || {
        assert!(outbox.take(true).is_some());
        hear();
        failed(&outbox, &[Group::tag("a")], true);
    };
    drop(outbox.add(both(), UP));
    assert_eq!(heard(), (0, 0));
    fails();
    assert_eq!(heard(), (1, 1));
    drop(outbox.add(key("k"), UP));
    assert_eq!(heard(), (1, 0));
    fails();
    drop(outbox.add(groups(&["a"]), UP));
    assert_eq!(heard(), (0, 1));
    assert!(outbox.take(true).is_some());
    // What is put in now is later than what others hear of.
    drop(outbox.add(both(), UP));
    hear();
    arrived(&outbox, &[]);
    assert_eq!(heard(), (0, 0));
    assert!(outbox.take(true).is_some());
    hear();
    arrived(&outbox, &[]);
    assert_eq!(heard(), (0, 0));
}

#[test]
fn what_was_tried_in_vain_waits_for_its_time_and_for_nothing_else() {
    let outbox = Outbox::default();
    drop(outbox.add(key("far"), UP));
    assert!(outbox.take(true).is_some());
    arrived(&outbox, &["far"]);
    assert!(outbox.take(false).is_none() && outbox.has_more());
    let mut told = outbox.add(key("near"), UP);
    assert!(outbox.take(false).is_some_and(|batch| batch.keys.contains_key("near") && batch.keys.len() == 1));
    arrived(&outbox, &[]);
    assert!(is_told(&mut told) && outbox.has_more());
    // Who asks for it has it tried.
    let mut told = outbox.add(key("far"), UP);
    assert!(outbox.take(false).is_some() && !is_told(&mut told));
    // Also who asks meanwhile.
    let mut late = outbox.add(key("far"), UP);
    arrived(&outbox, &["far"]);
    assert!(is_told(&mut told) && !is_told(&mut late) && outbox.take(false).is_some());
    arrived(&outbox, &["far"]);
    assert!(is_told(&mut late) && outbox.take(false).is_none());
    outbox.renew();
    assert!(outbox.take(false).is_some());
    arrived(&outbox, &[]);
    assert!(!outbox.has_more());
}

#[test]
fn who_waits_for_a_key_does_not_wait_for_the_writes_of_others() {
    let outbox = Outbox::default();
    let waiting = outbox.begin_write("hot");
    assert!(waiting.is_empty());
    let (mut hot, mut cold) = (outbox.add(key("hot"), UP), outbox.add(key("cold"), UP));
    assert!(outbox.take(true).is_some());
    arrived(&outbox, &[]);
    assert!(is_told(&mut cold) && !is_told(&mut hot));
    // Another write takes its place: who waits for the removal waits for that.
    let waiting = outbox.begin_write("hot");
    assert!(!is_told(&mut hot) && outbox.take(true).is_none());
    drop(waiting);
    assert!(is_told(&mut hot));
}

#[tokio::test(start_paused = true)]
async fn a_walk_waits_for_the_writes_from_before_and_for_no_others() {
    let outbox = Outbox::default();
    let is_over = async |written: &[(Box<str>, Turn)]| {
        let waiting = outbox.nothing_written_of(written.to_vec());
        tokio::time::timeout(std::time::Duration::from_millis(1), waiting).await.is_ok()
    };
    drop(outbox.begin_write("k"));
    outbox.begin_turn("k");
    let written = outbox.begin_matching(1, "*");
    assert!(!is_over(&written).await);
    // One more may have waited for its turn.
    outbox.begin_turn("k");
    assert!(!is_over(&written).await);
    outbox.begin_turn("k");
    assert!(is_over(&written).await);
    let written = outbox.begin_matching(2, "*");
    outbox.end_write("k");
    drop(outbox.begin_write("k"));
    assert!(is_over(&written).await);
}
