//! What is in the item of a key: who has the lease, and the value.
//!
//! ```text
//! magic 3 B · has a value u8 · value ends at u64 · token u64 · lease ends at u64 · span of the lease u64 · value
//! ```
//!
//! Times are in ms since 1970; all ones are never. A token of 0 is none.

use std::time::Duration;

use crate::time::{Clock, SystemClock};

const MAGIC: [u8; 3] = *b"cm\x01";
const HEAD: usize = 36;
const NEVER: u64 = u64::MAX;

/// What is in the item of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) value: Option<Vec<u8>>,
    /// When the value ends, if it does.
    pub(super) ends_at: Option<u64>,
    pub(super) lease: Option<Held>,
}

/// Who may store the value of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) token: u64,
    ends_at: u64,
    /// How long it was granted for: if the time of day is set back, it ends all the same.
    span: u64,
}

impl Held {
    pub(super) fn new(token: u64, span: Duration) -> Self {
        let span = millis(span).max(1);
        Self { token, ends_at: now().saturating_add(span), span }
    }
}

impl Item {
    pub(super) fn of(value: Vec<u8>, life: Option<Duration>) -> Self {
        let ends_at = life.map(|life| now().saturating_add(millis(life).max(1)));
        Self { value: Some(value), ends_at, lease: None }
    }

    /// Takes out what has ended.
    fn live(mut self) -> Self {
        let now = now();
        if self.ends_at.is_some_and(|end| end <= now) {
            self.value = None;
        }
        if self.value.is_none() {
            self.ends_at = None;
        }
        self.lease = self.lease.filter(|held| held.ends_at > now && held.ends_at - now <= held.span);
        self
    }

    pub(super) fn is_held_by(&self, token: u64) -> bool {
        self.lease.is_some_and(|held| held.token == token)
    }

    /// For how many seconds it is of use, or for good: the server counts in seconds.
    pub(super) fn seconds(&self) -> Option<u64> {
        let lease = self.lease.map_or(0, |held| held.ends_at);
        let end = match (&self.value, self.ends_at) {
            (Some(_), None) => return None,
            (Some(_), Some(end)) => end.max(lease),
            (None, _) => lease,
        };
        Some(end.saturating_sub(now()).div_ceil(1000) + 1)
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let value = self.value.as_deref().unwrap_or_default();
        let mut out = Vec::with_capacity(HEAD + value.len());
        out.extend(MAGIC);
        out.push(u8::from(self.value.is_some()));
        let (token, lease_ends_at, span) = self.lease.map_or((0, 0, 0), |held| (held.token, held.ends_at, held.span));
        for number in [self.ends_at.unwrap_or(NEVER), token, lease_ends_at, span] {
            out.extend(number.to_be_bytes());
        }
        out.extend(value);
        out
    }

    /// Reads what has not ended; what is not ours is as if there was nothing.
    pub(super) fn read(bytes: &[u8]) -> Self {
        Self::of_bytes(bytes).unwrap_or_default().live()
    }

    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (head, value) = bytes.split_at_checked(HEAD)?;
        let number = |at: usize| head[at..].first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
        let (ends_at, token) = (number(4)?, number(12)?);
        let held = Held { token, ends_at: number(20)?, span: number(28)? };
        head.starts_with(&MAGIC).then(|| Self {
            value: (head[3] == 1).then(|| value.to_vec()),
            ends_at: (ends_at != NEVER).then_some(ends_at),
            lease: (held.span > 0).then_some(held),
        })
    }
}

fn now() -> u64 {
    millis(SystemClock.unix_time())
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::altered_tests::{alterations, altered};

    proptest! {
        #[test]
        fn an_item_is_read_as_it_was_written(value: Option<Vec<u8>>, token: u64, seconds in 60..10_000_u64) {
            let span = Duration::from_secs(seconds);
            let mut item = Item { lease: Some(Held::new(token, span)), ..Item::default() };
            prop_assert_eq!(Item::read(&item.write()), item.clone());
            if let Some(value) = value {
                item = Item { lease: item.lease, ..Item::of(value, Some(span)) };
                prop_assert_eq!(Item::read(&item.write()), item);
            }
        }

        #[test]
        fn what_is_read_of_an_altered_item_is_what_it_says(value: Option<Vec<u8>>, token: u64, how in alterations()) {
            let item = Item { value, ends_at: Some(u64::MAX - 1), lease: Some(Held::new(token, Duration::from_secs(600))) };
            let other = altered(&item.write(), &how);
            let read = Item::read(&other);
            let _seconds = read.seconds();
            prop_assert_eq!(Item::read(&read.write()), read);
        }

        #[test]
        fn bytes_of_others_are_no_reason_to_panic(bytes: Vec<u8>) {
            let _item = Item::read(&bytes);
            let _item = Item::read(&[&MAGIC[..], &bytes].concat());
        }
    }

    #[test]
    fn what_has_ended_is_not_there() {
        let ended =
            Item { value: Some(vec![1]), ends_at: Some(1), lease: Some(Held { token: 1, ends_at: 2, span: 3 }) };
        assert_eq!(Item::read(&ended.write()), Item::default());
        // The time of day was set back by a day.
        let set_back = Held { ends_at: now() + 86_400_000, ..Held::new(1, Duration::from_secs(1)) };
        assert_eq!(Item::read(&Item { lease: Some(set_back), ..Item::default() }.write()).lease, None);
    }

    #[test]
    fn the_server_keeps_it_for_as_long_as_something_in_it_is_of_use() {
        let minute = Duration::from_secs(60);
        assert_eq!(Item::of(Vec::new(), None).seconds(), None);
        assert!(Item::of(Vec::new(), Some(minute)).seconds().is_some_and(|seconds| (60..=62).contains(&seconds)));
        let held = Some(Held::new(1, 2 * minute));
        let both = Item { lease: held, ..Item::of(Vec::new(), Some(minute)) };
        assert!(both.seconds().is_some_and(|seconds| (120..=122).contains(&seconds)));
    }
}
