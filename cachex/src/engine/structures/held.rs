//! A lock that may be held: until when, and how it is renewed and given back.

use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::flag;
use crate::engine::Engine;
use crate::error::Error;
use crate::key::Key;
use crate::runtime;
use crate::structure::{Answer, Operation};
use crate::time::Timestamp;
use crate::time::stopwatch::Stopwatch;

/// TTLs of locks are brought within these.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
/// How often a lock is given back where that fails, and how long after the first attempt it is tried again: twice as long each time.
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// What the guard and whoever renews it share.
pub(super) struct Held {
    pub(super) engine: Arc<Engine>,
    pub(super) key: Key,
    /// Drawn by the one who asks: so a lock can be given back whose answer was lost.
    owner: u64,
    ttl: Duration,
    until: Mutex<Until>,
}

/// Until when a lock is held for certain.
#[derive(Clone, Copy, Debug)]
enum Until {
    /// By the clock of the cache, which keeps it.
    Here(Timestamp),
    /// In real time, in which the other side lives: so long after it was asked. The clocks of two machines differ a little in speed.
    There(Stopwatch, Duration),
    Lost,
}

impl Held {
    pub(super) fn new(engine: &Arc<Engine>, key: &Key, ttl: Duration) -> Self {
        let ttl = ttl.clamp(SHORTEST, LONGEST);
        let owner = std::hash::RandomState::new().hash_one(std::process::id());
        let until = Mutex::new(asked(engine)(Duration::ZERO));
        Self { engine: engine.clone(), key: key.clone(), owner, ttl, until }
    }

    /// Asks for the lock.
    pub(super) async fn ask(&self) -> Result<Answer, Error> {
        let until = asked(&self.engine);
        let answer = self.engine.operate(&self.key, &Operation::Lock(self.owner, self.ttl)).await?;
        if matches!(answer, Answer::Token(_)) {
            self.set(until(self.ttl));
        }
        Ok(answer)
    }

    pub(super) async fn renew(&self, ttl: Duration) -> Result<bool, Error> {
        let ttl = ttl.clamp(SHORTEST, LONGEST);
        let until = asked(&self.engine);
        let is_held = flag(self.engine.operate(&self.key, &Operation::Renew(self.owner, ttl)).await?)?;
        self.set(if is_held { until(ttl) } else { Until::Lost });
        Ok(is_held)
    }

    pub(super) async fn release(&self) -> Result<bool, Error> {
        flag(self.engine.operate(&self.key, &Operation::Release(self.owner)).await?)
    }

    /// Whether the TTL is not over yet, as seen from here.
    pub(super) fn is_held(&self) -> bool {
        match *self.until() {
            Until::Here(until) => self.engine.now() < until,
            Until::There(since, span) => since.elapsed() < span - span / 100,
            Until::Lost => false,
        }
    }

    fn until(&self) -> MutexGuard<'_, Until> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a later end. As it is never put earlier there either, it does not matter which of two renewals is the last.
    fn set(&self, next: Until) {
        let mut until = self.until();
        let is_later = match (*until, next) {
            (Until::Here(known), Until::Here(next)) => next > known,
            (Until::There(known, known_span), Until::There(next, span)) => {
                span.saturating_sub(next.elapsed()) > known_span.saturating_sub(known.elapsed())
            }
            // Whoever has lost it does not get it back.
            (known, _) => !matches!(known, Until::Lost),
        };
        if is_later {
            *until = next;
        }
    }

    /// Gives the lock back: in memory at once, else in the background. Where it is not known to have been granted, what has asked for it may
    /// still be on its way, and come later than this: so that it is not held is believed at the last attempt only.
    pub(super) fn give_back(self: Arc<Self>, was_granted: bool) {
        if !self.engine.has_remote() {
            let _was_held = self.engine.operate_here(&self.key, &Operation::Release(self.owner));
            return;
        }
        runtime::spawn_own(async move {
            for attempt in 0..ATTEMPTS {
                match self.release().await {
                    Ok(true) => return,
                    Ok(false) if was_granted => return,
                    Ok(false) | Err(_) => {}
                }
                runtime::sleep(FIRST_PAUSE * 2_u32.pow(attempt)).await;
            }
        });
    }

    /// Waits in the time in which the lock lives.
    async fn pause(held: &Weak<Self>, span: Duration) -> Option<()> {
        let held = held.upgrade()?;
        if held.engine.has_remote() {
            drop(held);
            runtime::sleep(span).await;
        } else {
            let sleep = held.engine.clock().sleep(held.engine.now().after(span));
            drop(held);
            sleep.await;
        }
        Some(())
    }
}

/// Notes when a lock is asked for; what comes out says until when it is held for certain if it is given.
fn asked(engine: &Engine) -> impl Fn(Duration) -> Until + use<> {
    let (now, watch, is_there) = (engine.now(), Stopwatch::start(), engine.has_remote());
    move |ttl| if is_there { Until::There(watch, ttl) } else { Until::Here(now.after(ttl)) }
}

/// Renews a lock three times in its TTL, until it is lost or nobody holds the guard.
pub(super) async fn keep_renewing(held: Weak<Held>) {
    let mut part = 3;
    loop {
        let Some(ttl) = held.upgrade().map(|held| held.ttl) else { return };
        if Held::pause(&held, ttl / part).await.is_none() {
            return;
        }
        let Some(known) = held.upgrade() else { return };
        part = match known.renew(ttl).await {
            Ok(true) => 3,
            Ok(false) => return,
            // Soon again: there are two thirds left.
            Err(_) => 10,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cache;

    fn held(cache: &Cache) -> Held {
        Held::new(cache.engine(), &Key::new("lock"), LONGEST)
    }

    // Guards the last arm of `set`: the answer to a renewal may come later than that of one which was asked after it.
    #[test]
    fn what_was_lost_is_not_held_again() {
        let cache = Cache::builder().build().expect("the settings are those from the start");
        let (held, hour) = (held(&cache), Duration::from_secs(3600));
        for next in [Until::Here(cache.engine().now().after(hour)), Until::There(Stopwatch::start(), hour)] {
            held.set(Until::Lost);
            held.set(next);
            assert!(!held.is_held(), "{next:?}");
        }
    }

    #[test]
    fn an_end_is_never_put_earlier() {
        let cache = Cache::builder().build().expect("the settings are those from the start");
        let (held, now, hour) = (held(&cache), cache.engine().now(), Duration::from_secs(3600));
        held.set(Until::Here(now.after(hour)));
        held.set(Until::Here(now));
        assert!(held.is_held());
        *held.until() = Until::There(Stopwatch::start(), hour);
        held.set(Until::There(Stopwatch::start(), Duration::ZERO));
        assert!(held.is_held());
    }
}
