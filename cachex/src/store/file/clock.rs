//! The clock of a directory, and the clocks of groups: the same rules as those of Redis.
//!
//! The clock is in one file, with a log of which groups were invalidated of late and the reading from which on the log is whole. It is a
//! hybrid logical clock: a step is the time of day, or one more than before. One that is not there, or can't be read, begins a minute ahead.
//!
//! The system may lose what was written last when the machine loses its power, and then an older clock is found with older values. So the
//! number that the system draws when it starts is noted beside the clock; where it is another one, everything is invalidated.

use std::fs;
use std::io;
use std::sync::LazyLock;
use std::time::Duration;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::directory::{Directory, Locked};
use super::record::{self, Record};
use super::{life_after, now_ms};
use crate::store::{Group, Reading, Settling};
use crate::time::{Clock, SystemClock};

const CLOCK: &str = "clock";
const GROUPS: &str = "groups";
/// How far ahead a clock begins that was lost, in µs.
const AHEAD: u64 = 60_000_000;
/// Invalidations that are remembered for loads which find out only in the end what they depend on.
const MOST_LOGGED: usize = 512;
/// A group is kept for longer than what depends on it, as loads take time; and so it need not be written each time.
const MARGIN: Duration = Duration::from_secs(600);

/// The number of the system's start, or 0 where it has none.
static BOOT: LazyLock<u64> = LazyLock::new(|| fs::read("/proc/sys/kernel/random/boot_id").map_or(0, |id| xxh3_64(&id)));

/// What is in the file of the clock.
#[derive(Debug, PartialEq, Eq)]
struct State {
    boot: u64,
    clock: u64,
    /// From here on the log is whole.
    floor: u64,
    /// Digests of groups and when they were invalidated last, in this order.
    log: Vec<(u128, u64)>,
}

impl State {
    fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24 + self.log.len() * 24);
        [self.boot, self.clock, self.floor].iter().for_each(|number| out.extend(number.to_be_bytes()));
        for (group, at) in &self.log {
            out.extend(group.to_be_bytes());
            out.extend(at.to_be_bytes());
        }
        out
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (head, log) = bytes.split_at_checked(24)?;
        let number = |at: usize| head[at..].first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
        let entry = |bytes: &[u8]| {
            let (group, at) = bytes.split_first_chunk()?;
            Some((u128::from_be_bytes(*group), u64::from_be_bytes(at.try_into().ok()?)))
        };
        let log: Option<_> = log.chunks(24).map(entry).collect();
        Some(Self { boot: number(0)?, clock: number(8)?, floor: number(16)?, log: log? })
    }

    fn note(&mut self, group: &Group) {
        let digest = digest(group);
        self.log.retain(|(known, _)| *known != digest);
        self.log.push((digest, self.clock));
        let surplus = self.log.len().saturating_sub(MOST_LOGGED);
        self.log.drain(..surplus).for_each(|(_, at)| self.floor = self.floor.max(at));
    }

    /// Whether one of the groups was invalidated later, or may have been.
    fn was_invalidated(&self, groups: &[Group], since: Reading) -> bool {
        let digests: Vec<_> = groups.iter().map(digest).collect();
        self.floor > since.0 || self.log.iter().any(|(group, at)| *at > since.0 && digests.contains(group))
    }
}

fn digest(group: &Group) -> u128 {
    xxh3_128(group.as_str().as_bytes())
}

/// Reads the clocks of groups. Whoever reads a value reads it before.
pub(super) fn clocks(directory: &Directory, groups: &[Group]) -> io::Result<Vec<Option<Reading>>> {
    groups.iter().map(|group| Ok(group_in(directory, group)?.map(|(at, _)| at))).collect()
}

/// Reads the clock; groups without one get that reading, and each is kept for `life` at least.
pub(super) fn begin(locked: &Locked<'_>, groups: &[Group], life: Option<Duration>) -> io::Result<Reading> {
    let state = load(locked)?;
    keep(locked, groups, Reading(state.clock), life)
}

/// As [`begin`], but nothing if one of the groups was invalidated after `since`.
pub(super) fn mint(
    locked: &Locked<'_>,
    groups: &[Group],
    since: Reading,
    life: Option<Duration>,
) -> io::Result<Option<Reading>> {
    let state = load(locked)?;
    if state.was_invalidated(groups, since) {
        return Ok(None);
    }
    keep(locked, groups, Reading(state.clock), life).map(Some)
}

/// Steps the clock, and gives the groups that have one the new reading.
///
/// The step is first: a group that gets its clock later gets one that is above all stamps from before.
pub(super) fn invalidate(locked: &Locked<'_>, groups: &[Group]) -> io::Result<Reading> {
    let mut state = load(locked)?;
    step(locked, &mut state, groups)?;
    Ok(Reading(state.clock))
}

/// Invalidates what an update does, and reads the clock for its value. Also returns whether none of the groups that this has was invalidated since the update began, but by
/// this; only then each has a clock.
pub(super) fn settle(locked: &Locked<'_>, update: &Settling) -> io::Result<(Reading, bool)> {
    let mut state = load(locked)?;
    // Break this (look afterwards) and what is invalidated here hides in the log what others have invalidated before.
    let is_undisturbed = !state.was_invalidated(&update.groups, update.since);
    if !update.invalidated.is_empty() {
        step(locked, &mut state, &update.invalidated)?;
    }
    let clock = Reading(state.clock);
    if is_undisturbed {
        keep(locked, &update.groups, clock, update.life)?;
    }
    Ok((clock, is_undisturbed))
}

/// Makes sure that there is a clock.
pub(super) fn wind(locked: &Locked<'_>) -> io::Result<()> {
    load(locked).map(drop)
}

fn load(locked: &Locked<'_>) -> io::Result<State> {
    let path = locked.directory().single(CLOCK);
    let known = locked.read(&path)?.and_then(|bytes| State::read(&record::open(&bytes, CLOCK.as_bytes())?.payload));
    let Some(mut state) = known else {
        let clock = now() + AHEAD;
        let state = State { boot: *BOOT, clock, floor: clock, log: Vec::new() };
        save(locked, &state)?;
        return Ok(state);
    };
    if state.boot != *BOOT {
        step(locked, &mut state, &[Group::all()])?;
        // Once that is done. Break this (note the number first) and who is killed in between leaves values that are wrong.
        state.boot = *BOOT;
        state.floor = state.clock;
        save(locked, &state)?;
    }
    Ok(state)
}

fn step(locked: &Locked<'_>, state: &mut State, groups: &[Group]) -> io::Result<()> {
    state.clock = now().max(state.clock + 1);
    groups.iter().for_each(|group| state.note(group));
    save(locked, state)?;
    for group in groups {
        match group_in(locked.directory(), group)? {
            Some((_, ends_at)) => put(locked, group, Reading(state.clock), ends_at)?,
            // One that has expired would be there again if the time of day were set back.
            None => locked.remove(&locked.directory().place(GROUPS, group.as_str().as_bytes()))?,
        }
    }
    Ok(())
}

fn save(locked: &Locked<'_>, state: &State) -> io::Result<()> {
    locked.replace(&locked.directory().single(CLOCK), &record::seal(CLOCK.as_bytes(), None, &state.write()))
}

fn keep(locked: &Locked<'_>, groups: &[Group], now: Reading, life: Option<Duration>) -> io::Result<Reading> {
    let (needed, given) = (life_after(life), life_after(life.map(|life| life.saturating_add(MARGIN))));
    for group in groups {
        match group_in(locked.directory(), group)? {
            None => put(locked, group, now, given)?,
            Some((at, Some(end))) if needed.is_none_or(|needed| end < needed) => put(locked, group, at, given)?,
            Some(_) => {}
        }
    }
    Ok(now)
}

/// Returns the clock of a group, and when it ends.
fn group_in(directory: &Directory, group: &Group) -> io::Result<Option<(Reading, Option<u64>)>> {
    let name = group.as_str().as_bytes();
    let Some(bytes) = directory.read(&directory.place(GROUPS, name))? else { return Ok(None) };
    let Some(Record { ends_at, payload }) = record::open(&bytes, name) else { return Ok(None) };
    let at = payload.first_chunk().map(|at| Reading(u64::from_be_bytes(*at)));
    Ok(at.filter(|_| ends_at.is_none_or(|end| end > now_ms())).map(|at| (at, ends_at)))
}

fn put(locked: &Locked<'_>, group: &Group, at: Reading, ends_at: Option<u64>) -> io::Result<()> {
    let name = group.as_str().as_bytes();
    locked.replace(&locked.directory().place(GROUPS, name), &record::seal(name, ends_at, &at.0.to_be_bytes()))
}

/// Returns the time of day in µs: no step takes less than one, so a clock that is lost twice does not begin where it was before.
fn now() -> u64 {
    u64::try_from(SystemClock.unix_time().as_micros()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State { boot: 1, clock: 100, floor: 50, log: Vec::new() }
    }

    #[test]
    fn what_was_logged_is_read_again() {
        let mut state = state();
        state.note(&Group::tag("a"));
        assert_eq!(State::read(&state.write()), Some(state));
        assert_eq!(State::read(&[0; 30]), None);
    }

    #[test]
    fn a_log_that_is_full_forgets_what_is_oldest_and_says_so() {
        let mut state = state();
        for number in 0..=MOST_LOGGED {
            state.clock = 100 + number as u64;
            state.note(&Group::tag(&number.to_string()));
        }
        assert_eq!((state.log.len(), state.floor), (MOST_LOGGED, 100));
        assert!(state.was_invalidated(&[], Reading(99)));
        assert!(!state.was_invalidated(&[Group::tag("0")], Reading(100)));
        assert!(state.was_invalidated(&[Group::tag("1")], Reading(100)));
    }

    /// A directory of the test's own; dropped, it is removed.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("cachex-{name}-{}", std::process::id())))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _gone = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn everything_is_invalidated_at_another_start_of_the_system_also_if_that_fails_at_first() {
        let folder = Folder::new("start");
        let modes = super::super::directory::Modes { directory: 0o700, file: 0o600 };
        let directory = Directory::new(folder.0.clone(), modes, Duration::from_secs(60));
        let locked = directory.lock(crate::time::stopwatch::Stopwatch::start()).expect("nobody else has it");
        let all = [Group::all()];
        let stamp = begin(&locked, &all, None).expect("it can be written");
        let is_valid = || {
            let clocks = clocks(&directory, &all).expect("it can be read");
            clocks[0].is_some_and(|clock| clock <= stamp)
        };
        assert!(is_valid());
        // As another start has left it, and then as a disk that does not take the clock of the group.
        let mut state = load(&locked).expect("it can be read");
        state.boot = state.boot.wrapping_add(1);
        save(&locked, &state).expect("it can be written");
        let place = directory.place(GROUPS, Group::all().as_str().as_bytes());
        let known = fs::read(&place).expect("it is there");
        fs::remove_file(&place).expect("it is there");
        fs::create_dir_all(place.join("in the way")).expect("it can be made");
        assert!(load(&locked).is_err());
        fs::remove_dir_all(&place).expect("it is there");
        fs::write(&place, known).expect("it can be written");
        assert!(is_valid());
        load(&locked).expect("nothing is in the way");
        assert!(!is_valid());
        // And once is enough.
        let stamp = begin(&locked, &all, None).expect("it can be written");
        load(&locked).expect("nothing is in the way");
        assert!(clocks(&directory, &all).expect("it can be read")[0].is_some_and(|clock| clock <= stamp));
    }
}
