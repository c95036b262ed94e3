//! A cached function, with nothing set up: no cache is made, none is named.
//!
//! `cargo run --example free_function`

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use cachex::cached;

/// What one unit of a currency is worth in others.
type Rates = BTreeMap<String, f64>;

/// What can go wrong; it is never kept.
#[derive(Debug, PartialEq)]
struct UnknownCurrency(String);

/// How often the bank was asked.
static ASKED: AtomicU32 = AtomicU32::new(0);

#[cached(ttl = "10s")]
async fn rates(currency: &str) -> Result<Rates, UnknownCurrency> {
    ASKED.fetch_add(1, Ordering::Relaxed);
    println!("  asking the bank about {currency}");
    let dollars = [("CHF", 1.25), ("EUR", 1.16), ("GBP", 1.34), ("USD", 1.0)];
    let Some((_, worth)) = dollars.iter().find(|(name, _)| *name == currency) else {
        return Err(UnknownCurrency(currency.to_owned()));
    };
    Ok(dollars.iter().map(|(name, other)| ((*name).to_owned(), worth / other)).collect())
}

#[tokio::main]
async fn main() -> Result<(), UnknownCurrency> {
    for currency in ["EUR", "EUR", "GBP", "EUR"] {
        println!("1 {currency} = {:.3} USD", rates(currency).await?["USD"]);
    }
    // Two currencies, two loads: the other calls were hits.
    assert_eq!(ASKED.load(Ordering::Relaxed), 2);

    // An error comes through as it is, and the next call tries again.
    for _ in 0..2 {
        assert_eq!(rates("FOO").await, Err(UnknownCurrency("FOO".to_owned())));
    }
    assert_eq!(ASKED.load(Ordering::Relaxed), 4);

    // The same call without the cache, and the entry gone by hand: each cached function has these companions.
    rates_uncached("CHF").await?;
    assert!(rates_remove("EUR").await);
    rates("EUR").await?;
    assert_eq!(ASKED.load(Ordering::Relaxed), 6);

    let methods = cachex::installed().methods();
    for method in methods {
        let stats = method.stats;
        println!("{}: {} hits, {} loads, {} errors", method.name, stats.hits, stats.loads, stats.load_errors);
    }
    Ok(())
}
