//! Annotate a method; it is cached, and it stays correct.
//!
//! ```
//! use cachex::cached;
//!
//! #[cached(ttl = "10s")]
//! fn square(x: u64) -> u64 {
//!     x * x
//! }
//!
//! assert_eq!(square(3), 9); // loads
//! assert_eq!(square(3), 9); // hits
//! assert!(square_remove(&3));
//! ```
//!
//! - [`cached`](macro@cached), [`invalidates`](macro@invalidates) and [`updates`](macro@updates) annotate methods;
//!   [`CacheKey`](derive@CacheKey) and [`CacheScope`](derive@CacheScope) are derived for arguments and for the methods' type.
//! - [`Cache`] is a cache: several can live in one program, [`install`] names the one for all who name none. It has
//!   everything the attributes use, for code without an annotation.
//! - [`Settings`] come from files and the environment; [`Policy`] and [`MethodSettings`] are the rules of a method.
//! - [`Stats`] and [`Observer`] tell what happened, [`Cache::methods`] lists every annotated method of the program, and
//!   [`Cache::explain`] and `Cache::explain_remote` say why the next call hits or misses.
//!
//! # Guarantees
//!
//! Once an invalidation has returned, nothing from before it answers, and no load that began before it is kept. A failing or
//! panicking loader, a dropped future or a panicking observer leaves the cache whole. The loader's own error reaches its
//! caller untouched.
//!
//! # Features
//!
//! `toml` (default) and `yaml`: configuration files. `structures`: lists, sets and hashes; `redis`: a second tier on Redis or Valkey, [`RedisSettings`], and with it the former; `redis-tls`: the same over TLS; `memcached`: one on memcached, [`MemcachedSettings`]; `ring`: one over several stores; `remote`: one in a directory, [`FileSettings`], or in a store of your own; `msgpack`, `json`, `protobuf`, `zstd`, `gzip`: further forms of values there. `moka`: [`MemoryEngine::Moka`]. `uuid`, `chrono`, `time`, `url`, `bytes`, `rust_decimal`: `CacheKey` for
//! the types of these crates.

#[doc(hidden)]
pub mod __private;
#[cfg(all(test, feature = "remote"))]
mod altered_tests;
#[cfg(feature = "remote")]
mod backplane;
mod call;
mod caught;
mod codec;
mod config;
mod engine;
mod entry;
mod error;
mod key;
mod method;
mod observe;
mod policy;
mod raw;
mod runtime;
#[cfg(feature = "remote")]
pub mod store;
mod structure;
mod sync;
mod tag;
mod tier;
pub mod time;

pub use cachex_macros::{CacheKey, CacheScope, cached, invalidates, updates};
pub use call::scope::CacheScope;
pub use codec::{Codec, Compression};
#[cfg(feature = "remote")]
#[doc(hidden)]
pub use config::Guard;
pub use config::{FileSettings, MemcachedSettings, MemorySettings, RedisSettings, RemoteSettings, Settings, StoreKind};
pub use engine::{
    Blocking, Builder, Cache, Delivery, EntryOptions, Explanation, Fence, KeyParts, Loading, LockGuard, MethodInfo,
    Tier, Ttl, Verdict, install, installed,
};
#[cfg(feature = "remote")]
pub use engine::{
    IndexCursor, IndexPage, IndexStats, IndexedKey, IndexedTag, InvalidationMessage, InvalidationSubscription,
    RemoteExplanation, TagIndex,
};
pub use entry::Stamp;
pub use error::Error;
pub use key::{CacheKey, Key, KeyFields, KeyWriter};
pub use method::CacheValue;
#[cfg(feature = "remote")]
pub use observe::RemoteStats;
pub use observe::{Event, Observer, Stats};
pub use policy::{Jitter, MethodSettings, Policy, Tiers};
pub use tag::{Tag, Tags};
pub use tier::MemoryEngine;
pub use tier::memory::Eviction;
#[cfg(feature = "flood")]
#[doc(hidden)]
pub use tier::memory::flood::Flood;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
