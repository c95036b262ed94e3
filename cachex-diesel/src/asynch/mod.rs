//! The same for async connections: what is sent is a future, and whoever drops it does not learn what became of it.
//!
//! Reading order: [`flight`] (a text on its way), [`futures`] (what is awaited), [`connection`] (the wrapper), [`transaction`] (and [`builder`]), [`own`], [`query`] (what is kept), [`pool`], [`introspect`].

#[cfg(feature = "async-postgres")]
mod builder;
mod connection;
mod flight;
mod futures;
mod introspect;
mod own;
#[cfg(any(feature = "bb8", feature = "deadpool", feature = "mobc"))]
mod pool;
mod query;
mod transaction;

#[cfg(feature = "async-postgres")]
pub use builder::AsyncTransactionBuilder;
pub use connection::AsyncCachingConnection;
pub use introspect::AsyncIntrospect;

/// What the traits of `diesel-async` want to have a type; nobody has to name it.
#[doc(hidden)]
pub mod parts {
    pub use super::futures::{Execute, Load, Loads, Rows};
    pub use super::query::{Answer, Asking};
    pub use super::transaction::CachingTransactionManager;
}
