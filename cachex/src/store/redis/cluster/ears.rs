//! The notices of all masters: nothing is lost while all of them are listened to.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::store::Listener;

/// Who is to be listened to, and who is.
///
/// All of it is called by tasks on our own thread, one after the other: so what the listener is told comes in its order.
pub(super) struct Ears {
    state: Mutex<State>,
    listener: Arc<dyn Listener>,
}

#[derive(Default)]
struct State {
    wanted: BTreeSet<u64>,
    heard: BTreeSet<u64>,
    is_whole: bool,
}

impl Ears {
    pub(super) fn new(listener: Arc<dyn Listener>) -> Self {
        Self { state: Mutex::default(), listener }
    }

    /// Says who is to be listened to from now on. If it is not who it was, something may have been lost.
    pub(super) fn want(&self, wanted: BTreeSet<u64>) {
        let has_changed = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let has_changed = state.wanted != wanted;
            state.heard.retain(|number| wanted.contains(number));
            state.wanted = wanted;
            has_changed && std::mem::take(&mut state.is_whole)
        };
        if has_changed {
            self.listener.missed();
        }
        self.settle();
    }

    /// Returns the ear for one of them.
    pub(super) fn ear(self: &Arc<Self>, number: u64) -> Arc<dyn Listener> {
        Arc::new(Ear { ears: self.clone(), number })
    }

    fn hears(&self, number: u64, does: bool) {
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if does {
                state.heard.insert(number)
            } else {
                state.heard.remove(&number)
            };
        }
        self.settle();
    }

    /// Tells whether all are listened to, if that has changed.
    fn settle(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_whole = !state.wanted.is_empty() && state.wanted.is_subset(&state.heard);
        let was_whole = std::mem::replace(&mut state.is_whole, is_whole);
        drop(state);
        match (was_whole, is_whole) {
            (false, true) => self.listener.listening(),
            (true, false) => self.listener.missed(),
            _ => {}
        }
    }
}

struct Ear {
    ears: Arc<Ears>,
    number: u64,
}

impl Listener for Ear {
    fn up(&self) {}

    fn down(&self) {}

    fn replaced(&self) {}

    fn troubled(&self, why: &str) {
        self.ears.listener.troubled(why);
    }

    fn listening(&self) {
        self.ears.hears(self.number, true);
    }

    fn missed(&self) {
        self.ears.hears(self.number, false);
    }

    fn noticed(&self, notice: &[u8]) {
        self.ears.listener.noticed(notice);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Told(Mutex<Vec<&'static str>>);

    impl Listener for Told {
        fn up(&self) {}
        fn down(&self) {}
        fn replaced(&self) {}
        fn troubled(&self, _why: &str) {}
        fn listening(&self) {
            self.0.lock().expect("nobody panics").push("listening");
        }
        fn missed(&self) {
            self.0.lock().expect("nobody panics").push("missed");
        }
        fn noticed(&self, _notice: &[u8]) {}
    }

    #[test]
    fn nothing_is_lost_while_all_are_listened_to() {
        let told = Arc::new(Told::default());
        let ears = Arc::new(Ears::new(told.clone()));
        let check =
            |expected: &[&str]| assert_eq!(std::mem::take(&mut *told.0.lock().expect("nobody panics")), expected);
        let (one, two, three) = (ears.ear(1), ears.ear(2), ears.ear(3));
        ears.want([1, 2].into());
        one.listening();
        check(&[]);
        two.listening();
        check(&["listening"]);
        two.missed();
        one.missed();
        check(&["missed"]);
        one.listening();
        two.listening();
        check(&["listening"]);
        // Another one beside them, and then instead of them.
        ears.want([1, 2, 3].into());
        check(&["missed"]);
        three.listening();
        check(&["listening"]);
        ears.want([3].into());
        check(&["missed", "listening"]);
        ears.want([3].into());
        check(&[]);
        ears.want([].into());
        check(&["missed"]);
    }
}
