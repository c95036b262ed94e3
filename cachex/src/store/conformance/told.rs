//! What processes are told of each other.

use super::ground::{Ground, Heard, LONG, OrSay, all, groups, hold, key, notice, outdates, rules, value, within};
use super::updates::Update;
use crate::store::{Group, Invalidation, Notice, Reading, Settling};

rules! {
    "a store without notices does not say that it listens" => no_empty_promises,
    "a notice is heard, or said to be missed" => notices_come,
    "who has heard of an invalidation reads nothing from before" => notices_come_last,
    "an update is told, whether it is written or not" => updates_are_told,
    "who has heard of an update reads nothing from before" => updates_are_told_last,
}

async fn no_empty_promises(on: &Ground) -> Result<(), String> {
    if on.a.has_notices() {
        let listens = async || Ok(on.heard.iter().all(|heard| heard.told().is_listening));
        hold!(within(listens).await?.is_some(), "it has notices, and never says that it listens");
        return Ok(());
    }
    hold!(on.heard.iter().all(|heard| !heard.told().has_listened), "it says so");
    Ok(())
}

/// Waits until a notice was heard, or said to be missed since there were so many of those.
async fn is_heard(heard: &Heard, notice: &Notice, missed: u64) -> Result<(), String> {
    let is_it = |bytes: &Vec<u8>| {
        bytes.len() == notice.head.len() + 8 + notice.tail.len()
            && bytes.starts_with(&notice.head)
            && bytes.ends_with(&notice.tail)
    };
    let is_there = async || {
        let told = heard.told();
        Ok(told.missed > missed || told.notices.iter().any(is_it))
    };
    hold!(within(is_there).await?.is_some(), "`{}` is not", String::from_utf8_lossy(&notice.head));
    Ok(())
}

async fn notices_come(on: &Ground) -> Result<(), String> {
    if !on.a.has_notices() {
        return Ok(());
    }
    let (name, group) = (on.key("told"), [on.group("told")]);
    let missed = on.heard.each_ref().map(|heard| heard.told().missed);
    on.a.invalidate(&groups(&group, "of a group")).await.or_say("invalidate")?;
    on.a.invalidate(&key(&name, "of a key")).await.or_say("invalidate")?;
    on.a.write(&name, value(1), Some(LONG), notice("of a write")).await.or_say("write")?;
    on.a.replace_same(&name, &value(1), value(2), LONG, notice("of a replacement")).await.or_say("replace_same")?;
    on.a.replace_same(&name, &value(1), value(3), LONG, notice("of none")).await.or_say("replace_same")?;
    on.a.publish(notice("of its own")).await.or_say("publish")?;
    for name in ["of a group", "of a key", "of a write", "of a replacement", "of none", "of its own"] {
        for (heard, missed) in on.heard.iter().zip(missed) {
            is_heard(heard, &notice(name), missed).await?;
        }
    }
    let name = on.key("waited for");
    let Some(token) = on.lease(&*on.a, &name, LONG).await? else { return Ok(()) };
    on.lease(&*on.b, &name, LONG).await?;
    if on.a.put(&name, token, value(1), Some(LONG), notice("of a put")).await.or_say("put")? {
        is_heard(&on.heard[1], &notice("of a put"), missed[1]).await?;
    }
    Ok(())
}

async fn notices_come_last(on: &Ground) -> Result<(), String> {
    if !on.a.has_notices() {
        return Ok(());
    }
    let (name, group) = (on.key("last"), [on.group("last")]);
    for round in 0..10 {
        let stamp = on.b.begin(&name, &group, Some(LONG)).await.or_say("begin")?;
        let told = notice(&format!("last {round}"));
        let what = Invalidation { notices: vec![told.clone()], ..groups(&group, "") };
        let tell = async { on.a.invalidate(&what).await.or_say("invalidate").map(drop) };
        let hear = hears_and_reads_nothing_from_before(on, &told, &name, &group, stamp);
        all(vec![Box::pin(tell), Box::pin(hear)]).await?;
    }
    Ok(())
}

async fn hears_and_reads_nothing_from_before(
    on: &Ground,
    told: &Notice,
    name: &str,
    group: &[Group],
    stamp: Reading,
) -> Result<(), String> {
    is_heard(&on.heard[1], told, on.heard[1].told().missed).await?;
    let clocks = on.b.clocks(name, group).await.or_say("clocks")?;
    hold!(outdates(clocks[0], stamp), "a value stamped {stamp:?} is valid by {clocks:?}");
    Ok(())
}

async fn updates_are_told(on: &Ground) -> Result<(), String> {
    if !on.a.has_notices() {
        return Ok(());
    }
    let (name, groups) = (on.key("told of"), [on.group("told of")]);
    for is_disturbed in [false, true] {
        let missed = on.heard.each_ref().map(|heard| heard.told().missed);
        let told = ["a settling", "a write"].map(|what| notice(&format!("of {what} (disturbed: {is_disturbed})")));
        let Update { token, since, .. } = Update::begin(on, &*on.a, &name).await?;
        if is_disturbed {
            let what = Invalidation { groups: groups.to_vec(), keys: vec![(&*name).into()], notices: told.to_vec() };
            let notices = what.notices.iter().map(|_| notice("of what disturbs")).collect();
            on.b.invalidate(&Invalidation { notices, ..what }).await.or_say("invalidate")?;
        }
        let (groups, invalidated) = (groups.to_vec(), vec![on.group("told of it")]);
        let update = Settling { since, groups, life: Some(LONG), invalidated, notice: told[0].clone() };
        on.a.settle(&name, &update).await.or_say("settle")?;
        on.a.write_announced(&name, token, value(1), Some(LONG), told[1].clone()).await.or_say("write_announced")?;
        for told in &told {
            for (heard, missed) in on.heard.iter().zip(missed) {
                is_heard(heard, told, missed).await?;
            }
        }
    }
    Ok(())
}

async fn updates_are_told_last(on: &Ground) -> Result<(), String> {
    if !on.a.has_notices() {
        return Ok(());
    }
    let (name, group) = (on.key("last of an update"), [on.group("last of an update")]);
    for round in 0..10 {
        let told = ["settling", "write"].map(|what| notice(&format!("last {what} {round}")));
        on.b.write(&name, value(1), Some(LONG), notice("last")).await.or_say("write")?;
        let stamp = on.b.begin(&name, &group, Some(LONG)).await.or_say("begin")?;
        let Update { token, since, .. } = Update::begin(on, &*on.a, &name).await?;
        let update =
            Settling { since, groups: Vec::new(), life: None, invalidated: group.to_vec(), notice: told[0].clone() };
        let tell = async { on.a.settle(&name, &update).await.or_say("settle").map(drop) };
        let hear = hears_and_reads_nothing_from_before(on, &told[0], &name, &group, stamp);
        all(vec![Box::pin(tell), Box::pin(hear)]).await?;
        let tell = async {
            let written = told[1].clone();
            on.a.write_announced(&name, token, value(2), None, written).await.or_say("write_announced").map(drop)
        };
        let hear = async {
            is_heard(&on.heard[1], &told[1], on.heard[1].told().missed).await?;
            let read = on.b.read(&name, &[]).await.or_say("read")?.value;
            hold!(read != Some(value(1)), "the value from before the update is read");
            Ok(())
        };
        all(vec![Box::pin(tell), Box::pin(hear)]).await?;
    }
    Ok(())
}
