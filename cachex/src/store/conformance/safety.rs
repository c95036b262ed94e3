//! What must hold whatever a store loses: nothing wrong is taken for valid.

use super::ground::{Ground, LONG, OrSay, SHORT, groups, hold, key, notice, outdates, rules, value, within};
use crate::store::{Invalidation, Reading};

rules! {
    "the clock never goes back" => clock_never_goes_back,
    "an invalidation steps the clock" => an_invalidation_steps_the_clock,
    "a group without a clock is a miss" => unknown_groups_are_misses,
    "a group gets a clock that is not above the load's" => begin_gives_clocks,
    "an invalidation outdates what was stamped before" => invalidations_outdate,
    "an invalidation of a group without a clock outdates what was stamped before" => unknown_groups_are_outdated,
    "an invalidation that tells nobody is one all the same" => untold_invalidations_count,
    "mint refuses what was invalidated since" => mint_refuses,
    "mint gives a stamp that is enough" => mint_is_enough,
    "nothing is put without the lease" => no_put_without_lease,
    "a lease is for one put" => a_lease_is_for_one_put,
    "the removal of a key takes its value and its lease" => removals_fence,
    "the removal of all keys of some kind takes their values and leases" => removals_of_all_fence,
    "a write by hand takes the lease" => writes_fence,
    "a lease that has ended is of no use" => leases_end,
    "a value that has ended is not read" => values_end,
    "what is removed is not replaced" => nothing_comes_back,
    "keys and groups are told apart, whatever their names" => names_are_apart,
    "a value is read as it was written" => values_are_whole,
}

async fn clock_never_goes_back(on: &Ground) -> Result<(), String> {
    let mut last = Reading(0);
    for round in 0..50 {
        let group = on.group(&format!("back {}", round % 3));
        let (one, other) = if round % 2 == 0 { (&on.a, &on.b) } else { (&on.b, &on.a) };
        let begun = one.begin("back", std::slice::from_ref(&group), Some(LONG)).await.or_say("begin")?;
        hold!(begun >= last, "a reading is {begun:?} after {last:?}");
        last = begun;
        other.invalidate(&groups(&[group], "back")).await.or_say("invalidate")?;
    }
    Ok(())
}

async fn an_invalidation_steps_the_clock(on: &Ground) -> Result<(), String> {
    let key = on.key("step");
    let before = on.a.begin(&key, &[], Some(LONG)).await.or_say("begin")?;
    on.b.invalidate(&groups(&[on.group("step")], "step")).await.or_say("invalidate")?;
    let after = on.a.begin(&key, &[on.group("stepped")], Some(LONG)).await.or_say("begin")?;
    let clock = on.a.clocks(&key, &[on.group("stepped")]).await.or_say("clocks")?;
    // A store that has no clock at all never lets anything be valid.
    hold!(after > before || clock == [None], "it is {after:?} after it was {before:?}");
    Ok(())
}

async fn unknown_groups_are_misses(on: &Ground) -> Result<(), String> {
    let (key, unknown) = (on.key("unknown"), [on.group("unknown 1"), on.group("unknown 2")]);
    on.a.write(&key, value(1), Some(LONG), notice("unknown")).await.or_say("write")?;
    let clocks = on.b.clocks(&key, &unknown).await.or_say("clocks")?;
    hold!(clocks == [None, None], "`clocks` of two groups that nobody has heard of are {clocks:?}");
    let clocks = on.b.read(&key, &unknown).await.or_say("read")?.clocks;
    hold!(clocks == [None, None], "`read` gives {clocks:?} for two groups that nobody has heard of");
    let none = (on.a.clocks(&key, &[]).await.or_say("clocks")?, on.b.read(&key, &[]).await.or_say("read")?.clocks);
    hold!(none.0.is_empty() && none.1.is_empty(), "of no groups the clocks are {none:?}");
    Ok(())
}

async fn begin_gives_clocks(on: &Ground) -> Result<(), String> {
    let (key, group) = (on.key("begin"), [on.group("begin")]);
    let stamp = on.a.begin(&key, &group, Some(LONG)).await.or_say("begin")?;
    let clocks = on.b.clocks(&key, &group).await.or_say("clocks")?;
    hold!(
        clocks.iter().flatten().all(|clock| *clock <= stamp),
        "the clock is {clocks:?} and the load's stamp {stamp:?}"
    );
    Ok(())
}

async fn invalidations_outdate(on: &Ground) -> Result<(), String> {
    let (name, all) = (on.key("outdate"), [on.group("outdate 1"), on.group("outdate 2")]);
    for round in 0..20 {
        let stamp = on.a.begin(&name, &all, Some(LONG)).await.or_say("begin")?;
        on.b.invalidate(&groups(&all, "outdate")).await.or_say("invalidate")?;
        let (of_clocks, of_read) =
            (on.a.clocks(&name, &all).await.or_say("clocks")?, on.a.read(&name, &all).await.or_say("read")?.clocks);
        hold!(of_clocks.len() == 2 && of_read.len() == 2, "two groups have {} clocks", of_read.len());
        let is_outdated = of_clocks.iter().chain(&of_read).all(|clock| outdates(*clock, stamp));
        hold!(
            is_outdated,
            "in round {round} a value stamped {stamp:?} is valid by {of_clocks:?} and {of_read:?} after the invalidation"
        );
    }
    Ok(())
}

async fn unknown_groups_are_outdated(on: &Ground) -> Result<(), String> {
    let (name, group) = (on.key("late"), [on.group("late")]);
    let stamp = on.a.begin(&name, &[], Some(LONG)).await.or_say("begin")?;
    on.b.invalidate(&groups(&group, "late")).await.or_say("invalidate")?;
    on.a.begin(&name, &group, Some(LONG)).await.or_say("begin")?;
    let clocks = on.b.clocks(&name, &group).await.or_say("clocks")?;
    hold!(clocks.iter().all(|clock| outdates(*clock, stamp)), "a stamp of {stamp:?} is enough for {clocks:?}");
    Ok(())
}

async fn untold_invalidations_count(on: &Ground) -> Result<(), String> {
    let (names, group) = ([on.key("untold 1"), on.key("untold 2")], [on.group("untold")]);
    for name in &names {
        on.a.write(name, value(1), Some(LONG), notice("untold")).await.or_say("write")?;
    }
    let stamp = on.a.begin(&names[0], &group, Some(LONG)).await.or_say("begin")?;
    let keys = names.iter().map(|name| (&**name).into()).collect();
    let what = Invalidation { groups: group.to_vec(), keys, notices: Vec::new() };
    on.b.invalidate(&what).await.or_say("invalidate")?;
    let clocks = on.a.clocks(&names[0], &group).await.or_say("clocks")?;
    hold!(outdates(clocks[0], stamp), "a value stamped {stamp:?} is valid by {clocks:?} after it");
    for name in &names {
        let read = on.a.read(name, &[]).await.or_say("read")?.value;
        hold!(read.is_none(), "the value is still read after the key was removed");
    }
    Ok(())
}

async fn mint_refuses(on: &Ground) -> Result<(), String> {
    let (name, known, unknown) = (on.key("refuse"), on.group("refuse 1"), on.group("refuse 2"));
    on.a.begin(&name, std::slice::from_ref(&known), Some(LONG)).await.or_say("begin")?;
    for group in [known, unknown] {
        let since = on.a.begin(&name, &[], Some(LONG)).await.or_say("begin")?;
        let group = [group];
        on.b.invalidate(&groups(&group, "refuse")).await.or_say("invalidate")?;
        let minted = on.a.mint(&name, &group, since, Some(LONG)).await.or_say("mint")?;
        hold!(minted.is_none(), "it gives {minted:?} for a load that began at {since:?}");
    }
    Ok(())
}

async fn mint_is_enough(on: &Ground) -> Result<(), String> {
    let (name, group) = (on.key("mint"), [on.group("mint")]);
    // Once to let it be known, if the store needs that.
    for _ in 0..2 {
        let since = on.a.begin(&name, &[], Some(LONG)).await.or_say("begin")?;
        let Some(stamp) = on.a.mint(&name, &group, since, Some(LONG)).await.or_say("mint")? else { continue };
        hold!(stamp >= since, "a load that began at {since:?} is stamped {stamp:?}");
        let clocks = on.b.clocks(&name, &group).await.or_say("clocks")?;
        hold!(clocks.iter().flatten().all(|clock| *clock <= stamp), "the clock is {clocks:?} and the stamp {stamp:?}");
    }
    Ok(())
}

async fn no_put_without_lease(on: &Ground) -> Result<(), String> {
    let name = on.key("put");
    let put = on.a.put(&name, on.token(), value(1), Some(LONG), notice("put")).await.or_say("put")?;
    hold!(!put, "what nobody had a lease for was put");
    let held = on.lease(&*on.a, &name, LONG).await?;
    let put = on.b.put(&name, on.token(), value(2), Some(LONG), notice("put")).await.or_say("put")?;
    hold!(!put, "somebody put a value while another one had the lease");
    if let Some(token) = held {
        on.b.release(&name, on.token()).await.or_say("release")?;
        on.a.release(&name, token).await.or_say("release")?;
        let put = on.a.put(&name, token, value(3), Some(LONG), notice("put")).await.or_say("put")?;
        hold!(!put, "a value was put after its lease was given back");
    }
    let read = on.b.read(&name, &[]).await.or_say("read")?.value;
    hold!(read.is_none(), "a value is there that was refused");
    Ok(())
}

async fn a_lease_is_for_one_put(on: &Ground) -> Result<(), String> {
    let name = on.key("once");
    let Some(token) = on.lease(&*on.a, &name, LONG).await? else { return Ok(()) };
    let _first = on.a.put(&name, token, value(1), Some(LONG), notice("once")).await.or_say("put")?;
    let again = on.a.put(&name, token, value(2), Some(LONG), notice("once")).await.or_say("put")?;
    hold!(!again, "a second value was put with it");
    let renewed = on.a.renew(&name, token, LONG).await.or_say("renew")?;
    let again = on.a.put(&name, token, value(3), Some(LONG), notice("once")).await.or_say("put")?;
    hold!(!again, "it was renewed ({renewed}) after the put, and a second value was put with it");
    Ok(())
}

async fn removals_fence(on: &Ground) -> Result<(), String> {
    let name = on.key("remove");
    for is_there in [false, true] {
        if is_there {
            on.a.write(&name, value(1), Some(LONG), notice("remove")).await.or_say("write")?;
        }
        let seen = on.a.read(&name, &[]).await.or_say("read")?.value.unwrap_or_default();
        let token = on.token();
        let ask = crate::store::Ask { key: &name, token, span: LONG, seen: crate::store::mark(&seen) };
        let _granted = on.a.lease(ask).await.or_say("lease")?;
        on.b.invalidate(&key(&name, "remove")).await.or_say("invalidate")?;
        for store in [&on.a, &on.b] {
            let read = store.read(&name, &[]).await.or_say("read")?.value;
            hold!(read.is_none(), "the value is still read after the key was removed");
        }
        let put = on.a.put(&name, token, value(2), Some(LONG), notice("remove")).await.or_say("put")?;
        hold!(!put, "a load that began before the key was removed was put after it (with a value there: {is_there})");
        let read = on.b.read(&name, &[]).await.or_say("read")?.value;
        hold!(read.is_none(), "a value is there after the key was removed");
    }
    Ok(())
}

async fn removals_of_all_fence(on: &Ground) -> Result<(), String> {
    let [there, leased] = [on.key("all 1"), on.key("all 2")];
    on.a.write(&there, value(1), Some(LONG), notice("all")).await.or_say("write")?;
    let token = on.lease(&*on.a, &leased, LONG).await?;
    let meant = [&*there, &*leased];
    if !on.b.remove_all(&|name| meant.contains(&name)).await.or_say("remove_all")? {
        return Ok(());
    }
    for store in [&on.a, &on.b] {
        let read = store.read(&there, &[]).await.or_say("read")?.value;
        hold!(read.is_none(), "a value is still read after its key was removed with others");
    }
    if let Some(token) = token {
        let put = on.a.put(&leased, token, value(2), Some(LONG), notice("all")).await.or_say("put")?;
        hold!(!put, "a load that began before its key was removed with others was put after it");
    }
    Ok(())
}

async fn writes_fence(on: &Ground) -> Result<(), String> {
    let name = on.key("write");
    let Some(token) = on.lease(&*on.a, &name, LONG).await? else { return Ok(()) };
    on.b.write(&name, value(7), Some(LONG), notice("write")).await.or_say("write")?;
    let put = on.a.put(&name, token, value(8), Some(LONG), notice("write")).await.or_say("put")?;
    hold!(!put, "a load that began before the write was put after it");
    let read = on.a.read(&name, &[]).await.or_say("read")?.value;
    hold!(read.is_none_or(|read| read == value(7)), "the value is not the one that was written");
    Ok(())
}

async fn leases_end(on: &Ground) -> Result<(), String> {
    let name = on.key("end of a lease");
    let Some(first) = on.lease(&*on.a, &name, SHORT).await? else { return Ok(()) };
    let is_granted = async || Ok(on.lease(&*on.b, &name, LONG).await?.is_some());
    hold!(within(is_granted).await?.is_some(), "nobody else gets it");
    let put = on.a.put(&name, first, value(1), Some(LONG), notice("end")).await.or_say("put")?;
    hold!(!put, "a value was put with it");
    Ok(())
}

async fn values_end(on: &Ground) -> Result<(), String> {
    let (name, by_hand) = (on.key("end of a value"), on.key("end of a value by hand"));
    on.b.write(&by_hand, value(1), Some(SHORT), notice("end")).await.or_say("write")?;
    if let Some(token) = on.lease(&*on.a, &name, LONG).await? {
        on.a.put(&name, token, value(1), Some(SHORT), notice("end")).await.or_say("put")?;
    }
    let are_gone = async || {
        let (one, other) =
            (on.b.read(&name, &[]).await.or_say("read")?, on.a.read(&by_hand, &[]).await.or_say("read")?);
        Ok(one.value.is_none() && other.value.is_none())
    };
    hold!(within(are_gone).await?.is_some(), "it is still there");
    Ok(())
}

async fn nothing_comes_back(on: &Ground) -> Result<(), String> {
    let name = on.key("replace");
    on.a.write(&name, value(1), Some(LONG), notice("replace")).await.or_say("write")?;
    let other = on.b.replace_same(&name, &value(2), value(3), LONG, notice("replace")).await.or_say("replace_same")?;
    hold!(!other, "a value was replaced that is not the one which was named");
    on.b.invalidate(&key(&name, "replace")).await.or_say("invalidate")?;
    let gone = on.a.replace_same(&name, &value(1), value(4), LONG, notice("replace")).await.or_say("replace_same")?;
    hold!(!gone, "a value was replaced that is not there");
    let read = on.b.read(&name, &[]).await.or_say("read")?.value;
    hold!(read.is_none(), "a value is there after the key was removed");
    Ok(())
}

async fn names_are_apart(on: &Ground) -> Result<(), String> {
    let long = "x".repeat(400);
    let names =
        ["a", "A", "a b", "a:b", "a/../b", "ä\u{0}\n", "", "*", &long, &format!("{long}y")].map(|name| on.key(name));
    for (number, name) in names.iter().enumerate() {
        on.a.write(name, value(number as u64), Some(LONG), notice("names")).await.or_say("write")?;
    }
    for (number, name) in names.iter().enumerate() {
        let read = on.b.read(name, &[]).await.or_say("read")?.value;
        hold!(read.is_none_or(|read| read == value(number as u64)), "the value of another key is read");
    }
    let all = names.each_ref().map(|name| crate::store::Group::tag(name));
    let stamp = on.a.begin("names", &all, Some(LONG)).await.or_say("begin")?;
    for at in 0..all.len() {
        on.b.invalidate(&groups(&all[at..=at], "names")).await.or_say("invalidate")?;
        let clocks = on.a.clocks("names", &all).await.or_say("clocks")?;
        let are_right = clocks.iter().enumerate().all(|(other, clock)| {
            if other <= at { outdates(*clock, stamp) } else { clock.is_none_or(|clock| clock <= stamp) }
        });
        hold!(are_right, "the invalidation of one group is one of another");
    }
    Ok(())
}

async fn values_are_whole(on: &Ground) -> Result<(), String> {
    let name = on.key("whole");
    let all: Vec<u8> = (0..=255).collect();
    for written in [b"\r\nEND\r\n".to_vec(), all.clone(), all.repeat(400), Vec::new()] {
        on.a.write(&name, written.clone(), Some(LONG), notice("whole")).await.or_say("write")?;
        let read = on.b.read(&name, &[]).await.or_say("read")?.value;
        hold!(read.is_none_or(|read| read == written), "{} bytes are read otherwise", written.len());
    }
    Ok(())
}
