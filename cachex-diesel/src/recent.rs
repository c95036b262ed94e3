//! What a connection has sent of late: it is asked for without a look at what all connections have in common, and without its locks.

use std::any::TypeId;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::analyses::Script;

/// Statements that are remembered, of each kind; of two that have one place the later one is.
const MOST: usize = 32;

/// What a connection has sent of late.
#[derive(Default)]
pub(crate) struct Recent {
    hasher: RandomState,
    by_type: Places<(TypeId, Arc<Script>)>,
    by_text: Places<Arc<Script>>,
}

/// Made when there is something to remember: most connections to nothing but a kept query have nothing.
struct Places<T>(Option<Box<[Option<T>; MOST]>>);

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Places<T> {
    fn at(&self, hash: u64) -> Option<&T> {
        self.0.as_ref()?[place(hash)].as_ref()
    }

    fn put(&mut self, hash: u64, what: T) {
        let places = self.0.get_or_insert_with(|| Box::new([const { None }; MOST]));
        places[place(hash)] = Some(what);
    }
}

fn place(hash: u64) -> usize {
    hash as usize % MOST
}

impl Recent {
    fn hash(&self, of: impl Hash) -> u64 {
        self.hasher.hash_one(of)
    }

    pub(crate) fn of_type(&self, id: TypeId) -> Option<Arc<Script>> {
        let (known, script) = self.by_type.at(self.hash(id))?;
        (*known == id).then(|| script.clone())
    }

    pub(crate) fn of_text(&self, text: &str) -> Option<Arc<Script>> {
        let script = self.by_text.at(self.hash(text))?;
        (*script.text == *text).then(|| script.clone())
    }

    pub(crate) fn note_type(&mut self, id: TypeId, script: Arc<Script>) {
        self.by_type.put(self.hash(id), (id, script));
    }

    pub(crate) fn note_text(&mut self, script: Arc<Script>) {
        self.by_text.put(self.hash(&*script.text), script);
    }
}
