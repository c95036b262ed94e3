//! What processes are told of each other.

use super::ground::{Ground, Heard, LONG, OrSay, groups, hold, key, notice, outdates, rules, value, within};
use crate::store::Notice;

rules! {
    "a store without notices does not say that it listens" => no_empty_promises,
    "a notice is heard, or said to be missed" => notices_come,
    "who has heard of an invalidation reads nothing from before" => notices_come_last,
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
        let (told, missed) = (notice(&format!("last {round}")), on.heard[1].told().missed);
        let what = crate::store::Invalidation { notices: vec![told.clone()], ..groups(&group, "") };
        let tell = async { on.a.invalidate(&what).await.or_say("invalidate").map(drop) };
        let hear = async {
            is_heard(&on.heard[1], &told, missed).await?;
            let clocks = on.b.clocks(&name, &group).await.or_say("clocks")?;
            hold!(outdates(clocks[0], stamp), "a value stamped {stamp:?} is valid by {clocks:?}");
            Ok(())
        };
        super::ground::all(vec![Box::pin(tell), Box::pin(hear)]).await?;
    }
    Ok(())
}
