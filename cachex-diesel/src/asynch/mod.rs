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
pub use futures::{Execute, Load, Loads, Rows};
pub use introspect::AsyncIntrospect;
pub use query::{Answer, Asking};
pub use transaction::CachingTransactionManager;
