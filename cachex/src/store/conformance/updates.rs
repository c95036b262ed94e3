//! Updates of the source: what is written of one, and when. A store that takes none invalidates and removes instead, which is right as well.

use std::time::Duration;

use super::ground::{Ground, LONG, OrSay, SHORT, groups, hold, key, notice, outdates, rules, value, within};
use crate::store::{Group, Reading, Settling, Store};

rules! {
    "an update is not written unless it was announced" => no_update_without_a_note,
    "an update is written once" => once,
    "an update that a removal, a write by hand or another update has disturbed is not written" => disturbed_by_the_key,
    "of two updates that overlap none is written" => overlapping,
    "an update one of whose groups was invalidated since is not settled" => disturbed_by_a_group,
    "the note of an update ends" => notes_end,
    "an update takes the lease" => updates_fence,
    "what an update invalidates outdates what was stamped before" => settling_invalidates,
    "an invalidation outdates what an update was stamped with" => settled_is_outdated,
}

/// An update of a key that has begun.
pub(super) struct Update<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) key: &'a str,
    pub(super) token: u64,
    /// The clock from before it.
    pub(super) since: Reading,
}

impl<'a> Update<'a> {
    pub(super) async fn begin(on: &Ground, store: &'a dyn Store, key: &'a str) -> Result<Self, String> {
        Self::begin_for(on, store, key, LONG).await
    }

    async fn begin_for(on: &Ground, store: &'a dyn Store, key: &'a str, span: Duration) -> Result<Self, String> {
        let token = on.token();
        store.announce(key, token, span).await.or_say("announce")?;
        let since = store.begin(key, &[], None).await.or_say("begin")?;
        Ok(Self { store, key, token, since })
    }

    pub(super) async fn settle(&self, of: &[Group], invalidated: &[Group]) -> Result<Option<Reading>, String> {
        let (groups, invalidated) = (of.to_vec(), invalidated.to_vec());
        let update =
            Settling { since: self.since, groups, life: Some(LONG), invalidated, notice: notice("of a settling") };
        self.store.settle(self.key, &update).await.or_say("settle")
    }

    pub(super) async fn write(&self, number: u64, life: Option<Duration>) -> Result<bool, String> {
        let written = notice("of an update");
        self.store.write_announced(self.key, self.token, value(number), life, written).await.or_say("write_announced")
    }
}

/// What was not written: it is said so, and nothing is there.
async fn is_refused(on: &Ground, update: &Update<'_>, what: &str) -> Result<(), String> {
    let is_written = update.write(9, Some(LONG)).await?;
    hold!(!is_written, "{what}, and it was written");
    for store in [&on.a, &on.b] {
        let read = store.read(update.key, &[]).await.or_say("read")?.value;
        hold!(read.is_none(), "{what}, it was refused, and a value is there after it");
    }
    Ok(())
}

async fn no_update_without_a_note(on: &Ground) -> Result<(), String> {
    let name = on.key("update");
    on.b.write(&name, value(1), Some(LONG), notice("update")).await.or_say("write")?;
    let update = Update { store: &*on.a, key: &name, token: on.token(), since: Reading(0) };
    is_refused(on, &update, "it was not announced").await
}

async fn once(on: &Ground) -> Result<(), String> {
    let name = on.key("update once");
    let update = Update::begin(on, &*on.a, &name).await?;
    let _first = update.write(1, Some(LONG)).await?;
    is_refused(on, &update, "it was written once").await
}

async fn disturbed_by_the_key(on: &Ground) -> Result<(), String> {
    let names = ["removed", "written", "announced", "removed with others"];
    let [removed, written, announced, with_others] = names.map(|how| on.key(&format!("disturbed: {how}")));
    let update = Update::begin(on, &*on.a, &removed).await?;
    on.b.invalidate(&key(&removed, "disturbed")).await.or_say("invalidate")?;
    is_refused(on, &update, "its key was removed since").await?;

    let update = Update::begin(on, &*on.a, &written).await?;
    on.b.write(&written, value(1), Some(LONG), notice("disturbed")).await.or_say("write")?;
    is_refused(on, &update, "its key was written by hand since").await?;

    let update = Update::begin(on, &*on.a, &announced).await?;
    let _other = Update::begin(on, &*on.b, &announced).await?;
    is_refused(on, &update, "another one was announced since").await?;

    let update = Update::begin(on, &*on.a, &with_others).await?;
    if on.b.remove_all(&|known| known == with_others).await.or_say("remove_all")? {
        is_refused(on, &update, "its key was removed with others since").await?;
    }
    Ok(())
}

/// Only the source knows which of two came last. So who is refused disturbs the other one as well: what that writes may be the older value.
async fn overlapping(on: &Ground) -> Result<(), String> {
    for is_first_written_first in [true, false] {
        let name = on.key(&format!("overlapping {is_first_written_first}"));
        let (one, other) = (Update::begin(on, &*on.a, &name).await?, Update::begin(on, &*on.b, &name).await?);
        let [first, second] = if is_first_written_first { [&one, &other] } else { [&other, &one] };
        // The other may be written, until this one ends as well.
        let _is_written = first.write(1, Some(LONG)).await?;
        is_refused(on, second, "another one that overlaps has ended before").await?;
    }
    Ok(())
}

async fn disturbed_by_a_group(on: &Ground) -> Result<(), String> {
    let name = on.key("of a group");
    let [known, unknown, other] = ["known", "unknown", "own"].map(|name| on.group(&format!("disturbed {name}")));
    on.a.begin(&name, std::slice::from_ref(&known), Some(LONG)).await.or_say("begin")?;
    // What it invalidates itself does not hide what others have invalidated.
    for (group, own) in [(&known, &other), (&unknown, &other), (&known, &known)] {
        let update = Update::begin(on, &*on.a, &name).await?;
        on.b.invalidate(&groups(std::slice::from_ref(group), "disturbed")).await.or_say("invalidate")?;
        let settled = update.settle(&[other.clone(), group.clone()], std::slice::from_ref(own)).await?;
        hold!(settled.is_none(), "it began at {:?} and is stamped {settled:?}", update.since);
    }
    Ok(())
}

async fn notes_end(on: &Ground) -> Result<(), String> {
    let (name, other) = (on.key("end of a note"), on.key("end beside a note"));
    on.b.write(&name, value(1), Some(LONG), notice("end")).await.or_say("write")?;
    let update = Update::begin_for(on, &*on.a, &name, SHORT).await?;
    // A lease that was asked for later and is as long has ended: so has the note.
    on.lease(&*on.a, &other, SHORT).await?;
    let has_ended = async || Ok(on.lease(&*on.b, &other, LONG).await?.is_some());
    hold!(within(has_ended).await?.is_some(), "a lease does not end");
    is_refused(on, &update, "its span has ended").await
}

async fn updates_fence(on: &Ground) -> Result<(), String> {
    for is_announced in [true, false] {
        let name = on.key(&format!("update of what is loaded {is_announced}"));
        let update = Update::begin(on, &*on.a, &name).await?;
        let Some(token) = on.lease(&*on.b, &name, LONG).await? else { return Ok(()) };
        let update = if is_announced { update } else { Update { token: on.token(), ..update } };
        let is_written = update.write(7, Some(LONG)).await?;
        let put = on.b.put(&name, token, value(8), Some(LONG), notice("fence")).await.or_say("put")?;
        hold!(!put, "a load that began before the update ended was put after it (which was written: {is_written})");
        let read = on.a.read(&name, &[]).await.or_say("read")?.value;
        hold!(read.is_none_or(|read| is_written && read == value(7)), "the value is not that of the update");
    }
    Ok(())
}

async fn settling_invalidates(on: &Ground) -> Result<(), String> {
    let (name, of) = (on.key("settle"), on.group("settle of"));
    for is_disturbed in [false, true] {
        let invalidated = [on.group("settle 1"), on.group("settle 2")];
        let stamp = on.b.begin(&name, &invalidated, Some(LONG)).await.or_say("begin")?;
        let update = Update::begin(on, &*on.a, &name).await?;
        if is_disturbed {
            on.b.invalidate(&groups(std::slice::from_ref(&of), "settle")).await.or_say("invalidate")?;
        }
        update.settle(std::slice::from_ref(&of), &invalidated).await?;
        let clocks = on.b.clocks(&name, &invalidated).await.or_say("clocks")?;
        hold!(
            clocks.len() == 2 && clocks.iter().all(|clock| outdates(*clock, stamp)),
            "a value stamped {stamp:?} is valid by {clocks:?} after it (which was disturbed: {is_disturbed})"
        );
    }
    Ok(())
}

async fn settled_is_outdated(on: &Ground) -> Result<(), String> {
    let (name, of, own) = (on.key("settled"), [on.group("settled")], [on.group("settled own")]);
    for _ in 0..5 {
        let update = Update::begin(on, &*on.a, &name).await?;
        let Some(stamp) = update.settle(&of, &own).await? else { continue };
        on.b.invalidate(&groups(&of, "settled")).await.or_say("invalidate")?;
        let clocks = on.a.clocks(&name, &of).await.or_say("clocks")?;
        hold!(outdates(clocks[0], stamp), "a value stamped {stamp:?} is valid by {clocks:?} after the invalidation");
    }
    Ok(())
}
