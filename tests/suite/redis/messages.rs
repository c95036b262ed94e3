//! The notices of all processes, handed to callbacks.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use cachex::{Cache, EntryOptions, InvalidationMessage, InvalidationSubscription, Key, Verdict};
use cachex_tests::redis::Server;

use super::{node, until};

/// Subscribes, and returns what comes.
fn heard(cache: &Cache) -> (InvalidationSubscription, Receiver<InvalidationMessage>) {
    let (sender, messages) = channel();
    let subscription = cache.subscribe_invalidations(move |message| sender.send(message).unwrap());
    assert!(subscription.is_active());
    (subscription, messages)
}

fn next(messages: &Receiver<InvalidationMessage>) -> InvalidationMessage {
    messages.recv_timeout(Duration::from_secs(10)).expect("a message comes")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_hears_of_what_any_process_invalidates() {
    let server = Server::start();
    let (a, b) = (node(&server).await, node(&server).await);
    let (_subscription, messages) = heard(&a);
    b.invalidate_tags(["users", "user:7"]).await;
    let message = next(&messages);
    let mut tags: Vec<_> = message.tags().collect();
    tags.sort_unstable();
    assert_eq!((tags, message.is_own(), message.missed()), (vec!["user:7", "users"], false, 0));
    assert!(message.time().is_some_and(|time| time > Duration::from_secs(1_700_000_000)));
    assert!(message.key().is_none() && !message.is_everything() && message.methods().next().is_none());

    let key = Key::new("a");
    b.remove(&key).await;
    let removal = next(&messages);
    assert!(removal.is_of(&key) && !removal.is_of(&Key::new("b")) && removal.tags().next().is_none());
    assert_eq!((removal.source(), removal.id()), (message.source(), message.id() + 1));

    a.set(&key, 1, &EntryOptions::new()).await.unwrap();
    let own = next(&messages);
    assert!(own.is_own() && own.is_of(&key) && own.source() != message.source());

    b.clear().await;
    assert!(next(&messages).is_everything());
    assert!(b.remote_stats().unwrap().published >= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_invalidated_everywhere_before_a_callback_hears_of_it() {
    let server = Server::start();
    let (a, b) = (node(&server).await, node(&server).await);
    let (tagged, named) = (Key::new("tagged"), Key::new("named"));
    a.set(&tagged, 1, &EntryOptions::new().tag("imported")).await.unwrap();
    a.set(&named, 1, &EntryOptions::new()).await.unwrap();
    assert_eq!((b.get::<i32>(&tagged).await.unwrap(), b.get::<i32>(&named).await.unwrap()), (Some(1), Some(1)));
    let (sender, held) = channel();
    let here = b.clone();
    let _subscription = b.subscribe_invalidations(move |message| {
        let (tagged, named) = (Key::new("tagged"), Key::new("named"));
        let key = if message.key().is_some() { named } else { tagged };
        // What answers from memory; the second tier knows already.
        let verdict = here.explain(&key).verdict;
        sender.send(matches!(verdict, Verdict::Fresh | Verdict::Stale)).unwrap();
    });
    a.publish_invalidation(["imported"], std::slice::from_ref(&named)).await;
    assert_eq!((b.get::<i32>(&tagged).await.unwrap(), a.get::<i32>(&named).await.unwrap()), (None, None));
    for _ in 0..2 {
        assert_eq!(held.recv_timeout(Duration::from_secs(10)), Ok(false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_panics_or_is_dropped_harms_nobody() {
    let server = Server::start();
    let (a, b) = (node(&server).await, node(&server).await);
    let _panicking = a.subscribe_invalidations(|_| panic!("the callback of a test"));
    let (first, first_messages) = heard(&a);
    let (_second, messages) = heard(&a);
    b.invalidate_tags(["one"]).await;
    assert_eq!((next(&messages).tags().count(), next(&first_messages).tags().count()), (1, 1));
    drop(first);
    b.invalidate_tags(["two"]).await;
    assert_eq!(next(&messages).tags().collect::<Vec<_>>(), ["two"]);
    // Its callback has gone, and the sender in it.
    assert_eq!(first_messages.recv_timeout(Duration::from_secs(10)).unwrap_err(), RecvTimeoutError::Disconnected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_callback_delays_no_invalidation_and_is_told_what_it_missed() {
    let server = Server::start();
    let (a, b) = (node(&server).await, node(&server).await);
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let (sender, messages) = channel();
    let waiting = gate.clone();
    let _subscription = a.subscribe_invalidations(move |message| {
        let (is_open, opened) = &*waiting;
        let _open = opened.wait_while(is_open.lock().unwrap(), |is_open| !*is_open).unwrap();
        sender.send(message.missed()).unwrap();
    });
    let key = Key::new("a");
    b.set(&key, 1, &EntryOptions::new().tag("slow")).await.unwrap();
    assert_eq!(a.get::<i32>(&key).await.unwrap(), Some(1));
    for number in 0..1_100 {
        b.invalidate_tags([format!("tag:{number}")]).await;
    }
    b.invalidate_tags(["slow"]).await;
    until("the invalidation came in", async || a.get::<i32>(&key).await.unwrap().is_none()).await;
    until("some were left out", async || a.remote_stats().unwrap().unheard > 0).await;
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    let mut missed = 0;
    while missed == 0 {
        b.invalidate_tags(["more"]).await;
        missed = messages.try_iter().max().unwrap_or(0);
    }
    assert!(missed > 0);
}
