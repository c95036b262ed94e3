//! What several sources tell, the masters of a cluster or the stores of a ring, for one listener: no notice is lost while all of them are listened to.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Listener;

/// Who is to be listened to, and who is.
pub(super) struct Ears {
    state: Mutex<State>,
    listener: Arc<dyn Listener>,
}

#[derive(Default)]
struct State {
    wanted: BTreeSet<u64>,
    heard: BTreeSet<u64>,
    is_whole: bool,
    /// Whether all are listened to, at each change that the listener has not been told of.
    untold: VecDeque<bool>,
    is_being_told: bool,
}

impl State {
    fn settle(&mut self) {
        self.become_whole(!self.wanted.is_empty() && self.wanted.is_subset(&self.heard));
    }

    fn become_whole(&mut self, is_whole: bool) {
        if std::mem::replace(&mut self.is_whole, is_whole) != is_whole {
            self.untold.push_back(is_whole);
        }
    }
}

impl Ears {
    pub(super) fn new(listener: Arc<dyn Listener>) -> Self {
        Self { state: Mutex::default(), listener }
    }

    /// Says who is to be listened to from now on. If it is not who it was, something may have been lost.
    pub(super) fn want(&self, wanted: BTreeSet<u64>) {
        self.change(|state| {
            state.heard.retain(|number| wanted.contains(number));
            if state.wanted != wanted {
                state.wanted = wanted;
                state.become_whole(false);
            }
        });
    }

    /// Returns the ear for one of them.
    pub(super) fn ear(self: &Arc<Self>, number: u64) -> Arc<dyn Listener> {
        Arc::new(Ear { ears: self.clone(), number })
    }

    /// Changes what is known, and tells the listener what has come of it.
    ///
    /// It is told by one thread at a time, in the order of the changes, and not under the lock: memory is emptied then, and values of users are dropped. Who
    /// changes something meanwhile leaves it to that thread.
    fn change(&self, change: impl FnOnce(&mut State)) {
        {
            let mut state = self.state();
            change(&mut state);
            state.settle();
            if std::mem::replace(&mut state.is_being_told, true) {
                return;
            }
        }
        let telling = Telling(self);
        while let Some(is_whole) = telling.next() {
            if is_whole { self.listener.listening() } else { self.listener.missed() }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who tells the listener; dropped before the end, by a panic, it leaves the rest to the next one.
struct Telling<'a>(&'a Ears);

impl Telling<'_> {
    /// Returns what is to be told next. With nothing it is over.
    fn next(&self) -> Option<bool> {
        let mut state = self.0.state();
        let next = state.untold.pop_front();
        // In the same step: whoever changes something from now on tells it.
        state.is_being_told = next.is_some();
        next
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.state().is_being_told = false;
        }
    }
}

struct Ear {
    ears: Arc<Ears>,
    number: u64,
}

impl Listener for Ear {
    fn up(&self) {
        self.ears.listener.up();
    }

    fn down(&self) {
        self.ears.listener.down();
    }

    fn replaced(&self) {
        self.ears.listener.replaced();
    }

    fn troubled(&self, why: &str) {
        self.ears.listener.troubled(why);
    }

    fn listening(&self) {
        self.ears.change(|state| {
            state.heard.insert(self.number);
        });
    }

    fn missed(&self) {
        self.ears.change(|state| {
            state.heard.remove(&self.number);
        });
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
        // One who is not wanted any more is no reason to say anything.
        one.listening();
        one.missed();
        check(&[]);
    }

    /// As another thread would change something while this one tells.
    #[test]
    fn what_changes_while_the_listener_is_told_is_told_after_that() {
        #[derive(Default)]
        struct Changing {
            told: Told,
            ear: Mutex<Option<Arc<dyn Listener>>>,
        }

        impl Listener for Changing {
            fn up(&self) {}
            fn down(&self) {}
            fn replaced(&self) {}
            fn troubled(&self, _why: &str) {}
            fn listening(&self) {
                let ear = self.ear.lock().expect("nobody panics").take();
                let has_one = ear.is_some();
                ear.iter().for_each(|ear| ear.missed());
                self.told.listening();
                assert!(has_one, "the listener panics");
            }
            fn missed(&self) {
                self.told.missed();
            }
            fn noticed(&self, _notice: &[u8]) {}
        }

        let changing = Arc::new(Changing::default());
        let ears = Arc::new(Ears::new(changing.clone()));
        let ear = ears.ear(1);
        *changing.ear.lock().expect("nobody panics") = Some(ear.clone());
        ears.want([1].into());
        ear.listening();
        let told = || std::mem::take(&mut *changing.told.0.lock().expect("nobody panics"));
        assert_eq!(told(), ["listening", "missed"]);
        // Nor does it end with a listener that panics.
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ear.listening())).is_err());
        ear.missed();
        assert_eq!(told(), ["listening", "missed"]);
    }
}
