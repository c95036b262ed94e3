//! Stores that break a rule each: the suite of the contract finds them.

mod store;
mod updates;

use std::sync::Arc;
use std::time::Duration;

use cachex::RedisSettings;
use cachex::store::{Store, conformance};
use cachex_tests::folder::Folder;
use cachex_tests::redis::Server;
use futures_util::future::join_all;

use super::files;
use store::{Flawed, Shared};

/// What a store does wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    ClocksGoBack,
    InvalidationsAreForgotten,
    InvalidationsAreLate,
    UnknownGroupsAreNotInvalidated,
    UntoldInvalidationsDoNothing,
    UnknownGroupsAreValid,
    ClocksAreLost,
    BeginningsAreEarly,
    MintGivesAlways,
    MintGivesEarlyStamps,
    MintGivesNever,
    PutsNeedNoLease,
    PutsNeedALeaseOnce,
    PutsAreLost,
    RemovalsLeaveTheLease,
    RemovalsLeaveTheValue,
    LeasesAreForever,
    LeasesAreForAll,
    ReleasesAreForAll,
    ShortValuesHaveAMark,
    RenewalsDoNothing,
    ValuesAreForever,
    ValuesAreCutOff,
    KeysAreAlike,
    WritesAreLost,
    AnythingIsReplaced,
    AnythingIsRemoved,
    OthersAreNotTold,
    OthersAreToldTooEarly,
    ListensToNothing,
    ClocksAreRemembered,
    OtherValuesAreNotTold,
    AllGroupsAreOne,
    RemovalsOfAllAreLost,
    // From here on: of updates.
    UpdatesNeedNoNote,
    NotesAreForMore,
    NotesAreForever,
    RemovalsLeaveTheNote,
    RemovalsOfAllLeaveTheNote,
    WritesLeaveTheNote,
    AnnouncementsLeaveTheNote,
    RefusedUpdatesLeaveTheNote,
    RefusedUpdatesLeaveTheValue,
    UpdatesLeaveTheLease,
    UpdatesAreLost,
    LeasesTakeTheNote,
    NotesAreLookedAtBefore,
    GroupsDoNotDisturb,
    OwnInvalidationsHideOthers,
    OwnInvalidationsDisturb,
    SettlingInvalidatesNothing,
    RefusedSettlingInvalidatesNothing,
    SettlingGivesLateStamps,
    SettlingIsNotTold,
    UpdatesAreNotTold,
    RefusedUpdatesAreNotTold,
    SettlingIsToldTooEarly,
    UpdatesAreToldTooEarly,
}

/// Each flaw of a directory, and the rule that it breaks.
const FLAWS: [(Flaw, &str); 34] = [
    (Flaw::ClocksGoBack, "the clock never goes back"),
    (Flaw::InvalidationsAreForgotten, "an invalidation steps the clock"),
    (Flaw::InvalidationsAreLate, "an invalidation outdates what was stamped before"),
    (
        Flaw::UnknownGroupsAreNotInvalidated,
        "an invalidation of a group without a clock outdates what was stamped before",
    ),
    (Flaw::UntoldInvalidationsDoNothing, "an invalidation that tells nobody is one all the same"),
    (Flaw::UnknownGroupsAreValid, "a group without a clock is a miss"),
    (Flaw::ClocksAreLost, "a group that was begun with has a clock"),
    (Flaw::BeginningsAreEarly, "a group gets a clock that is not above the load's"),
    (Flaw::MintGivesAlways, "mint refuses what was invalidated since"),
    (Flaw::MintGivesEarlyStamps, "mint gives a stamp that is enough"),
    (Flaw::MintGivesNever, "a load that found out its groups is stamped"),
    (Flaw::PutsNeedNoLease, "nothing is put without the lease"),
    (Flaw::PutsNeedALeaseOnce, "a write by hand takes the lease"),
    (Flaw::PutsAreLost, "a value that was put is read"),
    (Flaw::RemovalsLeaveTheLease, "the removal of a key takes its value and its lease"),
    (Flaw::RemovalsLeaveTheValue, "nothing older than the removal of its key is read"),
    (Flaw::LeasesAreForever, "a lease that has ended is of no use"),
    (Flaw::LeasesAreForAll, "a lease has one holder"),
    (Flaw::ReleasesAreForAll, "a lease has one holder"),
    (Flaw::ShortValuesHaveAMark, "a value that is too short to tell keeps nobody from the lease"),
    (Flaw::RenewalsDoNothing, "a lease that is renewed holds"),
    (Flaw::ValuesAreForever, "a value that has ended is not read"),
    (Flaw::ValuesAreCutOff, "a value is read as it was written"),
    (Flaw::KeysAreAlike, "keys and groups are told apart, whatever their names"),
    (Flaw::WritesAreLost, "a value that was written by hand is read"),
    (Flaw::AnythingIsReplaced, "what is removed is not replaced"),
    (Flaw::AnythingIsRemoved, "exactly the value that is named is removed or replaced"),
    (Flaw::OthersAreNotTold, "a notice is heard, or said to be missed"),
    (Flaw::OthersAreToldTooEarly, "who has heard of an invalidation reads nothing from before"),
    (Flaw::ListensToNothing, "a store without notices does not say that it listens"),
    (Flaw::ClocksAreRemembered, "nothing older than an invalidation of its group is valid"),
    (Flaw::OtherValuesAreNotTold, "who asks for a lease is told of another value"),
    (Flaw::AllGroupsAreOne, "other groups stay valid"),
    (Flaw::RemovalsOfAllAreLost, "the removal of all keys of some kind takes their values and leases"),
];

/// Each flaw of a server that takes updates, and the rule that it breaks.
const FLAWS_OF_UPDATES: [(Flaw, &str); 24] = {
    use Flaw::*;
    const NOTED: &str = "an update is not written unless it was announced";
    const DISTURBED: &str = "an update that a removal, a write by hand or another update has disturbed is not written";
    const GROUPS: &str = "an update one of whose groups was invalidated since is not settled";
    const INVALIDATES: &str = "what an update invalidates outdates what was stamped before";
    const UNDISTURBED: &str = "an update that nothing has disturbed is written";
    const TOLD: &str = "an update is told, whether it is written or not";
    const TOLD_LAST: &str = "who has heard of an update reads nothing from before";
    [
        (UpdatesNeedNoNote, NOTED),
        (RefusedUpdatesLeaveTheValue, NOTED),
        (NotesAreForMore, "an update is written once"),
        (NotesAreForever, "the note of an update ends"),
        (RemovalsLeaveTheNote, DISTURBED),
        (RemovalsOfAllLeaveTheNote, DISTURBED),
        (WritesLeaveTheNote, DISTURBED),
        (AnnouncementsLeaveTheNote, DISTURBED),
        (RefusedUpdatesLeaveTheNote, "of two updates that overlap none is written"),
        (UpdatesLeaveTheLease, "an update takes the lease"),
        (UpdatesAreLost, UNDISTURBED),
        (LeasesTakeTheNote, UNDISTURBED),
        (NotesAreLookedAtBefore, "nothing older than an update of its key is read"),
        (GroupsDoNotDisturb, GROUPS),
        (OwnInvalidationsHideOthers, GROUPS),
        (OwnInvalidationsDisturb, "an update is not disturbed by what it invalidates itself"),
        (SettlingInvalidatesNothing, INVALIDATES),
        (RefusedSettlingInvalidatesNothing, INVALIDATES),
        (SettlingGivesLateStamps, "an invalidation outdates what an update was stamped with"),
        (SettlingIsNotTold, TOLD),
        (UpdatesAreNotTold, TOLD),
        (RefusedUpdatesAreNotTold, TOLD),
        (SettlingIsToldTooEarly, TOLD_LAST),
        (UpdatesAreToldTooEarly, TOLD_LAST),
    ]
};

/// A flaw that shows in a race only need not show in each.
const TRIES: usize = 8;

/// Checks a store with a flaw. Returns what is wrong, if the rule is not among those that it breaks.
async fn unnoticed(make: impl Fn() -> Box<dyn Store>, flaw: Flaw, rule: &str) -> Option<String> {
    let mut broken = Vec::new();
    for _ in 0..TRIES {
        let shared = Arc::new(Shared::default());
        let checked = conformance::check(async || Flawed::new(make(), flaw, &shared)).await;
        broken = checked.err().iter().flat_map(|broken| broken.names().collect::<Vec<_>>()).collect();
        if broken.contains(&rule) {
            return None;
        }
    }
    Some(format!("{flaw:?} does not break `{rule}`, but {broken:?}"))
}

fn none_is(unnoticed: impl IntoIterator<Item = Option<String>>) {
    let unnoticed: Vec<_> = unnoticed.into_iter().flatten().collect();
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
}

#[tokio::test]
async fn each_is_found_by_the_rule_that_it_breaks() {
    let checks = FLAWS.map(|(flaw, rule)| async move {
        let folder = Folder::new();
        unnoticed(|| files(&folder), flaw, rule).await
    });
    none_is(join_all(checks).await);
}

#[tokio::test]
async fn each_that_takes_updates_is_found_by_the_rule_that_it_breaks() {
    let server = Server::start();
    let server = &server;
    let checks = FLAWS_OF_UPDATES
        .map(|(flaw, rule)| async move { unnoticed(|| namespace(server, &format!("{flaw:?}")), flaw, rule).await });
    none_is(join_all(checks).await);
}

#[tokio::test]
async fn a_store_without_one_is_not() {
    let (folder, server) = (Folder::new(), Server::start());
    let (of_directory, of_server) = (Arc::default(), Arc::default());
    let checked = conformance::check(async || Flawed::new(files(&folder), Flaw::None, &of_directory)).await;
    assert!(checked.is_ok(), "{checked:?}");
    let none = || Flawed::new(namespace(&server, "none"), Flaw::None, &of_server);
    let checked = conformance::check(async || none()).await;
    assert!(checked.is_ok(), "{checked:?}");
}

fn namespace(server: &Server, name: &str) -> Box<dyn Store> {
    let mut settings = RedisSettings::new(server.url());
    settings.timeout = Duration::from_secs(20);
    settings.open(name).unwrap()
}
