//! Writes through Diesel invalidate what they touched, at commit.

mod analyses;
mod backend;
mod builder;
mod connection;
mod handle;
mod lex;
mod own;
#[cfg(feature = "r2d2")]
mod pool;
mod query;
mod registry;
mod state;
mod track;

pub use backend::CacheBackend;
pub use builder::{DieselCacheBuilder, TableOptions};
pub use connection::{CachingConnection, Cursor};
pub use handle::{DieselCache, DieselStats, OnUnknown};
#[cfg(feature = "r2d2")]
pub use pool::Customizer;
pub use query::{CacheAware, Cached, CachedExt};
