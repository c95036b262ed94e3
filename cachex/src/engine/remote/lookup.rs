//! What is found in L2.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Remote;
use super::permit::Permit;
use crate::caught::caught;
use crate::codec::{Codec, Compression};
use crate::config::Guard;
use crate::engine::Engine;
use crate::engine::methods::Method;
use crate::entry::stamp::Stamp;
use crate::entry::{Entry, Freshness};
use crate::key::{Key, KeyRef};
use crate::method::keep::Keep;
use crate::observe::event::Event;
use crate::policy::Policy;
use crate::runtime;
use crate::store::{self, Ask, Group, Lease, Reading, StoreError, StoreErrorKind};
use crate::tag::Tags;
use crate::tier::remote::envelope::{self, Header};
use crate::tier::remote::name;
use crate::time::Timestamp;
use crate::time::stopwatch::Stopwatch;

/// Between two looks whether another process has stored what is waited for, where nobody says so.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// How often another value may have taken the place of the one that was looked at, each of no use.
const MOST_REPLACED: u32 = 8;
pub(super) const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Who asks.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) at: KeyRef<'a>,
    pub(super) method: &'a Method,
    /// The tags known from the arguments, besides those that the annotation names as they are.
    pub(super) tags: &'a Tags,
    pub(super) policy: &'a Policy,
    /// The logical clock here, from before this.
    pub(super) stamp: Stamp,
    /// Whether only a fresh value will do.
    pub(super) wants_fresh: bool,
    /// Whether it may wait for the load of another process.
    pub(super) may_wait: bool,
}

/// What L2 has to say.
pub(in crate::engine) enum Answer {
    /// The entry to store here and to answer with.
    Found(Entry),
    /// It is to be loaded here; the permit lets the value be stored there.
    Load(Option<Permit>),
    /// The same, where there is one that may stand in if the load fails.
    Replace(Permit, Entry),
    /// Another process loads it.
    Held,
}

impl<'a> Asking<'a> {
    /// Returns all that a value is known to depend on, constants first.
    fn groups(&self) -> Cow<'a, [Group]> {
        let constant = self.method.groups();
        if self.tags.is_empty() {
            return constant.into();
        }
        constant.iter().cloned().chain(self.tags.into_iter().map(|tag| Group::tag(tag.as_str()))).collect()
    }
}

/// What one look brings.
enum Look {
    Found(Entry),
    /// No value that is of use; with what tells the one that is there from others.
    Nothing(Vec<u8>),
    /// One that is too old, and may stand in; with the same.
    Old(Entry, Vec<u8>),
}

impl Remote {
    /// Asks L2 for a value, or for the right to store one.
    pub(super) async fn ask<V, K: Keep<V>>(self: &Arc<Self>, engine: &Engine, asking: Asking<'_>, keep: K) -> Answer {
        let name = name::name(asking.at);
        if !self.store.reaches(&name) {
            self.counters.bypasses.one();
            return Answer::Load(None);
        }
        let groups = asking.groups();
        let search = Search { remote: self, engine, asking, name: &name, groups: &groups };
        // Not in each of its looks: while another process loads there are many.
        match search.go::<V, K>(keep).await {
            Ok(answer) => {
                match answer {
                    Answer::Found(_) => self.counters.hits.one(),
                    Answer::Load(_) | Answer::Replace(..) => self.counters.misses.one(),
                    // Who asks knows whether it asks again.
                    Answer::Held => {}
                }
                answer
            }
            Err(failed) => {
                self.note_failure(&failed);
                Answer::Load(None)
            }
        }
    }

    /// Looks for a value, and asks for no right.
    pub(super) async fn peek<V, K: Keep<V>>(
        self: &Arc<Self>,
        engine: &Engine,
        asking: Asking<'_>,
        keep: K,
    ) -> Option<Entry> {
        match self.search(engine, asking, async |search| search.look::<V, K>(keep).await).await? {
            Look::Found(entry) => {
                self.counters.hits.one();
                Some(entry)
            }
            Look::Nothing(_) | Look::Old(..) => {
                self.counters.misses.one();
                None
            }
        }
    }

    /// Looks until when there is a value of use, whatever it is.
    pub(super) async fn peek_end(self: &Arc<Self>, engine: &Engine, asking: Asking<'_>) -> Option<Timestamp> {
        match self.search(engine, asking, async |search| search.look_closed().await).await? {
            Closed::Valid(Found { header, .. }) => engine.end_of(&header),
            Closed::Nothing(_) => None,
        }
    }

    /// Gives a value that is of use another end. Returns whether there was one.
    pub(super) async fn expire(self: &Arc<Self>, engine: &Engine, asking: Asking<'_>, ttl: Duration) -> bool {
        let expire = async |search: &Search<'_>| {
            let Closed::Valid(found) = search.look_closed().await? else { return Ok(false) };
            let Found { bytes, header, .. } = &found;
            if engine.end_of(header).is_none() {
                return Ok(false);
            }
            let identity = name::identity(&engine.namespace, asking.at);
            let Some(next) = envelope::seal(&engine.ending_after(header, ttl), found.payload(), identity) else {
                return Ok(false);
            };
            let life = ttl.saturating_add(asking.policy.grace.unwrap_or_default());
            let groups: Vec<_> = search.groups.iter().chain(&header.groups).cloned().collect();
            let replacement =
                Replacement { key: asking.at.key(), name: search.name.into(), now: bytes.clone(), next, life, groups };
            let (told, replaced) = oneshot::channel();
            // Break this (do it here) and who asks and goes leaves a number that nobody hears of, and whose want empties the memory of others.
            runtime::spawn_own({
                let remote = self.clone();
                async move {
                    let _gone = told.send(remote.replace(replacement).await);
                }
            });
            replaced.await.unwrap_or(Ok(false))
        };
        self.search(engine, asking, expire).await.unwrap_or(false)
    }

    async fn replace(self: &Arc<Self>, replacement: Replacement) -> Result<bool, StoreError> {
        let Replacement { key, name, now, next, life, groups } = replacement;
        self.store.begin(&name, &groups, Some(life)).await?;
        let telling = self.telling().await;
        let notice = telling.of_key(key.at());
        let replaced = self.store.replace_same(&name, &now, next, life, notice.clone()).await;
        let is_there = telling.ended(replaced, notice).await?;
        if is_there {
            self.note_stored(&name, &key, &groups, Some(life));
        }
        Ok(is_there)
    }

    /// Does something in the store. Nothing if it fails.
    async fn search<T>(
        self: &Arc<Self>,
        engine: &Engine,
        asking: Asking<'_>,
        work: impl AsyncFnOnce(&Search<'_>) -> Result<T, StoreError>,
    ) -> Option<T> {
        let name = name::name(asking.at);
        if !self.store.reaches(&name) {
            self.counters.bypasses.one();
            return None;
        }
        let groups = asking.groups();
        let search = Search { remote: self, engine, asking, name: &name, groups: &groups };
        match work(&search).await {
            Ok(done) => Some(done),
            Err(failed) => {
                self.note_failure(&failed);
                None
            }
        }
    }
}

impl Remote {
    /// Waits until nothing about a value is on its way, for as long as for the load of another. Returns whether it came to that.
    async fn is_delivered(&self, name: &str, groups: &[Group]) -> bool {
        if !self.outbox.holds(name, groups) || self.is_without(Guard::Outbox) {
            return true;
        }
        runtime::within(self.rules.patience, self.outbox.emptied_of(name, groups)).await.unwrap_or(false)
    }

    /// Notes what is wrong with the store.
    pub(super) fn note_trouble(&self, failed: &StoreError) {
        // What is known to be out of reach is not the trouble itself.
        if failed.kind() != StoreErrorKind::Down && !failed.is_in_part() {
            *self.trouble() = Some(failed.to_string());
        }
    }

    /// Notes that a look-up has failed.
    // Break this (have all else that fails note it so) and while nobody looks for anything, look-ups are counted as left out.
    fn note_failure(&self, failed: &StoreError) {
        self.note_trouble(failed);
        match failed.kind() {
            StoreErrorKind::Down => self.counters.bypasses.one(),
            StoreErrorKind::Unknown | StoreErrorKind::Refused | StoreErrorKind::OtherKind => self.counters.errors.one(),
        }
    }
}

/// A value that is to be there in the place of the one that is.
struct Replacement {
    key: Key,
    name: Box<str>,
    now: Vec<u8>,
    next: Vec<u8>,
    life: Duration,
    groups: Vec<Group>,
}

/// An envelope as it is in the store, and what it says.
struct Found {
    bytes: Vec<u8>,
    header: Header,
    payload: Range<usize>,
}

impl Found {
    fn payload(&self) -> &[u8] {
        &self.bytes[self.payload.clone()]
    }
}

/// What a look at an envelope brings.
enum Closed {
    Valid(Found),
    /// As of [`Look::Nothing`].
    Nothing(Vec<u8>),
}

struct Search<'a> {
    remote: &'a Arc<Remote>,
    engine: &'a Engine,
    asking: Asking<'a>,
    name: &'a str,
    groups: &'a [Group],
}

impl Search<'_> {
    async fn go<V, K: Keep<V>>(&self, keep: K) -> Result<Answer, StoreError> {
        let mut pause = FIRST_PAUSE;
        let mut waited: Option<Stopwatch> = None;
        let mut replaced = 0;
        loop {
            // Before the look: what is stored after it is told of.
            let stored = self.remote.waiting_for(self.name).notified();
            tokio::pin!(stored);
            stored.as_mut().enable();
            let (seen, old) = match self.look::<V, K>(keep).await? {
                Look::Found(entry) => return Ok(Answer::Found(entry)),
                Look::Nothing(seen) => (seen, None),
                Look::Old(entry, seen) => (seen, Some(entry)),
            };
            let permit = Permit::new(self.remote, self.asking.at, self.name);
            let ask = Ask { key: self.name, token: permit.token(), span: self.remote.rules.lease, seen: &seen };
            match self.remote.store.lease(ask).await? {
                Lease::Granted => {
                    let permit = self.granted(permit).await?;
                    return Ok(match old {
                        Some(old) => Answer::Replace(permit, old),
                        None => Answer::Load(Some(permit)),
                    });
                }
                Lease::Stored => {
                    permit.forget();
                    replaced += 1;
                    if replaced > MOST_REPLACED {
                        return Ok(Answer::Load(None));
                    }
                }
                Lease::Held if old.as_ref().is_some_and(|old| self.is_stale(old)) => {
                    permit.forget();
                    // Another process refreshes it, and it is good until then.
                    return Ok(old.map_or(Answer::Held, Answer::Found));
                }
                Lease::Held if !self.asking.may_wait => {
                    permit.forget();
                    return Ok(Answer::Held);
                }
                Lease::Held => {
                    permit.forget();
                    if waited.get_or_insert_with(Stopwatch::start).elapsed() >= self.remote.rules.patience {
                        self.remote.counters.impatience.one();
                        return Ok(Answer::Load(None));
                    }
                    self.remote.counters.waits.one();
                    let _woken = runtime::within(pause, stored).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Reads the clock before the load: after the lease was granted, or an invalidation of the key in between would not take it away.
    async fn granted(&self, mut permit: Permit) -> Result<Permit, StoreError> {
        let life = self.asking.policy.ttl.map(|ttl| ttl.saturating_add(self.asking.policy.grace.unwrap_or_default()));
        permit.begins_at(self.remote.store.begin(self.name, self.groups, life).await?, self.groups, life);
        Ok(permit)
    }

    async fn look<V, K: Keep<V>>(&self, keep: K) -> Result<Look, StoreError> {
        let asking = self.asking;
        let found = match self.look_closed().await? {
            Closed::Valid(found) => found,
            Closed::Nothing(mark) => return Ok(Look::Nothing(mark)),
        };
        let Some(value) = self.decode(&found, keep) else {
            self.refuse(&found.bytes).await?;
            return Ok(Look::Nothing(Vec::new()));
        };
        let entry = self.engine.entry_of(asking.at, &found.header, (value, keep), asking.policy, asking.stamp);
        let freshness = entry.freshness(|| self.engine.now());
        let is_of_use = match freshness {
            Freshness::Fresh => true,
            Freshness::Stale => !asking.wants_fresh,
            Freshness::Expired | Freshness::Dead => false,
        };
        if is_of_use {
            return Ok(Look::Found(entry));
        }
        let mark = store::mark(&found.bytes).to_vec();
        // Where entries are kept in memory, those that stand in come from there.
        let may_stand_in = asking.wants_fresh && !asking.policy.keeps_in_memory() && freshness != Freshness::Dead;
        Ok(if may_stand_in { Look::Old(entry, mark) } else { Look::Nothing(mark) })
    }

    fn is_stale(&self, entry: &Entry) -> bool {
        entry.freshness(|| self.engine.now()) == Freshness::Stale
    }

    /// Looks for an envelope that nothing has made wrong, whatever is in it and however old it is.
    async fn look_closed(&self) -> Result<Closed, StoreError> {
        let remote = self.remote;
        // Break this (drop the line) and who has invalidated without waiting is answered with what was before.
        if !remote.is_delivered(self.name, self.groups).await {
            return Err(undelivered());
        }
        let read = remote.store.read(self.name, self.groups).await?;
        let Some(bytes) = read.value else { return Ok(Closed::Nothing(Vec::new())) };
        let identity = name::identity(&self.engine.namespace, self.asking.at);
        let Ok((header, payload)) = envelope::open(&bytes, identity, self.groups) else {
            self.refuse(&bytes).await?;
            return Ok(Closed::Nothing(Vec::new()));
        };
        let others: Vec<_> = header.groups.iter().filter(|group| !self.groups.contains(group)).cloned().collect();
        let mut is_valid = are_valid(&read.clocks, header.stamp);
        if is_valid && !others.is_empty() {
            if !remote.is_delivered(self.name, &others).await {
                return Err(undelivered());
            }
            is_valid = are_valid(&remote.store.clocks(self.name, &others).await?, header.stamp);
        }
        if !is_valid {
            return Ok(Closed::Nothing(store::mark(&bytes).to_vec()));
        }
        Ok(Closed::Valid(Found { bytes, header, payload }))
    }

    /// Takes the value out. Nothing if it is of another type, or of another form.
    fn decode<V, K: Keep<V>>(&self, found: &Found, keep: K) -> Option<V> {
        let header = &found.header;
        // Whatever is set now: the number is covered by the checksum, and the digest of the type holds for every form.
        let codec = Codec::numbered(header.codec)?;
        if Some(header.schema) != keep.schema() {
            return None;
        }
        let raw = Compression::numbered(header.compression)?.unpack(found.payload(), header.raw_len as usize)?;
        // Code of users, of which a cache must not break.
        caught(|| keep.decode(&raw, codec))?
    }

    /// Removes what can't be read.
    async fn refuse(&self, bytes: &[u8]) -> Result<(), StoreError> {
        self.remote.counters.refused.one();
        self.engine.tell(|| Event::ValueRefused(self.asking.at.key()));
        self.remote.store.remove_same(self.name, bytes).await
    }
}

fn undelivered() -> StoreError {
    StoreError::new(StoreErrorKind::Down, "the store does not take an invalidation")
}

/// Whether a value with this stamp saw the last invalidation of each group, and none was forgotten.
pub(super) fn are_valid(clocks: &[Option<Reading>], stamp: Reading) -> bool {
    clocks.iter().all(|clock| clock.is_some_and(|at| at <= stamp))
}
