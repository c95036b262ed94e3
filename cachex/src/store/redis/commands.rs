//! What the store is asked, as commands.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use std::future::Future;

use redis::{Cmd, FromRedisValue, Value};

use super::scripts::{self as script, Script};
use super::{Lane, Redis, Side, Wiring};
use crate::runtime::together;
use crate::store::{
    Ask, Doing, Group, Index, Invalidation, Lease, Listener, MARK, Notice, Read, Reading, Settling, Store, StoreError,
    StoreErrorKind, Structures,
};

/// So many keys are removed at once.
const AT_ONCE: usize = 512;
/// A write that takes longer is not done.
const LONGEST_WRITE: Duration = Duration::from_secs(60);

impl Store for Redis {
    fn structures(&self, _key: &str) -> Option<&dyn Structures> {
        Some(self)
    }

    fn index(&self) -> Option<&dyn Index> {
        Some(self)
    }

    fn start(&self, listener: Arc<dyn Listener>) {
        self.begin_to_work(listener);
    }

    fn warning(&self) -> Option<&'static str> {
        self.warning
    }

    fn is_up(&self) -> bool {
        match self.wiring.get() {
            Some(Wiring::Server { lanes, .. }) => lanes.is_up(),
            Some(Wiring::Cluster(cluster)) => cluster.is_up(),
            None => false,
        }
    }

    fn takes_invalidations(&self) -> bool {
        match self.wiring.get() {
            // What is of no key goes over one connection.
            Some(Wiring::Server { lanes, .. }) => lanes.link(Lane { number: self.number(""), side: Side::Own }).is_up(),
            Some(Wiring::Cluster(cluster)) => cluster.is_up_by(self.number("")),
            None => false,
        }
    }

    fn is_whole(&self) -> bool {
        match self.wiring.get() {
            Some(Wiring::Cluster(cluster)) => cluster.is_whole(),
            _ => self.is_up(),
        }
    }

    fn reaches(&self, key: &str) -> bool {
        match self.wiring.get() {
            Some(Wiring::Server { lanes, .. }) => {
                lanes.link(Lane { number: self.number(key), side: Side::Own }).is_up()
            }
            Some(Wiring::Cluster(cluster)) => cluster.reaches(self.slot(key), [self.number(""), self.number(key)]),
            None => false,
        }
    }

    fn staleness(&self) -> Duration {
        self.means.timing.ping_interval + self.means.timing.command
    }

    fn read<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Read> {
        let value = self.names.value_in_parts(key);
        if self.is_divided() {
            return self.asked(self.read_divided(key, redis::cmd("GET").arg(value).take(), groups));
        }
        let mut command = Cmd::with_capacity(groups.len() + 2, 64 * (groups.len() + 2));
        command.arg("MGET").arg(value);
        groups.iter().for_each(|group| {
            command.arg(self.names.group_in_parts(group));
        });
        self.asked(async move {
            let Value::Array(answers) = self.ask(key, &command).await? else { return Err(unexpected()) };
            let mut answers = answers.into_iter();
            let value = answers.next().and_then(bytes);
            let clocks: Vec<_> = answers.map(|answer| reading(&answer)).collect();
            if clocks.len() == groups.len() { Ok(Read { value, clocks }) } else { Err(unexpected()) }
        })
    }

    fn clocks<'a>(&'a self, _key: &'a str, groups: &'a [Group]) -> Doing<'a, Vec<Option<Reading>>> {
        let command = self.clocks_command(groups);
        self.asked(async move {
            // Of nothing it may not be asked.
            if groups.is_empty() { Ok(Vec::new()) } else { clocks(self.ask("", &command).await?, groups) }
        })
    }

    fn lease<'a>(&'a self, ask: Ask<'a>) -> Doing<'a, Lease> {
        self.asked(async move {
            let arguments = [
                Argument::Number(ask.token),
                Argument::Number(millis(ask.span)),
                Argument::Bytes(ask.seen),
                Argument::Number(MARK.start as u64),
                Argument::Number(MARK.end as u64 - 1),
            ];
            match self.run(ask.key, &script::LEASE_SCRIPT, &self.names_of(ask.key), &arguments).await? {
                Value::Int(0) => Ok(Lease::Held),
                Value::Int(1) => Ok(Lease::Granted),
                Value::Int(2) => Ok(Lease::Stored),
                _ => Err(unexpected()),
            }
        })
    }

    fn begin<'a>(&'a self, _key: &'a str, groups: &'a [Group], life: Option<Duration>) -> Doing<'a, Reading> {
        self.asked(async move {
            let answer = self.run("", &script::BEGIN_SCRIPT, &self.with_clock(groups), &[life_of_group(life)]).await?;
            reading(&answer).ok_or_else(unexpected)
        })
    }

    fn mint<'a>(
        &'a self,
        _key: &'a str,
        groups: &'a [Group],
        since: Reading,
        life: Option<Duration>,
    ) -> Doing<'a, Option<Reading>> {
        self.asked(async move {
            let arguments = [life_of_group(life), Argument::Number(since.0)];
            match self.run("", &script::MINT_SCRIPT, &self.with_clock(groups), &arguments).await? {
                Value::Nil => Ok(None),
                answer => reading(&answer).map(Some).ok_or_else(unexpected),
            }
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        stored: Notice,
    ) -> Doing<'a, bool> {
        self.asked(async move {
            let (channel, notice) = (self.names.channel(), whole(&stored));
            let arguments = [
                Argument::Number(token),
                Argument::Bytes(&value),
                Argument::Number(life.map_or(0, millis)),
                Argument::Bytes(channel.as_bytes()),
                Argument::Bytes(&notice),
            ];
            self.flag(key, &script::PUT_SCRIPT, &self.names_of(key), &arguments).await
        })
    }

    fn renew<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, bool> {
        self.asked(async move {
            let arguments = [Argument::Number(token), Argument::Number(millis(span))];
            self.flag(key, &script::RENEW_SCRIPT, &[self.names.lease(key)], &arguments).await
        })
    }

    fn release<'a>(&'a self, key: &'a str, token: u64) -> Doing<'a, ()> {
        self.asked(async move {
            let _was_ours =
                self.flag(key, &script::RELEASE_SCRIPT, &[self.names.lease(key)], &[Argument::Number(token)]).await?;
            Ok(())
        })
    }

    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>, life: Option<Duration>, written: Notice) -> Doing<'a, ()> {
        self.asked(async move {
            // A command whose connection is given up may still arrive, after what was written or removed since. So it is announced, and does nothing once
            // that is taken away.
            // Break this (write without the note) and what was removed comes back, until it expires.
            let token = self.tokens.fetch_add(1, Ordering::Relaxed);
            self.announce(key, token, LONGEST_WRITE).await?;
            let (channel, notice) = (self.names.channel(), whole(&written));
            let arguments = [
                Argument::Bytes(&value),
                Argument::Number(life.map_or(0, millis)),
                Argument::Bytes(channel.as_bytes()),
                Argument::Bytes(&notice),
                Argument::Number(token),
            ];
            // If it was not due, others were told all the same, and what is there by then is later.
            self.run(key, &script::WRITE_SCRIPT, &self.written_at(key), &arguments).await.map(drop)
        })
    }

    fn takes_updates(&self, _key: &str) -> bool {
        true
    }

    fn announce<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, ()> {
        self.asked(async move {
            let mut command = redis::cmd("SET");
            command.arg(self.names.update(key)).arg(token).arg("PX").arg(millis(span));
            self.send(key, &command).await?;
            Ok(())
        })
    }

    fn settle<'a>(&'a self, _key: &'a str, update: &'a Settling) -> Doing<'a, Option<Reading>> {
        self.asked(async move {
            let channel = self.names.channel();
            let mut keys = self.with_clock(&update.groups);
            keys.extend(update.invalidated.iter().map(|group| self.names.group(group)));
            let arguments = [
                life_of_group(update.life),
                Argument::Number(update.since.0),
                Argument::Number(update.groups.len() as u64),
                Argument::Bytes(channel.as_bytes()),
                Argument::Bytes(&update.notice.head),
                Argument::Bytes(&update.notice.tail),
            ];
            match self.run("", &script::SETTLE_SCRIPT, &keys, &arguments).await? {
                Value::Nil => Ok(None),
                answer => reading(&answer).map(Some).ok_or_else(unexpected),
            }
        })
    }

    fn write_announced<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        written: Notice,
    ) -> Doing<'a, bool> {
        self.asked(async move {
            let (channel, notice) = (self.names.channel(), whole(&written));
            let arguments = [
                Argument::Bytes(&value),
                Argument::Number(life.map_or(0, millis)),
                Argument::Bytes(channel.as_bytes()),
                Argument::Bytes(&notice),
                Argument::Number(token),
            ];
            self.flag(key, &script::WRITE_ANNOUNCED_SCRIPT, &self.written_at(key), &arguments).await
        })
    }

    fn remove_same<'a>(&'a self, key: &'a str, value: &'a [u8]) -> Doing<'a, ()> {
        self.asked(async move {
            let names = [self.names.value(key)];
            self.run(key, &script::REMOVE_SAME_SCRIPT, &names, &[Argument::Bytes(value)]).await.map(drop)
        })
    }

    fn replace_same<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        next: Vec<u8>,
        life: Duration,
        written: Notice,
    ) -> Doing<'a, bool> {
        self.asked(async move {
            let (channel, notice) = (self.names.channel(), whole(&written));
            let arguments = [
                Argument::Bytes(value),
                Argument::Bytes(&next),
                Argument::Number(millis(life)),
                Argument::Bytes(channel.as_bytes()),
                Argument::Bytes(&notice),
            ];
            self.flag(key, &script::REPLACE_SAME_SCRIPT, &[self.names.value(key)], &arguments).await
        })
    }

    fn invalidate<'a>(&'a self, what: &'a Invalidation) -> Doing<'a, Vec<Box<str>>> {
        self.asked(async move {
            let (of_groups, of_keys) = what.told();
            // Break this (do only what others are told of) and an invalidation without notices does nothing.
            let silent = Notice::silent();
            if !what.groups.is_empty() {
                self.invalidate_groups(&what.groups, of_groups.unwrap_or(&silent)).await?;
            }
            // All of a part are on their way at once. Of parts one comes after the other: else so many notices could overtake one another
            // that others would take some for lost.
            let keys: Vec<_> = of_keys.map(|(key, notice)| (key, notice.unwrap_or(&silent))).collect();
            let mut out_of_reach = Vec::new();
            for part in keys.chunks(AT_ONCE) {
                let removing = part.iter().map(|(key, notice)| self.remove_key(key, notice));
                for ((key, _), removed) in part.iter().zip(together(removing).await) {
                    match removed {
                        // Also one that refuses, as for want of room: the other nodes are not to do all of it again for that.
                        Err(_) if self.is_divided() => out_of_reach.push((*key).into()),
                        removed => removed?,
                    }
                }
            }
            Ok(out_of_reach)
        })
    }

    fn remove_all<'a>(&'a self, is_meant: &'a (dyn Fn(&str) -> bool + Send + Sync)) -> Doing<'a, bool> {
        self.asked(self.remove_meant(is_meant))
    }

    fn publish<'a>(&'a self, notice: Notice) -> Doing<'a, ()> {
        self.asked(async move {
            let mut command = redis::cmd("PUBLISH");
            command.arg(self.names.channel()).arg(whole(&notice));
            self.send("", &command).await?;
            Ok(())
        })
    }
}

/// An argument of a script.
pub(super) enum Argument<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl Redis {
    pub(super) fn asked<'a, T>(
        &'a self,
        doing: impl Future<Output = Result<T, StoreError>> + Send + 'a,
    ) -> Doing<'a, T> {
        Box::pin(doing)
    }

    /// Reads a value and the clocks at once, where they are in different slots. Which is read first does not matter: see [`super::cluster`].
    async fn read_divided(&self, key: &str, value: Cmd, groups: &[Group]) -> Result<Read, StoreError> {
        if groups.is_empty() {
            return Ok(Read { value: bytes(self.send(key, &value).await?), clocks: Vec::new() });
        }
        let command = self.clocks_command(groups);
        let mut answers = together([self.ask(key, &value), self.ask("", &command)]).await.into_iter();
        let (Some(value), Some(answer)) = (answers.next(), answers.next()) else { return Err(unexpected()) };
        Ok(Read { value: bytes(value?), clocks: clocks(answer?, groups)? })
    }

    fn clocks_command(&self, groups: &[Group]) -> Cmd {
        let mut command = redis::cmd("MGET");
        groups.iter().for_each(|group| {
            command.arg(self.names.group_in_parts(group));
        });
        command
    }

    async fn invalidate_groups(&self, groups: &[Group], notice: &Notice) -> Result<(), StoreError> {
        let channel = self.names.channel();
        let arguments =
            [Argument::Bytes(channel.as_bytes()), Argument::Bytes(&notice.head), Argument::Bytes(&notice.tail)];
        self.run("", &script::INVALIDATE_SCRIPT, &self.with_clock(groups), &arguments).await.map(drop)
    }

    async fn remove_key(&self, key: &str, notice: &Notice) -> Result<(), StoreError> {
        let (channel, notice) = (self.names.channel(), whole(notice));
        let arguments = [Argument::Bytes(channel.as_bytes()), Argument::Bytes(&notice)];
        self.run(key, &script::REMOVE_SCRIPT, &self.written_at(key), &arguments).await.map(drop)
    }

    fn names_of(&self, key: &str) -> [String; 3] {
        [self.names.value(key), self.names.lease(key), self.names.waiters(key)]
    }

    pub(super) fn written_at(&self, key: &str) -> [String; 4] {
        [self.names.value(key), self.names.lease(key), self.names.waiters(key), self.names.update(key)]
    }

    fn with_clock(&self, groups: &[Group]) -> Vec<String> {
        std::iter::once(self.names.clock()).chain(groups.iter().map(|group| self.names.group(group))).collect()
    }

    /// Runs a script by its digest, and sends it where the server does not know it. `name` is what it is about.
    pub(super) async fn run(
        &self,
        name: &str,
        script: &Script,
        keys: &[String],
        arguments: &[Argument<'_>],
    ) -> Result<Value, StoreError> {
        let command = |name: &str, what: &str| {
            let mut command = redis::cmd(name);
            command.arg(what).arg(keys.len()).arg(keys);
            for argument in arguments {
                match argument {
                    Argument::Number(number) => command.arg(*number),
                    Argument::Bytes(bytes) => command.arg(*bytes),
                };
            }
            command
        };
        let deadline = self.deadline();
        let answer = match self.send_by(deadline, name, &command("EVALSHA", &script.digest)).await {
            Err(error) if error.is_unknown_script() => {
                self.send_by(deadline, name, &command("EVAL", &script.code)).await
            }
            answer => answer,
        };
        Ok(answer?)
    }

    pub(super) async fn flag(
        &self,
        name: &str,
        script: &Script,
        keys: &[String],
        arguments: &[Argument<'_>],
    ) -> Result<bool, StoreError> {
        match self.run(name, script, keys, arguments).await? {
            Value::Int(answer) => Ok(answer == 1),
            _ => Err(unexpected()),
        }
    }
}

/// How long a clock is kept: longer than what depends on it, as loads take time.
fn life_of_group(life: Option<Duration>) -> Argument<'static> {
    const MARGIN: Duration = Duration::from_secs(600);
    Argument::Number(life.map_or(0, |life| millis(life.saturating_add(MARGIN))))
}

/// Returns a span in ms, which is not 0.
pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX).clamp(1, i64::MAX as u64 / 2)
}

/// Returns a notice that needs no clock.
fn whole(notice: &Notice) -> Vec<u8> {
    notice.at(Reading(0))
}

fn bytes(answer: Value) -> Option<Vec<u8>> {
    match answer {
        Value::BulkString(bytes) => Some(bytes),
        _ => None,
    }
}

fn clocks(answer: Value, groups: &[Group]) -> Result<Vec<Option<Reading>>, StoreError> {
    match answer {
        Value::Array(answers) if answers.len() == groups.len() => Ok(answers.iter().map(reading).collect()),
        _ => Err(unexpected()),
    }
}

fn reading(answer: &Value) -> Option<Reading> {
    u64::from_redis_value_ref(answer).ok().map(Reading)
}

pub(super) fn unexpected() -> StoreError {
    StoreError::new(StoreErrorKind::Unknown, "redis gave an answer of another kind than was asked for")
}
