//! What a load needs to outlive the call that began it.

use std::borrow::ToOwned;
use std::future::Future;

use crate::engine::Cache;

/// Turned into something that a load in the background may keep: implemented by every `Clone + Send + 'static` type, and
/// for references through [`detach`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't outlive the call, which a load in the background does",
    label = "not `Clone + Send + 'static`",
    note = "`soft_ttl`, `refresh_ahead`, `timeout` and `soft_timeout` load in the background: make `{Self}` `Clone` (with its innards behind `Arc`)",
    note = "or remove these options"
)]
pub trait Detach: Clone + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + 'static> Detach for T {}

/// As [`Detach`], for what is behind a reference.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't outlive the call, which a load in the background does",
    label = "not `ToOwned` with a `Send + 'static` owner",
    note = "`soft_ttl`, `refresh_ahead`, `timeout` and `soft_timeout` load in the background: make `{Self}` `Clone` (with its innards behind `Arc`)",
    note = "or remove these options"
)]
pub trait DetachRef: ToOwned<Owned: Send + 'static> {}

#[diagnostic::do_not_recommend]
impl<T: ToOwned<Owned: Send + 'static> + ?Sized> DetachRef for T {}

/// Clones an argument for a load in the background.
pub fn detach<T: Detach>(value: &T) -> T {
    value.clone()
}

/// Clones what is behind a reference for a load in the background.
pub fn detach_ref<T: DetachRef + ?Sized>(value: &T) -> T::Owned {
    value.to_owned()
}

/// Clones the cache that an expression names, for a call whose arguments the load takes away.
pub fn own_cache<C: AsRef<Cache> + ?Sized>(cache: &C) -> Cache {
    cache.as_ref().clone()
}

/// Says what a future gives, so that `?` and `return` in its body know.
pub fn typed<R, F: Future<Output = R>>(future: F) -> F {
    future
}
