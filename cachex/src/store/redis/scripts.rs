//! What Redis does in one step.
//!
//! Numbers of the clock have 16 digits: as Lua prints numbers itself, the last ones would be lost.

use std::sync::LazyLock;

/// A script, and the digest by which a server knows it.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) code: String,
    pub(super) digest: String,
}

impl Script {
    pub(super) fn new(code: String) -> Self {
        let digest = redis::Script::new(&code).get_hash().to_owned();
        Self { code, digest }
    }
}

/// Reads the clock and steps it. A clock that is not there was lost: it begins a minute ahead, so that nothing stamped before can look
/// newer, also if the server's time was set back by less.
const CLOCK: &str = r"
local function text(number) return string.format('%.0f', number) end
local function time()
  local now = redis.call('TIME')
  return now[1] * 1000000 + now[2]
end
local function reading(clock)
  local known = redis.call('ZSCORE', clock, '#')
  if known then return tonumber(known) end
  local now = time() + 60000000
  redis.call('ZADD', clock, text(now), '#', text(now), '#floor')
  return now
end
local function keep(group, now, life)
  local known = redis.call('GET', group)
  if not known then
    if life > 0 then
      redis.call('SET', group, text(now), 'PX', text(life))
    else
      redis.call('SET', group, text(now))
    end
    return
  end
  local left = redis.call('PTTL', group)
  if left >= 0 then
    if life == 0 then
      redis.call('PERSIST', group)
    elseif left < life then
      redis.call('PEXPIRE', group, text(life))
    end
  end
end
";

/// Keys: the clock, groups. Arguments: how long groups are kept, in ms, 0 for good.
const BEGIN: &str = r"
local now = reading(KEYS[1])
for i = 2, #KEYS do keep(KEYS[i], now, tonumber(ARGV[1])) end
return text(now)
";

/// Keys: the clock, groups. Arguments: how long groups are kept, when the load began.
///
/// The log beside the clock tells what was invalidated of late, and from when on it is whole.
const MINT: &str = r"
local now = reading(KEYS[1])
local since = tonumber(ARGV[2])
local floor = redis.call('ZSCORE', KEYS[1], '#floor')
if not floor or tonumber(floor) > since then return false end
for i = 2, #KEYS do
  local at = redis.call('ZSCORE', KEYS[1], KEYS[i])
  if at and tonumber(at) > since then return false end
end
for i = 2, #KEYS do keep(KEYS[i], now, tonumber(ARGV[1])) end
return text(now)
";

/// Keys: the clock, the group of everything, what is noted of servers. Arguments: what to note of a server, which one it is, the channel, a
/// notice that says nothing.
///
/// What may not be done fails first. Nobody is told: whoever listened to the server as it was has lost it, and empties memory for that. The
/// clock goes a minute ahead, as the one who kept it until now may have been ahead of this one's time.
const GREET: &str = r"
redis.call('PUBLISH', ARGV[3], ARGV[4])
if redis.call('HGET', KEYS[3], ARGV[2]) == ARGV[1] then return 0 end
local now = math.max(reading(KEYS[1]) + 1, time() + 60000000)
redis.call('ZADD', KEYS[1], text(now), '#', text(now), KEYS[2])
redis.call('SET', KEYS[2], text(now))
redis.call('HSET', KEYS[3], ARGV[2], ARGV[1])
return 1
";

/// Keys: the clock, groups. Arguments: the channel, and a notice in two parts.
///
/// A group without a clock gets none: no value of it is valid. It is logged, for loads that may find out only now that they have it.
const INVALIDATE: &str = r"
return text(invalidate(2, ARGV[1], ARGV[2], ARGV[3]))
";

/// Keys: the clock, the groups of a value, the groups that are invalidated. Arguments: how long groups are kept, when the update began, how many of the
/// first there are, the channel, and a notice in two parts.
///
/// In one step: what is invalidated here would hide in the log what others have invalidated before.
const SETTLE: &str = r"
local now = reading(KEYS[1])
local since, last = tonumber(ARGV[2]), tonumber(ARGV[3]) + 1
local floor = redis.call('ZSCORE', KEYS[1], '#floor')
local is_undisturbed = floor and tonumber(floor) <= since
for i = 2, last do
  local at = redis.call('ZSCORE', KEYS[1], KEYS[i])
  if at and tonumber(at) > since then is_undisturbed = false end
end
if #KEYS > last then now = invalidate(last + 1, ARGV[4], ARGV[5], ARGV[6]) end
if not is_undisturbed then return false end
for i = 2, last do keep(KEYS[i], now, tonumber(ARGV[1])) end
return text(now)
";

/// What two scripts do with the groups from one of their keys on.
const TO_INVALIDATE: &str = r"
local function invalidate(first, channel, head, tail)
  local now = math.max(reading(KEYS[1]) + 1, time())
  redis.call('ZADD', KEYS[1], text(now), '#')
  for i = first, #KEYS do
    redis.call('SET', KEYS[i], text(now), 'XX', 'KEEPTTL')
    redis.call('ZADD', KEYS[1], text(now), KEYS[i])
  end
  if redis.call('ZCARD', KEYS[1]) > 512 then
    local old = now - 120000000
    local floor = tonumber(redis.call('ZSCORE', KEYS[1], '#floor') or text(now))
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(old))
    redis.call('ZADD', KEYS[1], text(math.max(floor, old)), '#floor')
  end
  redis.call('PUBLISH', channel, head .. struct.pack('>I8', now) .. tail)
  return now
end
";

/// Keys: the value, the lease, the mark of those who wait. Arguments: the token, the lease's span in ms, the mark of the value seen,
/// where that mark begins and where it ends. A value that ends before has none.
const LEASE: &str = r"
local mark = redis.call('GETRANGE', KEYS[1], ARGV[4], ARGV[5])
if #mark < ARGV[5] - ARGV[4] + 1 then mark = '' end
if mark ~= ARGV[3] and mark ~= '' then return 2 end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
redis.call('SET', KEYS[3], '1', 'PX', ARGV[2])
return 0
";

/// Keys: as for a lease. Arguments: the token, the value, how long it is kept in ms or 0, the channel, a notice.
const PUT: &str = r"
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
if ARGV[3] == '0' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
redis.call('DEL', KEYS[2])
if redis.call('DEL', KEYS[3]) == 1 then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return 1
";

/// Keys: the lease. Arguments: the token, the span in ms.
const RENEW: &str = r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
";

/// Keys: the lease. Arguments: the token.
const RELEASE: &str = r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1
";

/// Keys: as for a lease, and the note of an update. Arguments: the value, how long it is kept, the channel, a notice, the token of the write.
///
/// Without its note it is one that came late: what was written after it stays to be written, and what was removed stays removed.
const WRITE: &str = r"
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3])
local is_due = redis.call('GET', KEYS[4]) == ARGV[5]
if is_due then
  redis.call('UNLINK', KEYS[4])
  if ARGV[2] == '0' then
    redis.call('SET', KEYS[1], ARGV[1])
  else
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  end
end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return is_due and 1 or 0
";

/// Keys: as for a write. Arguments: the value, how long it is kept, the channel, a notice, the token of the update.
const WRITE_ANNOUNCED: &str = r"
local is_undisturbed = redis.call('GET', KEYS[4]) == ARGV[5]
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
if is_undisturbed then
  if ARGV[2] == '0' then
    redis.call('SET', KEYS[1], ARGV[1])
  else
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  end
end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return is_undisturbed and 1 or 0
";

/// Keys: as for a write. Arguments: the channel, a notice.
const REMOVE: &str = r"
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
redis.call('PUBLISH', ARGV[1], ARGV[2])
return 1
";

/// Keys: the value. Arguments: what it has to be.
const REMOVE_SAME: &str = r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])
";

/// Keys: the value. Arguments: what it has to be, what it becomes, how long that is kept in ms, the channel, a notice.
const REPLACE_SAME: &str = r"
redis.call('PUBLISH', ARGV[4], ARGV[5])
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
";

fn with_clock(rest: &str) -> Script {
    Script::new(format!("{CLOCK}{rest}"))
}

pub(super) static GREET_SCRIPT: LazyLock<Script> = LazyLock::new(|| with_clock(GREET));
pub(super) static BEGIN_SCRIPT: LazyLock<Script> = LazyLock::new(|| with_clock(BEGIN));
pub(super) static MINT_SCRIPT: LazyLock<Script> = LazyLock::new(|| with_clock(MINT));
pub(super) static INVALIDATE_SCRIPT: LazyLock<Script> =
    LazyLock::new(|| with_clock(&format!("{TO_INVALIDATE}{INVALIDATE}")));
pub(super) static SETTLE_SCRIPT: LazyLock<Script> = LazyLock::new(|| with_clock(&format!("{TO_INVALIDATE}{SETTLE}")));
pub(super) static WRITE_ANNOUNCED_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(WRITE_ANNOUNCED.to_owned()));
pub(super) static LEASE_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(LEASE.to_owned()));
pub(super) static PUT_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(PUT.to_owned()));
pub(super) static RENEW_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(RENEW.to_owned()));
pub(super) static RELEASE_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(RELEASE.to_owned()));
pub(super) static WRITE_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(WRITE.to_owned()));
pub(super) static REMOVE_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(REMOVE.to_owned()));
pub(super) static REPLACE_SAME_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(REPLACE_SAME.to_owned()));
pub(super) static REMOVE_SAME_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(REMOVE_SAME.to_owned()));
