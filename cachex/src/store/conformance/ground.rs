//! What rules work with: two stores over the same bytes, names of their own, and who listens.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Verdict;
use crate::runtime;
use crate::store::{Ask, Group, Invalidation, Lease, Listener, Notice, Reading, Store, StoreError};
use crate::time::stopwatch::Stopwatch;

/// Longer than anything takes that comes at all.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);
/// For what must not end while it is looked at.
pub(super) const LONG: Duration = Duration::from_secs(600);
/// For what is to end.
pub(super) const SHORT: Duration = Duration::from_millis(100);

/// Two stores over the same bytes, as two processes have them.
pub(super) struct Ground {
    pub(super) a: Box<dyn Store>,
    pub(super) b: Box<dyn Store>,
    pub(super) heard: [Arc<Heard>; 2],
    /// Tells names from those of another run.
    run: u64,
    tokens: AtomicU64,
}

/// What a listener was told.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<Told>);

#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) is_listening: bool,
    /// Whether it ever was.
    pub(super) has_listened: bool,
    pub(super) missed: u64,
    pub(super) notices: Vec<Vec<u8>>,
}

impl Heard {
    pub(super) fn told(&self) -> Told {
        self.change(|told| told.clone())
    }

    fn change<T>(&self, change: impl FnOnce(&mut Told) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Listener for Heard {
    fn up(&self) {}

    fn down(&self) {}

    fn replaced(&self) {}

    fn troubled(&self, _why: &str) {}

    fn listening(&self) {
        self.change(|told| {
            told.is_listening = true;
            told.has_listened = true;
        });
    }

    fn missed(&self) {
        self.change(|told| {
            told.is_listening = false;
            told.missed += 1;
        });
    }

    fn noticed(&self, notice: &[u8]) {
        self.change(|told| told.notices.push(notice.to_vec()));
    }
}

impl Ground {
    pub(super) fn new(a: Box<dyn Store>, b: Box<dyn Store>) -> Self {
        let heard = [Arc::new(Heard::default()), Arc::new(Heard::default())];
        a.start(heard[0].clone());
        b.start(heard[1].clone());
        let run = std::hash::RandomState::new().hash_one(std::process::id());
        Self { a, b, heard, run, tokens: AtomicU64::new(run) }
    }

    pub(super) async fn is_ready(&self) -> Result<(), String> {
        let is_up = async || Ok(self.a.is_whole() && self.b.is_whole());
        within(is_up).await?.ok_or_else(|| format!("it is not up after {PATIENCE:?}"))
    }

    /// Names a key; of a rule each has another one.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{name}#{:016x}", self.run)
    }

    pub(super) fn group(&self, name: &str) -> Group {
        Group::tag(&format!("{name}#{:016x}", self.run))
    }

    pub(super) fn token(&self) -> u64 {
        self.tokens.fetch_add(1, Ordering::Relaxed)
    }

    /// Asks for a lease. Returns its token if it was granted.
    pub(super) async fn lease(&self, store: &dyn Store, key: &str, span: Duration) -> Result<Option<u64>, String> {
        let token = self.token();
        let lease = store.lease(Ask { key, token, span, seen: &[] }).await.or_say("lease")?;
        Ok((lease == Lease::Granted).then_some(token))
    }

    /// As [`lease`](Self::lease), and it is granted.
    pub(super) async fn granted(&self, store: &dyn Store, key: &str) -> Result<u64, String> {
        let granted = self.lease(store, key, LONG).await?;
        granted.ok_or_else(|| "a lease that nobody holds was not granted".to_owned())
    }
}

/// Returns a value; its mark tells the number.
pub(super) fn value(number: u64) -> Vec<u8> {
    [[0; 16].as_slice(), &number.to_be_bytes(), &(!number).to_be_bytes(), b"a value"].concat()
}

/// Returns the number of a value.
pub(super) fn number(value: &[u8]) -> Option<u64> {
    value.get(16..)?.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

pub(super) fn groups(groups: &[Group], name: &str) -> Invalidation {
    let notices = vec![notice(name)];
    Invalidation { groups: groups.to_vec(), keys: Vec::new(), notices }
}

pub(super) fn key(key: &str, name: &str) -> Invalidation {
    Invalidation { groups: Vec::new(), keys: vec![key.into()], notices: vec![notice(name)] }
}

pub(super) fn notice(name: &str) -> Notice {
    Notice { head: name.as_bytes().to_vec(), tail: b"tail".to_vec() }
}

/// Whether a clock lets no value of this stamp be valid.
pub(super) fn outdates(clock: Option<Reading>, stamp: Reading) -> bool {
    clock.is_none_or(|clock| clock > stamp)
}

/// Waits until something is so. Nothing if it does not come to that.
pub(super) async fn within(is_so: impl AsyncFn() -> Result<bool, String>) -> Result<Option<()>, String> {
    let begun = Stopwatch::start();
    while begun.elapsed() < PATIENCE {
        if is_so().await? {
            return Ok(Some(()));
        }
        runtime::sleep(PAUSE).await;
    }
    Ok(None)
}

/// Does all at once.
pub(super) async fn all(doings: Vec<Verdict<'_>>) -> Result<(), String> {
    runtime::together(doings).await.into_iter().collect()
}

/// What a store's error is for a rule.
pub(super) trait OrSay<T> {
    fn or_say(self, what: &str) -> Result<T, String>;
}

impl<T> OrSay<T> for Result<T, StoreError> {
    fn or_say(self, what: &str) -> Result<T, String> {
        self.map_err(|error| format!("`{what}` fails: {error}"))
    }
}

/// Fails with a message unless something is so.
macro_rules! hold {
    ($is_so:expr, $($seen:tt)*) => {
        if !$is_so {
            return Err(format!($($seen)*));
        }
    };
}
pub(super) use hold;

/// A list of rules: what each says, and the function that checks it.
macro_rules! rules {
    ($($says:literal => $check:ident,)*) => {
        pub(super) const RULES: &[super::Rule] = &[$(($says, |ground| Box::pin($check(ground)))),*];
    };
}
pub(super) use rules;
