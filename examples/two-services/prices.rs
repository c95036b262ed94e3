//! The prices, in a file that both processes read and write, and cached in front of it.

use std::path::PathBuf;
use std::time::Duration;

use cachex::{Cache, CacheScope, RedisSettings, RemoteStats, cached, invalidates};

use crate::Error;

/// The prices of a shop.
#[derive(CacheScope)]
pub(crate) struct Prices {
    #[scope(cache)]
    cache: Cache,
    file: PathBuf,
}

impl Prices {
    pub(crate) fn open(url: &str, file: &str) -> Result<Self, Error> {
        let cache = Cache::builder().namespace("two-services").redis(RedisSettings::new(url)).build()?;
        let connected = tokio::runtime::Builder::new_current_thread().build()?;
        connected.block_on(cache.connected(Duration::from_secs(10)))?;
        Ok(Self { cache, file: file.into() })
    }

    /// Returns what an article costs, in cents.
    #[cached(name = "prices.of", ttl = "1h", tags = ["price:{article}"])]
    pub(crate) fn of(&self, article: u64) -> Result<u64, std::io::Error> {
        let _one_file_for_one_article = article;
        let text = std::fs::read_to_string(&self.file)?;
        text.trim().parse().map_err(std::io::Error::other)
    }

    /// Changes what an article costs.
    #[invalidates(tags = ["price:{article}"])]
    pub(crate) fn set(&self, article: u64, cents: u64) -> Result<(), std::io::Error> {
        let _one_file_for_one_article = article;
        // In one step: nobody reads half of it.
        let next = self.file.with_extension("next");
        std::fs::write(&next, cents.to_string())?;
        std::fs::rename(&next, &self.file)
    }

    pub(crate) fn stats(&self) -> Option<RemoteStats> {
        self.cache.remote_stats()
    }
}
