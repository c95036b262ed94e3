use super::*;

fn groups(names: &[&str]) -> Batch {
    Batch { groups: names.iter().map(|name| Group::tag(name)).collect(), ..Batch::default() }
}

fn key(name: &str) -> Batch {
    Batch { keys: HashMap::from([(name.into(), Key::new(name))]), ..Batch::default() }
}

#[test]
fn who_comes_during_an_attempt_that_fails_is_told_after_one_of_his_own() {
    let outbox = Outbox::default();
    let mut early = outbox.add(groups(&["a"]), true);
    outbox.take().expect("there is something");
    let mut late = outbox.add(groups(&["b"]), true);
    outbox.failed(vec![Group::tag("a")], true);
    assert!(late.try_recv().is_err(), "his was never tried");
    outbox.take().expect("there is something");
    outbox.delivered(&HashSet::new());
    assert!(early.try_recv().is_ok() && late.try_recv().is_ok());
    // Where the store is known to be out of reach, nobody waits.
    let mut told = outbox.add(groups(&["c"]), true);
    outbox.take().expect("there is something");
    outbox.failed(vec![Group::tag("c")], false);
    assert!(told.try_recv().is_ok());
    let mut told = outbox.add(groups(&["d"]), true);
    outbox.give_up();
    assert!(told.try_recv().is_ok());
}

#[test]
fn what_is_on_its_way_is_held_until_it_is_delivered() {
    let outbox = Outbox::default();
    let tags = [Group::tag("a")];
    let mut delivered = outbox.add(groups(&["a"]), true);
    assert!(outbox.holds("k", &tags) && !outbox.holds("k", &[Group::tag("b")]));
    assert!(outbox.take().is_some() && outbox.holds("k", &tags));
    outbox.failed(tags.to_vec(), false);
    assert!(outbox.holds("k", &tags) && delivered.try_recv().is_ok());
    assert!(outbox.take().is_some());
    outbox.delivered(&HashSet::new());
    assert!(!outbox.holds("k", &tags) && outbox.take().is_none());
}

#[test]
fn the_removal_of_a_key_waits_for_its_write() {
    let outbox = Outbox::default();
    outbox.begin_write("k");
    let _delivered = outbox.add(key("k"), true);
    assert!(outbox.take().is_none() && outbox.holds("k", &[]));
    outbox.end_write("k");
    assert!(outbox.take().is_some_and(|batch| batch.keys.contains_key("k")));
}

#[test]
fn a_write_takes_the_place_of_a_removal_from_before() {
    let outbox = Outbox::default();
    let mut removed = outbox.add(key("queued"), true);
    outbox.begin_write("queued");
    assert!(outbox.take().is_none() && removed.try_recv().is_err());
    outbox.end_write("queued");
    assert!(removed.try_recv().is_ok());
    let _delivered = outbox.add(key("sent"), true);
    assert!(outbox.take().is_some());
    outbox.begin_write("sent");
    outbox.failed(Vec::new(), false);
    outbox.end_write("sent");
    assert!(outbox.take().is_none());
    // Who comes then waits until it is delivered.
    assert!(outbox.add(groups(&["a"]), false).try_recv().is_err());
}

#[test]
fn nobody_is_told_too_early_once_what_could_not_be_sent_was_written() {
    let outbox = Outbox::default();
    let _delivered = outbox.add(key("k"), true);
    assert!(outbox.take().is_some());
    outbox.failed(Vec::new(), false);
    outbox.begin_write("k");
    outbox.end_write("k");
    assert!(outbox.take().is_none());
    assert!(outbox.add(groups(&["a"]), false).try_recv().is_err());
}

#[test]
fn who_waits_for_a_key_is_not_told_because_another_one_was_written() {
    let outbox = Outbox::default();
    let (mut other, mut written) = (outbox.add(key("other"), true), outbox.add(key("written"), true));
    outbox.begin_write("written");
    outbox.end_write("written");
    assert!(other.try_recv().is_err() && written.try_recv().is_err());
    outbox.begin_write("third");
    assert!(outbox.take().is_some());
    outbox.end_write("third");
    assert!(other.try_recv().is_err());
    outbox.delivered(&HashSet::new());
    assert!(other.try_recv().is_ok() && written.try_recv().is_ok());
}

#[test]
fn a_key_that_could_not_be_reached_holds_up_nothing_else() {
    let outbox = Outbox::default();
    let mut told = outbox.add(key("far"), true);
    assert!(outbox.take().is_some());
    assert_eq!(outbox.delivered(&HashSet::from(["far".into()])), Gone::Keys(Vec::new()));
    assert!(outbox.holds("far", &[]) && told.try_recv().is_ok());
    // Who comes later waits until that has been tried.
    let mut told = outbox.add(groups(&["a"]), true);
    assert!(told.try_recv().is_err());
    assert!(outbox.take().is_some_and(|batch| batch.keys.contains_key("far") && batch.groups.len() == 1));
    outbox.delivered(&HashSet::from(["far".into()]));
    assert!(told.try_recv().is_ok() && !outbox.holds("k", &[Group::tag("a")]));
}

#[test]
fn who_waits_for_a_group_does_not_wait_for_a_write() {
    let outbox = Outbox::default();
    outbox.begin_write("k");
    let (mut key, mut group) = (outbox.add(key("k"), true), outbox.add(groups(&["a"]), true));
    assert!(outbox.take().is_some());
    outbox.delivered(&HashSet::new());
    assert!(group.try_recv().is_ok() && key.try_recv().is_err());
}

#[test]
fn what_an_update_invalidates_is_held_until_it_is_settled_or_delivered() {
    let outbox = Outbox::default();
    let tags = [Group::tag("a")];
    outbox.begin_settling(1, groups(&["a"]));
    outbox.begin_settling(2, key("k"));
    assert!(outbox.take().is_none() && outbox.holds("other", &tags) && outbox.holds("k", &[]));
    outbox.settled(2);
    assert!(!outbox.holds("k", &[]));
    assert!(outbox.unsettled(1, true).is_some() && outbox.holds("other", &tags));
    assert!(outbox.take().is_some_and(|batch| batch.groups.contains(&tags[0])));
    outbox.delivered(&HashSet::new());
    assert!(!outbox.holds("other", &tags) && outbox.len() == 0);
}

#[test]
fn after_an_attempt_that_failed_only_who_is_out_of_reach_is_not_waited_for() {
    let outbox = Outbox::default();
    drop(outbox.add(groups(&["a"]), false));
    assert!(outbox.take().is_some());
    outbox.failed(vec![Group::tag("a")], false);
    assert!(outbox.add(groups(&["b"]), false).try_recv().is_ok());
    let mut delivered = outbox.add(groups(&["c"]), true);
    assert!(delivered.try_recv().is_err());
    assert!(outbox.take().is_some_and(|batch| batch.groups.len() == 3) && delivered.try_recv().is_err());
    outbox.delivered(&HashSet::new());
    assert!(delivered.try_recv().is_ok());
}

#[test]
fn too_much_becomes_everything() {
    let outbox = Outbox::default();
    for number in 0..=MOST {
        drop(outbox.add(groups(&[&number.to_string()]), true));
    }
    assert!(outbox.holds("k", &[]));
    assert!(outbox.take().is_some_and(|batch| batch.groups.contains(&Group::all())));
}
/// As a write by hand that fails.
fn fails_to_be_written(outbox: &Outbox, name: &str) {
    outbox.begin_write(name);
    outbox.failed_to_write(name);
    drop(outbox.add(key(name), false));
    outbox.end_write(name);
}

#[test]
fn what_could_not_be_written_goes_here_when_its_removal_has_arrived() {
    let outbox = Outbox::default();
    fails_to_be_written(&outbox, "k");
    drop(outbox.add(key("other"), true));
    assert!(outbox.take().is_some());
    outbox.failed(Vec::new(), false);
    assert!(outbox.take().is_some());
    assert_eq!(outbox.delivered(&HashSet::new()), Gone::Keys(vec![Key::new("k")]));
}

#[test]
fn of_too_much_that_could_not_be_written_no_names_are_kept_and_all_goes_here() {
    let outbox = Outbox::default();
    (0..=MOST).for_each(|number| fails_to_be_written(&outbox, &number.to_string()));
    outbox.begin_write("later");
    outbox.failed_to_write("later");
    drop(outbox.add(groups(&["a"]), false));
    assert!(outbox.lock().unwritten.len() <= 2, "{}", outbox.lock().unwritten.len());
    // Also if it does not arrive at once.
    assert!(outbox.take().is_some());
    outbox.failed(vec![Group::all()], false);
    assert!(outbox.take().is_some());
    assert_eq!(outbox.delivered(&HashSet::new()), Gone::All);
    // What is later goes with its own removal.
    drop(outbox.add(key("later"), true));
    outbox.end_write("later");
    assert!(outbox.take().is_some());
    assert_eq!(outbox.delivered(&HashSet::new()), Gone::Keys(vec![Key::new("later")]));
    assert!(outbox.lock().unwritten.is_empty());
}

#[test]
fn keys_are_known_that_were_tried_in_vain() {
    let (outbox, names) = (Outbox::default(), ["far".into(), "near".into()]);
    let tried = || outbox.tried(names.iter()).into_iter().map(String::from).collect::<Vec<_>>();
    let _delivered = (outbox.add(key("far"), true), outbox.add(key("near"), true));
    assert!(outbox.take().is_some() && tried().is_empty());
    outbox.delivered(&HashSet::from(["far".into()]));
    assert_eq!(tried(), ["far"]);
    assert!(outbox.take().is_some());
    outbox.failed(Vec::new(), true);
    assert_eq!(tried(), ["far"]);
    assert!(outbox.take().is_some());
    outbox.delivered(&HashSet::new());
    assert!(tried().is_empty());
}
