//! Many keys in one call: a page of products is asked for at once, and the shop's database is asked once for those that are missing.
//!
//! `cargo run --example batch`

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use cachex::{Cache, CacheScope, cached, invalidates};

/// A shop, its "database", and what the database was asked.
#[derive(CacheScope)]
struct Shop {
    #[scope(cache)]
    cache: Cache,
    prices: Mutex<BTreeMap<u32, u32>>,
    queries: Mutex<Vec<Vec<u32>>>,
}

impl Shop {
    /// Finds prices. `SELECT id, price FROM products WHERE id = ANY(…)`: what does not exist is not in the answer.
    #[cached(batch(id in ids), ttl = "5m", negative_ttl = "10s", tags = ["product:{id}"])]
    async fn prices(&self, ids: &[u32]) -> Result<BTreeMap<u32, u32>, std::io::Error> {
        println!("  SELECT … WHERE id IN {ids:?}");
        self.queries.lock().unwrap_or_else(PoisonError::into_inner).push(ids.to_vec());
        let prices = self.prices.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(ids.iter().filter_map(|id| Some((*id, *prices.get(id)?))).collect())
    }

    /// Sets a price. One element is named like an argument of a method for one key.
    #[invalidates(Self::prices(id))]
    async fn set_price(&self, id: u32, price: u32) -> Result<(), std::io::Error> {
        self.prices.lock().unwrap_or_else(PoisonError::into_inner).insert(id, price);
        Ok(())
    }

    fn queries(&self) -> Vec<Vec<u32>> {
        self.queries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let shop = Shop {
        cache: Cache::builder().build()?,
        prices: Mutex::new((1..=10).map(|id| (id, 100 * id)).collect()),
        queries: Mutex::default(),
    };

    println!("the first page");
    let page = shop.prices(&[1, 2, 3, 99]).await?;
    assert_eq!(page, BTreeMap::from([(1, 100), (2, 200), (3, 300)]));

    println!("the next one, with two of the same products");
    let page = shop.prices(&[3, 4, 5, 2]).await?;
    assert_eq!(page.len(), 4);

    println!("a price changes");
    shop.set_price(2, 150).await?;
    let page = shop.prices(&[1, 2, 3, 4, 5, 99]).await?;
    assert_eq!(page[&2], 150);

    // What was missing, and nothing else: that there is no product 99 is known as well.
    assert_eq!(shop.queries(), [vec![1, 2, 3, 99], vec![4, 5], vec![2]]);
    Ok(())
}
