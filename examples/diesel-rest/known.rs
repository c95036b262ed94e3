//! What is known of the posts from the answers to writes: no read that begins after such an answer may return less.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::draw::Draw;
use crate::repository::{LISTED, Post, Revision};

/// What is known of one post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    /// How many edits were answered.
    edits: i32,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nobody has asked to delete it.
    Stays,
    /// Somebody has, and may have had an answer since.
    Goes,
    /// It was answered that it is deleted.
    Gone,
}

/// All posts that were ever there.
pub(crate) type Fates = BTreeMap<i32, Fate>;

/// What all users know together.
#[derive(Default)]
pub(crate) struct Known(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    fates: Fates,
    /// Those that are there, the most popular first.
    ranks: Vec<i32>,
    /// The one that was deleted last.
    gone: Option<i32>,
}

impl Known {
    /// Returns a post to read: a popular one, or now and then the one that was deleted last.
    pub(crate) fn choose(&self, draw: &mut Draw) -> i32 {
        let inner = self.lock();
        match inner.gone {
            Some(id) if draw.below(50) == 0 => id,
            _ => inner.ranks[draw.popular(inner.ranks.len())],
        }
    }

    /// Has a post go: others ask for it no longer, and the one who is told `true` deletes it. A few stay in any case.
    pub(crate) fn let_go(&self, id: i32) -> bool {
        let mut inner = self.lock();
        let rank = inner.ranks.iter().position(|ranked| *ranked == id);
        let Some(rank) = rank.filter(|_| inner.ranks.len() > LISTED) else {
            return false;
        };
        inner.ranks.remove(rank);
        inner.fates.entry(id).and_modify(|fate| fate.stage = Stage::Goes);
        true
    }

    /// Notes that a post was made.
    pub(crate) fn created(&self, id: i32, draw: &mut Draw) {
        let mut inner = self.lock();
        let rank = draw.below(inner.ranks.len() + 1);
        inner.ranks.insert(rank, id);
        inner.fates.insert(id, Fate { edits: 0, stage: Stage::Stays });
    }

    /// Notes what an edit was answered with.
    pub(crate) fn updated(&self, post: &Post) {
        self.lock().fates.entry(post.id).and_modify(|fate| fate.edits = fate.edits.max(post.edits));
    }

    pub(crate) fn deleted(&self, id: i32) {
        let mut inner = self.lock();
        inner.gone = Some(id);
        inner.fates.entry(id).and_modify(|fate| fate.stage = Stage::Gone);
    }

    pub(crate) fn fate(&self, id: i32) -> Fate {
        self.lock().fates[&id]
    }

    pub(crate) fn fates(&self) -> Fates {
        self.lock().fates.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says what is wrong with an answer, from what was known before it was asked for and what is known after it.
pub(crate) fn check_post(before: Fate, after: Fate, answer: Option<&Post>) -> Result<(), String> {
    match answer {
        Some(post) if before.stage == Stage::Gone => Err(format!("post {} is read after it was deleted", post.id)),
        Some(post) if post.edits < before.edits => {
            Err(format!("post {} is read with {} edits, and {} were answered", post.id, post.edits, before.edits))
        }
        None if after.stage == Stage::Stays => Err("a post is not found that is there".to_owned()),
        _ => Ok(()),
    }
}

pub(crate) fn check_revisions(before: Fate, after: Fate, answer: &[Revision]) -> Result<(), String> {
    let (found, edits) = (answer.len(), before.edits);
    match before.stage {
        Stage::Gone if found > 0 => Err(format!("{found} revisions are read of a post that was deleted")),
        _ if after.stage == Stage::Stays && found < edits as usize => {
            Err(format!("{found} revisions are read, and {edits} edits were answered"))
        }
        _ => Ok(()),
    }
}

pub(crate) fn check_newest(before: &Fates, after: &Fates, answer: &[Post]) -> Result<(), String> {
    for post in answer {
        if let Some(fate) = before.get(&post.id) {
            check_post(*fate, *fate, Some(post))?;
        }
    }
    let oldest = answer.get(LISTED - 1).map_or(0, |post| post.id);
    let is_listed = |id| answer.iter().any(|post| post.id == id);
    let stays = |id| after.get(id).is_some_and(|fate| fate.stage == Stage::Stays);
    match before.range(oldest..).find(|(id, _)| stays(id) && !is_listed(**id)) {
        Some((id, _)) => Err(format!("post {id} is there, and is not listed")),
        None => Ok(()),
    }
}
