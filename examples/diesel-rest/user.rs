//! One of many who use the service at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Error;
use crate::client::Client;
use crate::draw::Draw;
use crate::known::{Known, check_newest, check_post, check_revisions};
use crate::load::now;
use crate::repository::Draft;

/// How many reads come with a write, about.
const LOOKS: u64 = 4;

/// What users have seen.
#[derive(Default)]
pub(crate) struct Tally {
    /// How long each read took.
    pub(crate) reads: Vec<Duration>,
    pub(crate) writes: u64,
    /// What is wrong with answers.
    pub(crate) stale: Vec<String>,
}

/// One who reads, and now and then writes.
pub(crate) struct User {
    client: Client,
    known: Arc<Known>,
    draw: Draw,
    tally: Tally,
}

impl User {
    pub(crate) fn new(client: Client, known: Arc<Known>, seed: u64) -> Self {
        Self { client, known, draw: Draw::new(seed), tally: Tally::default() }
    }

    /// Asks until so many requests are taken.
    pub(crate) async fn go_on(mut self, taken: Arc<AtomicU64>, requests: u64) -> Result<Tally, Error> {
        while taken.fetch_add(1, Ordering::Relaxed) < requests {
            match self.draw.below(100) {
                0 => {
                    taken.fetch_add(LOOKS, Ordering::Relaxed);
                    self.write().await?;
                }
                _ => self.read().await?,
            }
        }
        Ok(self.tally)
    }

    async fn read(&mut self) -> Result<(), Error> {
        let id = self.known.choose(&mut self.draw);
        match self.draw.below(10) {
            0 => self.newest().await,
            1 => self.revisions(id).await,
            _ => self.find(id).await,
        }
    }

    /// Writes something, and looks at it after.
    async fn write(&mut self) -> Result<(), Error> {
        let id = match self.draw.below(10) {
            0 | 1 => self.create().await?,
            2 | 3 => self.delete().await?,
            _ => self.update().await?,
        };
        self.look(id).await
    }

    async fn create(&mut self) -> Result<i32, Error> {
        let id = self.client.create(&draft()).await?.id;
        self.known.created(id, &mut self.draw);
        self.tally.writes += 1;
        Ok(id)
    }

    async fn delete(&mut self) -> Result<i32, Error> {
        let id = self.known.choose(&mut self.draw);
        // So that what is deleted is in the cache.
        self.look(id).await?;
        // Else another was first.
        if self.known.let_go(id) {
            self.client.delete(id).await?;
            self.known.deleted(id);
            self.tally.writes += 1;
        }
        Ok(id)
    }

    async fn update(&mut self) -> Result<i32, Error> {
        let id = self.known.choose(&mut self.draw);
        self.look(id).await?;
        if let Some(post) = self.client.update(id, &draft()).await? {
            self.known.updated(&post);
            self.tally.writes += 1;
        }
        Ok(id)
    }

    async fn look(&mut self, id: i32) -> Result<(), Error> {
        self.find(id).await?;
        self.revisions(id).await
    }

    async fn find(&mut self, id: i32) -> Result<(), Error> {
        let before = self.known.fate(id);
        let post = timed(&mut self.tally.reads, self.client.find(id)).await?;
        self.tally.stale.extend(check_post(before, self.known.fate(id), post.as_ref()).err());
        Ok(())
    }

    async fn revisions(&mut self, id: i32) -> Result<(), Error> {
        let before = self.known.fate(id);
        let revisions = timed(&mut self.tally.reads, self.client.revisions(id)).await?;
        self.tally.stale.extend(check_revisions(before, self.known.fate(id), &revisions).err());
        Ok(())
    }

    async fn newest(&mut self) -> Result<(), Error> {
        let before = self.known.fates();
        let newest = timed(&mut self.tally.reads, self.client.newest()).await?;
        self.tally.stale.extend(check_newest(&before, &self.known.fates(), &newest).err());
        Ok(())
    }
}

pub(crate) fn draft() -> Draft {
    Draft { title: "What a cache is worth".to_owned(), body: "As much as what it spares. ".repeat(20) }
}

async fn timed<T>(times: &mut Vec<Duration>, read: impl Future<Output = T>) -> T {
    let began_at = now();
    let answer = read.await;
    times.push(began_at.elapsed());
    answer
}
