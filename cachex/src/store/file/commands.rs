//! What the store is asked.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::directory::Locked;
use super::{File, clock, journal, keys};
use crate::store::structures::Structures;
use crate::store::{Ask, Doing, Group, Invalidation, Lease, Listener, Notice, Read, Reading, Settling, Store};

impl Store for File {
    fn start(&self, listener: Arc<dyn Listener>) {
        self.begin_to_work(listener);
    }

    fn is_up(&self) -> bool {
        self.shared.is_up.load(Ordering::Acquire)
    }

    fn structures(&self, _key: &str) -> Option<&dyn Structures> {
        Some(self)
    }

    fn staleness(&self) -> Duration {
        // A look may have begun right before a notice, and the next one may take as long as it may.
        self.shared.poll_interval + 2 * self.shared.timeout
    }

    fn read<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Read> {
        let (of, groups) = (key.to_owned(), groups.to_vec());
        Box::pin(async move {
            let read = self.on_disk(move |directory, _| {
                // In this order: what is invalidated in between is a miss.
                let seen = keys::value(directory, &of)?;
                let is_unreadable = matches!(seen, keys::Seen::Unreadable);
                Ok((Read { value: seen.value(), clocks: clock::clocks(directory, &groups)? }, is_unreadable))
            });
            let (read, is_unreadable) = read.await?;
            if is_unreadable {
                let of = key.to_owned();
                self.locked(move |locked| keys::remove_unreadable(locked, &of)).await?;
            }
            Ok(read)
        })
    }

    fn clocks<'a>(&'a self, _key: &'a str, groups: &'a [Group]) -> Doing<'a, Vec<Option<Reading>>> {
        let groups = groups.to_vec();
        Box::pin(self.on_disk(move |directory, _| clock::clocks(directory, &groups)))
    }

    fn lease<'a>(&'a self, ask: Ask<'a>) -> Doing<'a, Lease> {
        let Ask { key, token, span, seen } = ask;
        let (key, seen) = (key.to_owned(), seen.to_vec());
        Box::pin(self.locked(move |locked| keys::lease(locked, &key, token, span, &seen)))
    }

    fn begin<'a>(&'a self, _key: &'a str, groups: &'a [Group], life: Option<Duration>) -> Doing<'a, Reading> {
        let groups = groups.to_vec();
        Box::pin(self.locked(move |locked| clock::begin(locked, &groups, life)))
    }

    fn mint<'a>(
        &'a self,
        _key: &'a str,
        groups: &'a [Group],
        since: Reading,
        life: Option<Duration>,
    ) -> Doing<'a, Option<Reading>> {
        let groups = groups.to_vec();
        Box::pin(self.locked(move |locked| clock::mint(locked, &groups, since, life)))
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        stored: Notice,
    ) -> Doing<'a, bool> {
        let key = key.to_owned();
        Box::pin(self.locked(move |locked| {
            let Some(is_waited_for) = keys::is_held(locked, &key, token)? else { return Ok(false) };
            keys::store(locked, &key, &value, life)?;
            keys::end_lease(locked, &key)?;
            if is_waited_for {
                journal::append(locked, &[stored.at(Reading(0))])?;
            }
            Ok(true)
        }))
    }

    fn renew<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, bool> {
        let key = key.to_owned();
        Box::pin(self.locked(move |locked| keys::renew(locked, &key, token, span)))
    }

    fn release<'a>(&'a self, key: &'a str, token: u64) -> Doing<'a, ()> {
        let key = key.to_owned();
        Box::pin(self.locked(move |locked| {
            if keys::is_held(locked, &key, token)?.is_some() { keys::end_lease(locked, &key) } else { Ok(()) }
        }))
    }

    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>, life: Option<Duration>, written: Notice) -> Doing<'a, ()> {
        let key = key.to_owned();
        Box::pin(self.locked(move |locked| {
            // First: if the rest fails, nothing from before is stored in between.
            keys::end_all(locked, &key)?;
            keys::store(locked, &key, &value, life)?;
            journal::append(locked, &[written.at(Reading(0))])
        }))
    }

    fn takes_updates(&self, _key: &str) -> bool {
        true
    }

    fn announce<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, ()> {
        let key = key.to_owned();
        Box::pin(self.locked(move |locked| keys::announce(locked, &key, token, span)))
    }

    fn settle<'a>(&'a self, _key: &'a str, update: &'a Settling) -> Doing<'a, Option<Reading>> {
        let update = update.clone();
        Box::pin(self.locked(move |locked| {
            let (clock, is_undisturbed) = clock::settle(locked, &update)?;
            if !update.invalidated.is_empty() {
                journal::append(locked, &[update.notice.at(clock)])?;
            }
            Ok(is_undisturbed.then_some(clock))
        }))
    }

    fn write_announced<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        written: Notice,
    ) -> Doing<'a, bool> {
        let key = key.to_owned();
        Box::pin(self.locked(move |locked| {
            let is_undisturbed = keys::is_announced(locked, &key, token)?;
            keys::end_all(locked, &key)?;
            if is_undisturbed {
                keys::store(locked, &key, &value, life)?;
            } else {
                keys::remove_value(locked, &key)?;
            }
            journal::append(locked, &[written.at(Reading(0))])?;
            Ok(is_undisturbed)
        }))
    }

    fn remove_same<'a>(&'a self, key: &'a str, value: &'a [u8]) -> Doing<'a, ()> {
        let (key, value) = (key.to_owned(), value.to_vec());
        Box::pin(self.locked(move |locked| {
            let is_same = keys::value(locked.directory(), &key)?.value().as_ref() == Some(&value);
            if is_same { keys::remove_value(locked, &key) } else { Ok(()) }
        }))
    }

    fn replace_same<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        next: Vec<u8>,
        life: Duration,
        written: Notice,
    ) -> Doing<'a, bool> {
        let (key, value) = (key.to_owned(), value.to_vec());
        Box::pin(self.locked(move |locked| {
            let is_same = keys::value(locked.directory(), &key)?.value().as_ref() == Some(&value);
            if is_same {
                keys::store(locked, &key, &next, Some(life))?;
            }
            journal::append(locked, &[written.at(Reading(0))])?;
            Ok(is_same)
        }))
    }

    fn invalidate<'a>(&'a self, what: &'a Invalidation) -> Doing<'a, Vec<Box<str>>> {
        Box::pin(async move {
            let (of_groups, of_keys) = what.told();
            let keys: Vec<_> = of_keys.map(|(key, notice)| (Box::from(key), notice.cloned())).collect();
            // Each part has the lock and the timeout for itself: on a slow disk thousands of files would never fit into one.
            let mut parts = what.groups.chunks(GROUPS_AT_ONCE).peekable();
            while let Some(part) = parts.next() {
                // Others are told of all groups at once, so with the last ones.
                let notice = of_groups.filter(|_| parts.peek().is_none()).cloned();
                let groups = part.to_vec();
                self.locked(move |locked| invalidate_groups(locked, &groups, notice.as_ref())).await?;
            }
            for part in keys.chunks(KEYS_AT_ONCE) {
                let keys = part.to_vec();
                self.locked(move |locked| remove_keys(locked, &keys)).await?;
            }
            Ok(Vec::new())
        })
    }

    fn publish<'a>(&'a self, notice: Notice) -> Doing<'a, ()> {
        Box::pin(self.locked(move |locked| journal::append(locked, &[notice.at(Reading(0))])))
    }
}

/// So many groups are invalidated within one timeout, …
const GROUPS_AT_ONCE: usize = 32;
/// … and so many keys.
const KEYS_AT_ONCE: usize = 256;

fn invalidate_groups(locked: &Locked<'_>, groups: &[Group], notice: Option<&Notice>) -> io::Result<()> {
    let clock = clock::invalidate(locked, groups)?;
    // Last: who is told must find nothing from before.
    notice.map_or(Ok(()), |notice| journal::append(locked, &[notice.at(clock)]))
}

fn remove_keys(locked: &Locked<'_>, keys: &[(Box<str>, Option<Notice>)]) -> io::Result<()> {
    for (key, _) in keys {
        keys::end_all(locked, key)?;
        keys::remove_value(locked, key)?;
    }
    let notices: Vec<_> = keys.iter().flat_map(|(_, notice)| notice).map(|notice| notice.at(Reading(0))).collect();
    journal::append(locked, &notices)
}
