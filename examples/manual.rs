//! The manual API: a cache used by hand, with everything that the attributes use.
//!
//! `cargo run --example manual`

use std::time::Duration;

use cachex::{Cache, EntryOptions, Error, Key, Verdict};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cache = Cache::builder().namespace("shop").max_entries(10_000).build()?;
    let options = EntryOptions::new().ttl(Duration::from_secs(60)).tag("users").tag("user:7");

    // Loaded once, kept under a typed key, with tags.
    let ada = Key::entity("user", &7);
    for _ in 0..3 {
        let name = cache.get_or_load(&ada, &options, load_user).await?;
        assert_eq!(name, "Ada");
    }
    assert_eq!(cache.stats().loads, 1);

    // What hangs together goes together.
    let page = Key::list("users", &("Bonn", 1));
    cache.set(&page, vec!["Ada".to_owned(), "Ben".to_owned()], &options).await?;
    explain(&cache, &page);
    cache.invalidate_tags(["user:7"]);
    explain(&cache, &page);
    assert_eq!(cache.explain(&page).verdict, Verdict::Invalidated);
    assert_eq!(cache.get::<String>(&ada).await?, None);

    // Counters: apart from values, and with a second tier one for all processes.
    let visits = Key::new("visits").part("front page");
    for _ in 0..3 {
        cache.increment(&visits, 1).await?;
    }
    assert_eq!(cache.counter(&visits).await?, Some(3));

    // Locks: the second one is refused, for a minute or until the first is given back.
    let (report, minute) = (Key::new("nightly report"), Duration::from_secs(60));
    let lock = cache.try_lock(&report, minute).await?;
    assert!(lock.is_some() && cache.try_lock(&report, minute).await?.is_none());

    // Several at once, by pattern, and taken out.
    let sessions = ["s1", "s2", "s3"].map(Key::session);
    cache.set_many(sessions.iter().cloned().map(|key| (key, true)), &EntryOptions::new()).await?;
    assert_eq!(cache.get_many::<bool>(&sessions).await?, [Some(true); 3]);
    assert_eq!(cache.pull::<bool>(&sessions[0]).await?, Some(true));
    assert_eq!(cache.remove_matching("*session*").await, 2);

    // A load of one's own: it knows whether its value may be kept.
    let loading = cache.begin_load(&ada);
    let name = load_user().await?;
    cache.invalidate_tags(["users"]); // somebody writes meanwhile
    assert!(!loading.store(name, &options)?);
    explain(&cache, &ada);

    let stats = cache.stats();
    println!("{} hits, {} loads, {} stores refused", stats.hits, stats.loads, stats.rejected_stores);
    Ok(())
}

async fn load_user() -> Result<String, Error> {
    Ok("Ada".to_owned())
}

/// Says why the next call of a key hits or misses.
fn explain(cache: &Cache, key: &Key) {
    let told = cache.explain(key);
    let tags: Vec<_> = told.tags.iter().map(|(tag, _)| tag.as_str()).collect();
    println!("{}: {}, tags [{}]", key.text(), told.verdict, tags.join(", "));
}
