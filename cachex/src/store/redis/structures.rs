//! Counters, lists, sets, hashes and locks: those that Redis has itself. What has to look before it acts is a script.

use std::sync::LazyLock;
use std::time::Duration;

use redis::{Cmd, Value};

use super::Redis;
use super::commands::{Argument, millis, unexpected};
use super::scripts::Script;
use crate::store::{Doing, StoreError, Structures};
use crate::structure::{Answer, MEMORY_OF_TOKENS, Operation};

/// Refuses what is there if it is of another kind, in the same words in all versions of the server.
const KIND: &str = r"
local function other() return redis.error_reply('WRONGTYPE another kind') end
local there = redis.call('TYPE', KEYS[1]).ok
local function begin(life)
  if there == 'none' and life ~= '0' then redis.call('PEXPIRE', KEYS[1], life) end
end
";

/// Keys: the counter. Arguments: how long it lives in ms or 0, what is added.
///
/// The answer is text: as a number of Lua it would lose its last digits.
const COUNT: &str = r"
if there ~= 'none' and there ~= 'string' then return other() end
for i = 2, #ARGV do
  local done = redis.pcall('INCRBY', KEYS[1], ARGV[i])
  if type(done) == 'table' and done.err then
    if string.find(done.err, 'not an integer', 1, true) then return other() end
    if not string.find(done.err, 'overflow', 1, true) then return done end
    local stop = string.sub(ARGV[i], 1, 1) == '-' and '-9223372036854775808' or '9223372036854775807'
    redis.call('SET', KEYS[1], stop, 'KEEPTTL')
  end
end
begin(ARGV[1])
return redis.call('GET', KEYS[1])
";

/// Keys: the list. Arguments: how long it lives in ms or 0, the item.
const PUSH: &str = r"
if there ~= 'none' and there ~= 'list' then return other() end
local length = redis.call('RPUSH', KEYS[1], ARGV[2])
begin(ARGV[1])
return length
";

/// Keys: the list. Arguments: what the item has to begin with.
const POP: &str = r"
if there == 'none' then return false end
if there ~= 'list' then return other() end
if string.sub(redis.call('LINDEX', KEYS[1], 0), 1, #ARGV[1]) ~= ARGV[1] then return other() end
return redis.call('LPOP', KEYS[1])
";

/// Keys: the set. Arguments: how long it lives in ms or 0, the member.
const ADD: &str = r"
if there ~= 'none' and there ~= 'set' then return other() end
local added = redis.call('SADD', KEYS[1], ARGV[2])
begin(ARGV[1])
return added
";

/// Keys: the hash. Arguments: how long it lives in ms or 0, the field, its value.
const PUT: &str = r"
if there ~= 'none' and there ~= 'hash' then return other() end
local added = redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
begin(ARGV[1])
return added
";

/// How many ms a token is ahead of the time, as after the clock was set back: it is remembered for longer by that, up to a year.
const AHEAD: &str = r"
local function ahead(token)
  local now = redis.call('TIME')
  return math.min(math.max(math.ceil((token - now[1] * 1000000 - now[2]) / 1000), 0), 31536000000)
end
";

/// Keys: the lock, its last token. Arguments: the owner, the span in ms, how long the token is remembered in ms.
///
/// The token is above the last one, and not below the time: so tokens grow also if the last one was lost.
const LOCK: &str = r"
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
local now = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local token = math.max(now[1] * 1000000 + now[2], last + 1)
local text = string.format('%.0f', token)
redis.call('SET', KEYS[2], text, 'PX', string.format('%.0f', ARGV[3] + ahead(token)))
return text
";

/// Keys: the lock, its last token. Arguments: as for a lock. The end is never put earlier.
const EXTEND: &str = r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[2], ARGV[3]) end
return 1
";

/// Keys: the lock, its last token. Arguments: the owner, how long the token is remembered in ms.
///
/// From now on, and not from when the lock would have ended: each key that was ever locked takes room for so long.
const UNLOCK: &str = r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local token = tonumber(redis.call('GET', KEYS[2]) or '0')
redis.call('PEXPIRE', KEYS[2], string.format('%.0f', ARGV[2] + ahead(token)))
return redis.call('DEL', KEYS[1])
";

fn with_kind(rest: &str) -> Script {
    Script::new(format!("{KIND}{rest}"))
}

static COUNT_SCRIPT: LazyLock<Script> = LazyLock::new(|| with_kind(COUNT));
static PUSH_SCRIPT: LazyLock<Script> = LazyLock::new(|| with_kind(PUSH));
static POP_SCRIPT: LazyLock<Script> = LazyLock::new(|| with_kind(POP));
static ADD_SCRIPT: LazyLock<Script> = LazyLock::new(|| with_kind(ADD));
static PUT_SCRIPT: LazyLock<Script> = LazyLock::new(|| with_kind(PUT));
static LOCK_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(format!("{AHEAD}{LOCK}")));
static EXTEND_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(EXTEND.to_owned()));
static UNLOCK_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(format!("{AHEAD}{UNLOCK}")));

impl Structures for Redis {
    fn operate<'a>(&'a self, key: &'a str, operation: &'a Operation, life: Option<Duration>) -> Doing<'a, Answer> {
        self.asked(async move {
            match operation {
                Operation::Lock(..) | Operation::Renew(..) | Operation::Release(_) => self.lock(key, operation).await,
                Operation::Count(_)
                | Operation::Push(_)
                | Operation::Pop(_)
                | Operation::Add(_)
                | Operation::Put(..) => self.change(key, operation, life).await,
                _ => {
                    let command = self.command(key, operation);
                    let answer = self.send(key, &command).await.map_err(StoreError::from)?;
                    answered(operation, answer).ok_or_else(unexpected)
                }
            }
        })
    }
}

impl Redis {
    /// Returns the command for what looks only, or does the same whatever is there.
    fn command(&self, key: &str, operation: &Operation) -> Cmd {
        let mut command = redis::cmd(match operation {
            Operation::Counter => "GET",
            Operation::Length => "LLEN",
            Operation::Members => "SMEMBERS",
            Operation::Contains(_) => "SISMEMBER",
            Operation::Field(_) => "HGET",
            Operation::Fields => "HGETALL",
            Operation::Remove => "UNLINK",
            Operation::Expire(_) => "PEXPIRE",
            _ => "PTTL",
        });
        command.arg(self.names.structure(key));
        match operation {
            Operation::Contains(member) => command.arg(member),
            Operation::Field(field) => command.arg(field),
            Operation::Expire(ttl) if ttl.is_zero() => command.arg(0),
            Operation::Expire(ttl) => command.arg(millis(*ttl)),
            _ => &mut command,
        };
        command
    }

    async fn change(&self, key: &str, operation: &Operation, life: Option<Duration>) -> Result<Answer, StoreError> {
        let names = [self.names.structure(key)];
        let life = Argument::Number(life.map_or(0, millis));
        let (script, arguments) = match operation {
            Operation::Count(by) => {
                let texts = steps(*by);
                let arguments: Vec<_> = texts.iter().map(|text| Argument::Bytes(text.as_bytes())).collect();
                let arguments: Vec<_> = std::iter::once(life).chain(arguments).collect();
                let answer = self.run(key, &COUNT_SCRIPT, &names, &arguments).await?;
                return answered(operation, answer).ok_or_else(unexpected);
            }
            Operation::Push(item) => (&PUSH_SCRIPT, vec![life, Argument::Bytes(item)]),
            Operation::Pop(head) => (&POP_SCRIPT, vec![Argument::Bytes(head)]),
            Operation::Add(member) => (&ADD_SCRIPT, vec![life, Argument::Bytes(member)]),
            Operation::Put(field, value) => {
                (&PUT_SCRIPT, vec![life, Argument::Bytes(field.as_bytes()), Argument::Bytes(value)])
            }
            _ => return Err(unexpected()),
        };
        answered(operation, self.run(key, script, &names, &arguments).await?).ok_or_else(unexpected)
    }

    async fn lock(&self, key: &str, operation: &Operation) -> Result<Answer, StoreError> {
        let names = self.names.lock(key);
        let answer = match operation {
            Operation::Lock(owner, ttl) | Operation::Renew(owner, ttl) => {
                let script = if matches!(operation, Operation::Lock(..)) { &LOCK_SCRIPT } else { &EXTEND_SCRIPT };
                let memory = ttl.saturating_add(MEMORY_OF_TOKENS);
                let spans = [Argument::Number(millis(*ttl)), Argument::Number(millis(memory))];
                let arguments: Vec<_> = std::iter::once(Argument::Number(*owner)).chain(spans).collect();
                self.run(key, script, &names, &arguments).await?
            }
            Operation::Release(owner) => {
                let arguments = [Argument::Number(*owner), Argument::Number(millis(MEMORY_OF_TOKENS))];
                self.run(key, &UNLOCK_SCRIPT, &names, &arguments).await?
            }
            _ => return Err(unexpected()),
        };
        answered(operation, answer).ok_or_else(unexpected)
    }
}

/// Returns a step as those that the server can make: its numbers end before 2^63.
fn steps(by: i128) -> Vec<String> {
    match i64::try_from(by) {
        Ok(by) => vec![by.to_string()],
        Err(_) => {
            let end = if by > 0 { i64::MAX } else { i64::MIN };
            vec![end.to_string(), (by - i128::from(end)).to_string()]
        }
    }
}

/// Returns what an answer of the server means. Nothing if it is none to this operation.
fn answered(operation: &Operation, answer: Value) -> Option<Answer> {
    match (operation, answer) {
        (Operation::Count(_) | Operation::Counter, Value::BulkString(text)) => {
            Some(Answer::Number(std::str::from_utf8(&text).ok()?.parse().ok()?))
        }
        (Operation::Lock(..), Value::BulkString(text)) => {
            Some(Answer::Token(std::str::from_utf8(&text).ok()?.parse().ok()?))
        }
        (Operation::Pop(_) | Operation::Field(_), Value::BulkString(bytes)) => Some(Answer::Bytes(bytes)),
        (Operation::Counter | Operation::Lock(..) | Operation::Pop(_) | Operation::Field(_), Value::Nil) => {
            Some(Answer::Missing)
        }
        (Operation::Push(_) | Operation::Length, Value::Int(number)) => Some(Answer::Number(number)),
        (Operation::Left, Value::Int(-2)) => Some(Answer::Missing),
        (Operation::Left, Value::Int(-1)) => Some(Answer::Left(None)),
        (Operation::Left, Value::Int(left)) => {
            Some(Answer::Left(Some(Duration::from_millis(u64::try_from(left).unwrap_or_default()))))
        }
        (Operation::Members, Value::Array(all) | Value::Set(all)) => {
            Some(Answer::Many(all.into_iter().map(bytes).collect::<Option<_>>()?))
        }
        (Operation::Fields, Value::Array(all)) => {
            let all: Vec<_> = all.into_iter().map(bytes).collect::<Option<_>>()?;
            let pair = |pair: &[Vec<u8>]| Some((String::from_utf8(pair[0].clone()).ok()?, pair[1].clone()));
            Some(Answer::Pairs(all.chunks_exact(2).map(pair).collect::<Option<_>>()?))
        }
        (Operation::Fields, Value::Map(all)) => {
            let pair = |(field, value)| Some((String::from_utf8(bytes(field)?).ok()?, bytes(value)?));
            Some(Answer::Pairs(all.into_iter().map(pair).collect::<Option<_>>()?))
        }
        (_, Value::Int(flag)) => Some(Answer::Flag(flag == 1)),
        _ => None,
    }
}

fn bytes(value: Value) -> Option<Vec<u8>> {
    if let Value::BulkString(bytes) = value { Some(bytes) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_two_to_the_power_of_63_is_made_in_two() {
        assert_eq!(steps(-5), ["-5"]);
        assert_eq!(steps(i64::MIN.into()), [i64::MIN.to_string()]);
        assert_eq!(steps(-i128::from(i64::MIN)), [i64::MAX.to_string(), "1".to_owned()]);
    }
}
