//! Annotate a method; it is cached, and it stays correct.

#[doc(hidden)]
pub mod __private;
mod call;
mod config;
mod engine;
mod entry;
mod error;
mod key;
mod method;
mod observe;
mod policy;
mod runtime;
mod sync;
mod tag;
mod tier;
pub mod time;

pub use cachex_macros::{CacheKey, CacheScope, cached, invalidates, updates};
pub use call::scope::CacheScope;
pub use config::{MemorySettings, Settings};
pub use engine::{
    Blocking, Builder, Cache, EntryOptions, Explanation, Fence, KeyParts, Loading, MethodInfo, Ttl, Verdict, install,
    installed,
};
pub use entry::Stamp;
pub use error::Error;
pub use key::{CacheKey, Key, KeyFields, KeyWriter};
pub use method::{CacheValue, Region};
pub use observe::{Event, Observer, Stats};
pub use policy::{Jitter, MethodSettings, Policy};
pub use tag::{Tag, Tags};
pub use tier::memory::Eviction;
