//! The load: users who read what others write, over HTTP.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::Error;
use crate::client::Client;
use crate::database::Place;
use crate::draw::Draw;
use crate::known::Known;
use crate::repository::{Caching, Numbers, Posts, Tables};
use crate::service;
use crate::user::{Tally, User, draft};

pub(crate) const USERS: u64 = 8;
/// How many posts there are in the beginning.
pub(crate) const POSTS: usize = 200;

/// What came of a load.
pub(crate) struct Outcome {
    pub(crate) numbers: Numbers,
    pub(crate) duration: Duration,
    pub(crate) tally: Tally,
}

/// Runs it on tables of its own, which are removed in the end.
pub(crate) fn run(runtime: &Runtime, place: &Place, requests: u64, caching: Caching) -> Result<Outcome, Error> {
    let posts = Posts::open(place, Tables::New, caching)?;
    let outcome = runtime.block_on(load(posts.clone(), requests));
    let removed = posts.remove_tables();
    let outcome = outcome?;
    removed?;
    Ok(outcome)
}

async fn load(posts: Posts, requests: u64) -> Result<Outcome, Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let (end, ended) = oneshot::channel::<()>();
    let service = tokio::spawn(service::serve(listener, posts, async {
        // Or the sender is gone, which is an end as well.
        let _end = ended.await;
    }));

    let client = Client::new(address);
    let known = Arc::new(Known::default());
    let mut draw = Draw::new(USERS);
    for _ in 0..POSTS {
        known.created(client.create(&draft()).await?.id, &mut draw);
    }

    let taken = Arc::new(AtomicU64::new(0));
    let began_at = now();
    let mut users = JoinSet::new();
    for seed in 0..USERS {
        let user = User::new(Client::new(address), known.clone(), seed);
        users.spawn(user.go_on(taken.clone(), requests));
    }
    let mut tally = Tally::default();
    while let Some(done) = users.join_next().await {
        let Tally { reads, writes, stale } = done??;
        tally.reads.extend(reads);
        tally.writes += writes;
        tally.stale.extend(stale);
    }
    let duration = began_at.elapsed();
    tally.reads.sort_unstable();

    let numbers = client.numbers().await?;
    drop(client);
    drop(end);
    service.await??;
    Ok(Outcome { numbers, duration, tally })
}

#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
