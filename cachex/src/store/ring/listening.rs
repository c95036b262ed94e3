//! Several stores, one listener.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::Listener;

/// What is known of all stores.
struct Known {
    listener: Arc<dyn Listener>,
    /// Which of them listen.
    listening: Mutex<Vec<bool>>,
}

/// What one of the stores tells.
pub(super) struct Part {
    index: usize,
    known: Arc<Known>,
}

impl Part {
    /// Returns a listener for each of so many stores.
    pub(super) fn all(count: usize, listener: Arc<dyn Listener>) -> impl Iterator<Item = Self> {
        let known = Arc::new(Known { listener, listening: Mutex::new(vec![false; count]) });
        (0..count).map(move |index| Self { index, known: known.clone() })
    }

    fn listening(&self) -> MutexGuard<'_, Vec<bool>> {
        self.known.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Part {
    fn up(&self) {
        self.known.listener.up();
    }

    fn down(&self) {
        self.known.listener.down();
    }

    fn replaced(&self) {
        self.known.listener.replaced();
    }

    fn troubled(&self, why: &str) {
        self.known.listener.troubled(why);
    }

    fn listening(&self) {
        // Told under the lock, here and below: else it could be told in another order than it was.
        let mut listening = Self::listening(self);
        listening[self.index] = true;
        if listening.iter().all(|is_listening| *is_listening) {
            self.known.listener.listening();
        }
    }

    fn missed(&self) {
        let mut listening = Self::listening(self);
        let were_all = listening.iter().all(|is_listening| *is_listening);
        listening[self.index] = false;
        if were_all {
            self.known.listener.missed();
        }
    }

    fn noticed(&self, notice: &[u8]) {
        self.known.listener.noticed(notice);
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
            self.0.lock().expect("nobody panics with it").push("listening");
        }
        fn missed(&self) {
            self.0.lock().expect("nobody panics with it").push("missed");
        }
        fn noticed(&self, _notice: &[u8]) {}
    }

    #[test]
    fn it_listens_while_all_stores_do() {
        let told = Arc::new(Told::default());
        let parts: Vec<_> = Part::all(2, told.clone()).collect();
        let check = |expected: &[&str]| assert_eq!(*told.0.lock().expect("nobody panics with it"), expected);
        Listener::listening(&parts[0]);
        parts[0].missed();
        Listener::listening(&parts[1]);
        check(&[]);
        Listener::listening(&parts[0]);
        check(&["listening"]);
        parts[1].missed();
        parts[0].missed();
        check(&["listening", "missed"]);
        Listener::listening(&parts[0]);
        Listener::listening(&parts[1]);
        check(&["listening", "missed", "listening"]);
    }
}
