//! What the memory tier stands on: entries of one allocation each, a table that is read without a lock, and the periods of
//! grace after which what left the table may be given back. The only unsafe code of the workspace.
//!
//! Reading order: [`grace`] (pins and periods of grace; no unsafe code), [`node`] (one allocation with a count of its
//! holders), [`limbo`] (what waits for its grace), [`bucket_word`] and [`index`] (one shard's pointers), [`table`] (the sharded table);
//! [`late`] (a reference that is read with one load) and [`room`] (room in long lists) stand alone.
//!
//! # The argument
//!
//! 1. *A node is given back once its last holder is gone.* Holders are the [`Node`](node::Node)s; making one counts up, dropping one
//!    counts down. The table is a holder of each node that is in it.
//! 2. *Who reads without a lock holds nothing.* It follows a pointer that it found in the table, which is sound as long as the
//!    table's own hold is not dropped. So a reader pins its thread before it looks and until it is done ([`grace::Pin`]),
//!    and what the table held is dropped only after a period of grace that began after it was unlinked: by then everybody
//!    who may have found it has unpinned ([`grace`] says why). [`limbo::Limbo`] is the only place where that happens.
//! 3. *Only one thread at a time changes a shard*: the owner of its mutex. So each unlinked pointer goes to limbo once.
//! 4. *Nothing lent outlives its source.* What a look-up lends is bound to the pin and to the table, and dropping the table takes
//!    it by value: nobody is reading then, and all can be dropped at once.
//!
//! What each block of unsafe code relies on stands beside it. The tests of this module run under Miri
//! (`cargo xtask test miri`), the protocol of [`grace`] is model-checked (`cargo xtask test loom`). Neither knows the barrier of
//! Linux, which has a test of its own (`barrier_tests`).

#[cfg(all(test, not(cachex_loom), not(miri)))]
mod barrier_tests;
mod bucket_word;
pub(crate) mod grace;
mod index;
pub(crate) mod late;
pub(crate) mod limbo;
#[cfg(all(test, cachex_loom))]
mod loom_tests;
pub(crate) mod node;
pub(crate) mod room;
mod sought;
pub(crate) mod table;
#[cfg(all(test, not(cachex_loom)))]
mod tests;
