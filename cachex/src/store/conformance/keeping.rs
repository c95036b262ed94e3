//! What a store is there for: it has what it was given.

use super::ground::{Ground, LONG, OrSay, SHORT, all, groups, hold, key, notice, outdates, rules, value, within};
use super::updates::Update;
use crate::store::{Ask, Lease, Reading, Store, mark};

rules! {
    "a value that was put is read" => put_is_read,
    "a value that was written by hand is read" => written_is_read,
    "a group that was begun with has a clock" => groups_are_kept,
    "a load that found out its groups is stamped" => found_out_groups_are_stamped,
    "other groups stay valid" => other_groups_stay_valid,
    "a lease has one holder" => one_holder,
    "of many who ask at once one gets the lease" => one_of_many,
    "a lease that is renewed holds" => renewal_holds,
    "who asks for a lease is told of another value" => another_value_is_told,
    "a value that is too short to tell keeps nobody from the lease" => short_values_have_no_mark,
    "exactly the value that is named is removed or replaced" => the_same_is_changed,
    "an update that nothing has disturbed is written" => undisturbed_updates_are_written,
    "an update is not disturbed by what it invalidates itself" => own_invalidations_do_not_disturb,
}

async fn put_is_read(on: &Ground) -> Result<(), String> {
    for life in [Some(LONG), None] {
        let (name, group) = (on.key(&format!("kept {life:?}")), [on.group("kept")]);
        let token = on.granted(&*on.a, &name).await?;
        let stamp = on.a.begin(&name, &group, life).await.or_say("begin")?;
        let put = on.a.put(&name, token, value(5), life, notice("kept")).await.or_say("put")?;
        hold!(put, "it was refused, though its load has the lease");
        for store in [&on.a, &on.b] {
            let read = store.read(&name, &group).await.or_say("read")?;
            hold!(read.value == Some(value(5)), "it is not there (kept for {life:?})");
            hold!(
                !outdates(read.clocks[0], stamp),
                "it is not valid: stamped {stamp:?}, the clock is {:?}",
                read.clocks
            );
        }
        on.granted(&*on.b, &on.key("another")).await.ok();
    }
    Ok(())
}

async fn written_is_read(on: &Ground) -> Result<(), String> {
    let name = on.key("by hand");
    for number in 0..3 {
        on.a.write(&name, value(number), Some(LONG), notice("by hand")).await.or_say("write")?;
        let read = on.b.read(&name, &[]).await.or_say("read")?.value;
        hold!(read == Some(value(number)), "it is not there, or is another one");
    }
    Ok(())
}

async fn groups_are_kept(on: &Ground) -> Result<(), String> {
    let (name, groups) = (on.key("has"), [on.group("has 1"), on.group("has 2")]);
    let first = on.a.begin(&name, &groups, Some(LONG)).await.or_say("begin")?;
    let clocks = on.b.clocks(&name, &groups).await.or_say("clocks")?;
    hold!(clocks.iter().all(Option::is_some), "they are {clocks:?}");
    on.b.begin(&name, &groups, None).await.or_say("begin")?;
    let again = on.a.clocks(&name, &groups).await.or_say("clocks")?;
    hold!(
        again.iter().all(|clock| clock.is_some_and(|at| at <= first)),
        "begun with again, it is {again:?} and not {clocks:?}"
    );
    Ok(())
}

async fn found_out_groups_are_stamped(on: &Ground) -> Result<(), String> {
    let (name, group) = (on.key("found out"), [on.group("found out")]);
    let is_minted = async || {
        // The first time a store may have to make the group known.
        let since = on.a.begin(&name, &[], Some(LONG)).await.or_say("begin")?;
        let Some(stamp) = on.a.mint(&name, &group, since, Some(LONG)).await.or_say("mint")? else { return Ok(false) };
        let clocks = on.b.clocks(&name, &group).await.or_say("clocks")?;
        Ok(!outdates(clocks[0], stamp))
    };
    hold!(within(is_minted).await?.is_some(), "it never is, though nothing is invalidated");
    Ok(())
}

async fn other_groups_stay_valid(on: &Ground) -> Result<(), String> {
    let (name, one, other) = (on.key("other"), [on.group("one")], [on.group("other")]);
    let stamp: Reading = on.a.begin(&name, &other, Some(LONG)).await.or_say("begin")?;
    on.a.begin(&name, &one, Some(LONG)).await.or_say("begin")?;
    on.b.invalidate(&groups(&one, "other")).await.or_say("invalidate")?;
    let clocks = on.a.clocks(&name, &other).await.or_say("clocks")?;
    hold!(
        !outdates(clocks[0], stamp),
        "a value stamped {stamp:?} is outdated by {clocks:?}, of a group that was not invalidated"
    );
    Ok(())
}

async fn one_holder(on: &Ground) -> Result<(), String> {
    let name = on.key("holder");
    let token = on.granted(&*on.a, &name).await?;
    for store in [&on.a, &on.b] {
        hold!(on.lease(&**store, &name, LONG).await?.is_none(), "a second one got it");
    }
    on.b.release(&name, on.token()).await.or_say("release")?;
    hold!(
        on.lease(&*on.b, &name, LONG).await?.is_none(),
        "one that does not have it gave it back, and a second one got it"
    );
    on.a.release(&name, token).await.or_say("release")?;
    hold!(on.lease(&*on.b, &name, LONG).await?.is_some(), "it was given back, and nobody else gets it");
    on.a.invalidate(&key(&name, "holder")).await.or_say("invalidate")?;
    hold!(on.lease(&*on.a, &name, LONG).await?.is_some(), "the key was removed, and nobody else gets it");
    Ok(())
}

async fn one_of_many(on: &Ground) -> Result<(), String> {
    for round in 0..5 {
        let name = on.key(&format!("many {round}"));
        let granted = std::cell::Cell::new(0);
        let ask = async |at: usize| {
            let store = if at.is_multiple_of(2) { &on.a } else { &on.b };
            if on.lease(&**store, &name, LONG).await?.is_some() {
                granted.set(granted.get() + 1);
            }
            Ok(())
        };
        all((0..8).map(|at| Box::pin(ask(at)) as _).collect()).await?;
        hold!(granted.get() == 1, "{} of 8 got it", granted.get());
    }
    Ok(())
}

async fn renewal_holds(on: &Ground) -> Result<(), String> {
    let (name, other) = (on.key("renewed"), on.key("not renewed"));
    let held = on.lease(&*on.a, &name, 5 * SHORT).await?;
    let token = held.ok_or("a lease that nobody holds was not granted")?;
    on.lease(&*on.a, &other, 5 * SHORT).await?;
    hold!(on.a.renew(&name, token, LONG).await.or_say("renew")?, "the holder can't renew it");
    hold!(!on.b.renew(&name, on.token(), LONG).await.or_say("renew")?, "another one can renew it");
    // Until one of the same span has ended.
    let has_ended = async || Ok(on.lease(&*on.b, &other, LONG).await?.is_some());
    hold!(within(has_ended).await?.is_some(), "one that was not renewed does not end");
    let put = on.a.put(&name, token, value(1), Some(LONG), notice("renewed")).await.or_say("put")?;
    hold!(put, "it has ended");
    Ok(())
}

async fn another_value_is_told(on: &Ground) -> Result<(), String> {
    let name = on.key("seen");
    on.a.write(&name, value(1), Some(LONG), notice("seen")).await.or_say("write")?;
    let ask = |number| {
        let seen = value(number);
        let token = on.token();
        let name = &name;
        async move { on.b.lease(Ask { key: name, token, span: LONG, seen: mark(&seen) }).await.or_say("lease") }
    };
    let lease = ask(2).await?;
    hold!(lease == Lease::Stored, "another value than the one that was seen is there, and the answer is {lease:?}");
    let lease = ask(1).await?;
    hold!(lease == Lease::Granted, "the value that was seen is there, and the answer is {lease:?}");
    let read = on.a.read(&name, &[]).await.or_say("read")?.value;
    hold!(read == Some(value(1)), "the value is gone for the lease");
    Ok(())
}

async fn short_values_have_no_mark(on: &Ground) -> Result<(), String> {
    for len in [0, 16, 17, 20, 31] {
        let name = on.key(&format!("short {len}"));
        on.a.write(&name, vec![7; len], Some(LONG), notice("short")).await.or_say("write")?;
        let granted = on.lease(&*on.b, &name, LONG).await?;
        hold!(granted.is_some(), "one of {len} bytes has no mark, and who has seen that does not get the lease");
    }
    Ok(())
}

async fn the_same_is_changed(on: &Ground) -> Result<(), String> {
    let name = on.key("same");
    let read = async || Ok::<_, String>(on.b.read(&name, &[]).await.or_say("read")?.value);
    on.a.write(&name, value(1), Some(LONG), notice("same")).await.or_say("write")?;
    on.b.remove_same(&name, &value(2)).await.or_say("remove_same")?;
    hold!(read().await? == Some(value(1)), "another value was removed");
    let replaced = on.b.replace_same(&name, &value(1), value(3), LONG, notice("same")).await.or_say("replace_same")?;
    hold!(replaced && read().await? == Some(value(3)), "it was not replaced");
    on.a.remove_same(&name, &value(3)).await.or_say("remove_same")?;
    hold!(read().await?.is_none(), "it was not removed");
    Ok(())
}

/// Whether a store takes updates: it need not, and then says so before and of each of them.
async fn takes_updates(on: &Ground, store: &dyn Store) -> Result<bool, String> {
    let name = on.key("takes updates");
    let says = store.takes_updates(&name);
    let does = Update::begin(on, store, &name).await?.write(1, Some(LONG)).await?;
    hold!(
        says == does,
        "it says of itself that it takes updates: {says}; and of one that was announced that it was written: {does}"
    );
    Ok(does)
}

async fn undisturbed_updates_are_written(on: &Ground) -> Result<(), String> {
    if !takes_updates(on, &*on.a).await? {
        return Ok(());
    }
    for life in [Some(LONG), None] {
        let (name, other) = (on.key(&format!("update {life:?}")), on.key("beside an update"));
        on.a.write(&name, value(1), Some(LONG), notice("update")).await.or_say("write")?;
        on.b.announce(&name, on.token(), LONG).await.or_say("announce")?;
        let update = Update::begin(on, &*on.a, &name).await?;
        // None of this is a reason against it.
        on.b.read(&name, &[]).await.or_say("read")?;
        let (token, seen) = (on.token(), value(1));
        let ask = Ask { key: &name, token, span: LONG, seen: mark(&seen) };
        on.b.lease(ask).await.or_say("lease")?;
        on.b.renew(&name, token, LONG).await.or_say("renew")?;
        on.b.release(&name, token).await.or_say("release")?;
        on.b.write(&other, value(2), Some(LONG), notice("update")).await.or_say("write")?;
        on.b.invalidate(&key(&other, "update")).await.or_say("invalidate")?;
        on.b.announce(&other, on.token(), LONG).await.or_say("announce")?;
        on.b.invalidate(&groups(&[on.group("beside an update")], "update")).await.or_say("invalidate")?;
        hold!(update.write(5, life).await?, "one was written, and this one is not");
        for store in [&on.a, &on.b] {
            let read = store.read(&name, &[]).await.or_say("read")?.value;
            hold!(read == Some(value(5)), "it is not there (kept for {life:?})");
        }
    }
    Ok(())
}

async fn own_invalidations_do_not_disturb(on: &Ground) -> Result<(), String> {
    if !takes_updates(on, &*on.a).await? {
        return Ok(());
    }
    let (name, of) = (on.key("own"), [on.group("own 1"), on.group("own 2")]);
    on.a.begin(&name, &of[..1], Some(LONG)).await.or_say("begin")?;
    let is_settled = async || {
        // The first time a store may have to make a group known.
        let update = Update::begin(on, &*on.a, &name).await?;
        let Some(stamp) = update.settle(&of, &[on.group("own 1"), on.group("own 3")]).await? else { return Ok(false) };
        let clocks = on.b.clocks(&name, &of).await.or_say("clocks")?;
        hold!(
            clocks.iter().all(|clock| !outdates(*clock, stamp)),
            "a value stamped {stamp:?} is not valid by {clocks:?}"
        );
        Ok(true)
    };
    hold!(within(is_settled).await?.is_some(), "it is never settled, though nobody else invalidates anything");
    Ok(())
}
