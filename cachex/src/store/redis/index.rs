//! The index: of each tag a sorted set of the keys that have it, of each key its tags, and a sorted set of all tags.
//!
//! The score of a member is when it expires. What has expired is removed by whoever writes, a few at a time and more of them than are added; a set as a whole
//! expires with its last member. So what nobody writes any more goes, and what is written is never much larger than what is alive.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use redis::{FromRedisValue, Value};

use super::commands::{Argument, millis, unexpected};
use super::lanes::{Lane, Side};
use super::scripts::Script;
use super::trouble::LinkError;
use super::{Redis, Wiring};
use crate::runtime::together;
use crate::store::index::{Index, Note, Page};
use crate::store::{Doing, StoreError};

/// So many names are looked at in one step of a walk over all there is, about.
const STEP: usize = 1024;

/// Keys: what is noted of a key. Arguments: what is to be noted, for how long in ms.
const NOTE: &str = r"
local old = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return old
";

/// Keys: what is noted of a key, its value. Arguments: whether that must not be there.
const FORGET: &str = r"
if ARGV[1] == '1' and redis.call('EXISTS', KEYS[2]) == 1 then return 1 end
local old = redis.call('GET', KEYS[1])
if old then redis.call('DEL', KEYS[1]) end
return old
";

/// Keys: a sorted set. Arguments: whether an end may be put earlier; for each member how long it lives in ms, and its name.
///
/// More goes than comes, as long as there is something to go; as much at once as a script can take.
const ADD: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(number) return string.format('%.0f', number) end
local longest = redis.call('PTTL', KEYS[1])
for i = 2, #ARGV, 2 do
  local at = now + tonumber(ARGV[i])
  local known = ARGV[1] == '0' and redis.call('ZSCORE', KEYS[1], ARGV[i + 1])
  if not known or tonumber(known) < at then redis.call('ZADD', KEYS[1], text(at), ARGV[i + 1]) end
  longest = math.max(longest, tonumber(ARGV[i]))
end
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', 0, math.min(#ARGV + 64, 4000))
if #gone > 0 then redis.call('ZREM', KEYS[1], unpack(gone)) end
redis.call('PEXPIRE', KEYS[1], text(longest))
return 1
";

/// Keys: the value. Arguments: what it has to begin with.
const REMOVE_LIKE: &str = r"
if redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])
";

static NOTE_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(NOTE.to_owned()));
static FORGET_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(FORGET.to_owned()));
static ADD_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(ADD.to_owned()));
static REMOVE_LIKE_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(REMOVE_LIKE.to_owned()));

/// Keys by the tags that they have, with how long they have them.
type ByTag<'a> = BTreeMap<&'a str, Vec<(u64, &'a str)>>;

impl Index for Redis {
    fn note<'a>(&'a self, notes: &'a [Note]) -> Doing<'a, ()> {
        self.asked(self.note_all(notes))
    }

    fn forget<'a>(&'a self, keys: &'a [Box<str>], tag: Option<&'a str>) -> Doing<'a, ()> {
        self.asked(async move {
            let forgetting = keys.iter().map(|key| self.forget_one(key, true));
            let mut lost = Vec::new();
            for (key, forgotten) in keys.iter().zip(together(forgetting).await) {
                let Some(tags) = forgotten? else { continue };
                lost.extend(tags.into_iter().map(|tag| (tag, &**key)));
                lost.extend(tag.map(|tag| (tag.into(), &**key)));
            }
            self.drop_members(lost).await
        })
    }

    fn keys<'a>(&'a self, tag: &'a str, from: u64, about: usize) -> Doing<'a, Page> {
        self.asked(self.page(self.names.place_of_tag(tag), from, about))
    }

    fn tags(&self, from: u64, about: usize) -> Doing<'_, Page> {
        self.asked(self.page(self.names.place_of_tags(), from, about))
    }

    fn notes<'a>(&'a self, keys: &'a [Box<str>]) -> Doing<'a, Vec<Option<Note>>> {
        self.asked(async move {
            let asking = keys.iter().map(async |key| {
                let mut command = redis::cmd("GET");
                command.arg(self.names.note(key));
                self.send(key, &command).await
            });
            let mut notes = Vec::new();
            for (key, answer) in keys.iter().zip(together(asking).await) {
                notes.push(match answer? {
                    Value::BulkString(bytes) => read(key, &bytes),
                    _ => None,
                });
            }
            Ok(notes)
        })
    }

    fn counts<'a>(&'a self, tags: &'a [Box<str>]) -> Doing<'a, Vec<u64>> {
        self.asked(async move {
            let asking = tags.iter().map(async |tag| {
                let place = self.names.place_of_tag(tag);
                let mut command = redis::cmd("ZCARD");
                command.arg(self.names.members(&place));
                self.send(&place, &command).await
            });
            together(asking).await.into_iter().map(|answer| number(&answer?)).collect()
        })
    }

    fn len(&self) -> Doing<'_, u64> {
        self.asked(async move {
            let slots = match self.wiring.get() {
                Some(Wiring::Cluster(cluster)) => cluster.slot_of_each().into_iter().map(Some).collect(),
                _ => vec![None],
            };
            let mut count = 0;
            for slot in slots {
                count += self.count(slot).await?;
            }
            Ok(count)
        })
    }

    fn heads<'a>(&'a self, keys: &'a [Box<str>], len: usize) -> Doing<'a, Vec<Vec<u8>>> {
        self.asked(async move {
            let asking = keys.iter().map(async |key| {
                let mut command = redis::cmd("GETRANGE");
                command.arg(self.names.value(key)).arg(0).arg(len.saturating_sub(1));
                self.send(key, &command).await
            });
            let head = |answer: Result<Value, LinkError>| match answer? {
                Value::BulkString(bytes) => Ok(bytes),
                _ => Err(unexpected()),
            };
            together(asking).await.into_iter().map(head).collect()
        })
    }

    fn remove_like<'a>(&'a self, values: &'a [(Box<str>, Vec<u8>)]) -> Doing<'a, u64> {
        self.asked(async move {
            let removing = values.iter().map(async |(key, head)| {
                self.flag(key, &REMOVE_LIKE_SCRIPT, &[self.names.value(key)], &[Argument::Bytes(head)]).await
            });
            let mut removed = 0;
            for answer in together(removing).await {
                removed += u64::from(answer?);
            }
            Ok(removed)
        })
    }
}

impl Redis {
    async fn note_all(&self, notes: &[Note]) -> Result<(), StoreError> {
        // What is noted of the key first: it says where the key is to be forgotten.
        let noting = notes.iter().map(async |note| match note.tags.is_empty() {
            true => self.forget_one(&note.key, false).await.map(Option::unwrap_or_default),
            false => {
                let written = write(note);
                let arguments = [Argument::Bytes(&written), Argument::Number(millis(note.life))];
                let answer = self.run(&note.key, &NOTE_SCRIPT, &[self.names.note(&note.key)], &arguments).await?;
                Ok(tags_in(&note.key, answer))
            }
        });
        let mut lost = Vec::new();
        for (note, known) in notes.iter().zip(together(noting).await) {
            let gone = known?.into_iter().filter(|tag| !note.tags.contains(tag));
            lost.extend(gone.map(|tag| (tag, &*note.key)));
        }
        let (mut by_tag, mut tags) = (ByTag::new(), BTreeMap::<&str, u64>::new());
        for note in notes {
            let life = millis(note.life);
            for tag in &note.tags {
                by_tag.entry(tag).or_default().push((life, &note.key));
                let longest = tags.entry(tag).or_default();
                *longest = life.max(*longest);
            }
        }
        let places = by_tag.iter().map(|(tag, members)| (self.names.place_of_tag(tag), &members[..], true));
        let all: Vec<_> = tags.into_iter().map(|(tag, life)| (life, tag)).collect();
        let all = (!all.is_empty()).then_some((self.names.place_of_tags(), &all[..], false));
        let adding = places.chain(all).map(|(place, members, may_be_earlier)| self.add(place, members, may_be_earlier));
        together(adding).await.into_iter().collect::<Result<(), _>>()?;
        self.drop_members(lost).await
    }

    async fn add(&self, place: String, members: &[(u64, &str)], may_be_earlier: bool) -> Result<(), StoreError> {
        let mut arguments = vec![Argument::Number(u64::from(may_be_earlier))];
        for (life, name) in members {
            arguments.extend([Argument::Number(*life), Argument::Bytes(name.as_bytes())]);
        }
        self.run(&place, &ADD_SCRIPT, &[self.names.members(&place)], &arguments).await.map(drop)
    }

    /// Forgets a key. Returns the tags that it had; nothing if it has a value and must not have one.
    async fn forget_one(&self, key: &str, must_be_gone: bool) -> Result<Option<Vec<Box<str>>>, StoreError> {
        let names = [self.names.note(key), self.names.value(key)];
        let answer = self.run(key, &FORGET_SCRIPT, &names, &[Argument::Number(u64::from(must_be_gone))]).await?;
        Ok(if matches!(answer, Value::Int(_)) { None } else { Some(tags_in(key, answer)) })
    }

    /// Takes keys out of the sets of tags.
    async fn drop_members(&self, lost: Vec<(Box<str>, &str)>) -> Result<(), StoreError> {
        let mut by_tag = BTreeMap::<Box<str>, Vec<&str>>::new();
        for (tag, key) in lost {
            by_tag.entry(tag).or_default().push(key);
        }
        let dropping = by_tag.iter().map(async |(tag, keys)| {
            let place = self.names.place_of_tag(tag);
            let mut command = redis::cmd("ZREM");
            command.arg(self.names.members(&place)).arg(keys);
            self.send(&place, &command).await
        });
        together(dropping).await.into_iter().try_for_each(|dropped| dropped.map(drop))?;
        Ok(())
    }

    async fn page(&self, place: String, from: u64, about: usize) -> Result<Page, StoreError> {
        let mut command = redis::cmd("ZSCAN");
        command.arg(self.names.members(&place)).arg(from).arg("COUNT").arg(about);
        let answer = self.send(&place, &command).await?;
        let (next, names): (u64, Vec<(Vec<u8>, f64)>) =
            FromRedisValue::from_redis_value(answer).map_err(|_| unexpected())?;
        let text = |name| String::from_utf8(name).ok().map(Into::into);
        let names = names.into_iter().filter_map(|(name, until)| Some((text(name)?, until as u64))).collect();
        Ok(Page { names, next })
    }

    /// Counts what is noted of keys at one server: that of a slot.
    async fn count(&self, slot: Option<u16>) -> Result<u64, StoreError> {
        let (pattern, mut cursor, mut count) = (self.names.of_notes(), 0_u64, 0);
        let lane = Lane { side: Side::Own, number: 0 };
        loop {
            let mut command = redis::cmd("SCAN");
            command.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(STEP);
            let answer = match (self.wiring.get(), slot) {
                (Some(Wiring::Cluster(cluster)), Some(slot)) => {
                    cluster.send(slot, lane, &command, self.deadline()).await?
                }
                _ => self.send("", &command).await?,
            };
            let (next, names): (u64, Vec<Vec<u8>>) =
                FromRedisValue::from_redis_value(answer).map_err(|_| unexpected())?;
            count += names.len() as u64;
            if next == 0 {
                return Ok(count);
            }
            cursor = next;
        }
    }
}

fn number(answer: &Value) -> Result<u64, StoreError> {
    u64::from_redis_value_ref(answer).map_err(|_| unexpected())
}

/// Returns the tags of what was noted of a key.
fn tags_in(key: &str, answer: Value) -> Vec<Box<str>> {
    match answer {
        Value::BulkString(bytes) => read(key, &bytes).map(|note| note.tags).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Writes what is noted of a key: the number of its tags, these and the name of the method, each after its length, and the arguments.
fn write(note: &Note) -> Vec<u8> {
    let mut bytes = (note.tags.len() as u32).to_be_bytes().to_vec();
    for text in note.tags.iter().chain([&note.method]) {
        bytes.extend((text.len() as u32).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes.extend(&note.arguments);
    bytes
}

/// Reads it. Nothing if it is something else.
fn read(key: &str, bytes: &[u8]) -> Option<Note> {
    fn length<'a>(bytes: &mut &'a [u8]) -> Option<usize> {
        let (length, rest): (_, &'a [u8]) = bytes.split_first_chunk()?;
        *bytes = rest;
        usize::try_from(u32::from_be_bytes(*length)).ok()
    }
    fn text(bytes: &mut &[u8]) -> Option<Box<str>> {
        let length = length(bytes)?;
        let (text, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        Some(std::str::from_utf8(text).ok()?.into())
    }
    let mut rest = bytes;
    let count = length(&mut rest)?;
    let tags = (0..count).map(|_| text(&mut rest)).collect::<Option<_>>()?;
    let method = text(&mut rest)?;
    Some(Note { key: key.into(), tags, method, arguments: rest.to_vec(), life: Duration::ZERO })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_noted_is_read_as_it_was_written(
            tags in proptest::collection::vec(".{0,12}", 0..4), method in ".{0,12}", arguments: Vec<u8>, cut: proptest::sample::Index,
        ) {
            let tags = tags.into_iter().map(Into::into).collect();
            let note = Note { key: "k".into(), tags, method: method.into(), arguments, life: Duration::ZERO };
            let bytes = write(&note);
            prop_assert_eq!(read("k", &bytes), Some(note));
            let _cut_off = read("k", &bytes[..cut.index(bytes.len())]);
        }

        #[test]
        fn bytes_of_others_are_no_reason_to_panic(bytes: Vec<u8>) {
            let _refused = read("k", &bytes);
        }
    }
}
