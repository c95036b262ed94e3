//! The policies as one would write them down first: vectors, oldest first, searched from end to end.

/// A cache of keys.
pub(super) trait Model {
    fn access(&mut self, key: u64);
    fn replace(&mut self, key: u64);
    fn remove(&mut self, key: u64);
    fn keys(&self) -> Vec<u64>;
}

pub(super) struct NaiveLru {
    capacity: usize,
    keys: Vec<u64>,
}

impl NaiveLru {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, keys: Vec::new() }
    }
}

impl Model for NaiveLru {
    fn access(&mut self, key: u64) {
        if self.keys.contains(&key) {
            self.remove(key);
        } else if self.keys.len() == self.capacity {
            self.keys.remove(0);
        }
        self.keys.push(key);
    }

    fn replace(&mut self, key: u64) {
        if self.keys.contains(&key) {
            self.access(key);
        }
    }

    fn remove(&mut self, key: u64) {
        self.keys.retain(|known| *known != key);
    }

    fn keys(&self) -> Vec<u64> {
        self.keys.clone()
    }
}

pub(super) struct NaiveFifo(NaiveLru);

impl NaiveFifo {
    pub(super) fn new(capacity: usize) -> Self {
        Self(NaiveLru::new(capacity))
    }
}

impl Model for NaiveFifo {
    fn access(&mut self, key: u64) {
        if !self.0.keys.contains(&key) {
            self.0.access(key);
        }
    }

    fn replace(&mut self, key: u64) {
        self.0.replace(key);
    }

    fn remove(&mut self, key: u64) {
        self.0.remove(key);
    }

    fn keys(&self) -> Vec<u64> {
        self.0.keys()
    }
}

pub(super) struct NaiveSieve {
    capacity: usize,
    /// Keys with whether they were used.
    keys: Vec<(u64, bool)>,
    hand: usize,
}

impl NaiveSieve {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, keys: Vec::new(), hand: 0 }
    }

    fn evict(&mut self) {
        loop {
            self.hand %= self.keys.len();
            if !self.keys[self.hand].1 {
                break;
            }
            self.keys[self.hand].1 = false;
            self.hand += 1;
        }
        self.keys.remove(self.hand);
        // Past the newest the hand goes back to the oldest, before anything newer comes.
        if self.hand == self.keys.len() {
            self.hand = 0;
        }
    }
}

impl Model for NaiveSieve {
    fn access(&mut self, key: u64) {
        if let Some(known) = self.keys.iter_mut().find(|known| known.0 == key) {
            known.1 = true;
            return;
        }
        if self.keys.len() == self.capacity {
            self.evict();
        }
        self.keys.push((key, false));
    }

    fn replace(&mut self, key: u64) {
        if self.keys.iter().any(|known| known.0 == key) {
            self.access(key);
        }
    }

    fn remove(&mut self, key: u64) {
        let Some(place) = self.keys.iter().position(|known| known.0 == key) else { return };
        self.keys.remove(place);
        if place < self.hand {
            self.hand -= 1;
        }
        if self.hand == self.keys.len() {
            self.hand = 0;
        }
    }

    fn keys(&self) -> Vec<u64> {
        self.keys.iter().map(|known| known.0).collect()
    }
}

pub(super) struct NaiveS3Fifo {
    capacity: usize,
    /// Keys with their uses.
    small: Vec<(u64, u8)>,
    main: Vec<(u64, u8)>,
    /// Keys that were evicted of late; a place stays taken when its key is recalled.
    ghost: Vec<Option<u64>>,
    has_evicted: bool,
}

impl NaiveS3Fifo {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, small: Vec::new(), main: Vec::new(), ghost: Vec::new(), has_evicted: false }
    }

    fn recall(&mut self, key: u64) -> bool {
        let place = self.ghost.iter_mut().find(|known| **known == Some(key));
        place.and_then(Option::take).is_some()
    }

    fn evict(&mut self) {
        self.has_evicted = true;
        loop {
            let len = self.small.len() + self.main.len();
            if !self.small.is_empty() && self.small.len() * 10 >= len {
                let (key, uses) = self.small.remove(0);
                if uses == 0 {
                    self.recall(key);
                    self.ghost.push(Some(key));
                    let beyond = self.ghost.len().saturating_sub(len - len / 10);
                    self.ghost.drain(..beyond);
                    return;
                }
                self.main.push((key, 0));
            } else {
                let (key, uses) = self.main.remove(0);
                if uses == 0 {
                    return;
                }
                self.main.push((key, uses - 1));
            }
        }
    }
}

impl Model for NaiveS3Fifo {
    fn access(&mut self, key: u64) {
        if let Some(known) = self.small.iter_mut().chain(&mut self.main).find(|known| known.0 == key) {
            known.1 = (known.1 + 1).min(3);
            return;
        }
        if self.small.len() + self.main.len() == self.capacity {
            self.evict();
        }
        if self.recall(key) || !self.has_evicted {
            self.main.push((key, 0));
        } else {
            self.small.push((key, 0));
        }
    }

    fn replace(&mut self, key: u64) {
        if self.keys().contains(&key) {
            self.access(key);
        }
    }

    fn remove(&mut self, key: u64) {
        self.small.retain(|known| known.0 != key);
        self.main.retain(|known| known.0 != key);
    }

    fn keys(&self) -> Vec<u64> {
        self.small.iter().chain(&self.main).map(|known| known.0).collect()
    }
}
