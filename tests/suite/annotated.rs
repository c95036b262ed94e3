//! Annotated functions of every shape: each is called twice and loads once.
//!
//! Reading order: this file (what the tests share), `functions`, `methods`, `traits`, `generics`, `arguments`, `names`,
//! `returns`, `sendable`, `options`, `background`, `companions`, `effects`.

mod arguments;
mod background;
mod companions;
mod effects;
mod functions;
mod generics;
mod methods;
mod names;
mod options;
mod returns;
mod sendable;
mod traits;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cachex::{CacheScope, KeyWriter};

/// Counts how often a body ran.
#[derive(Debug, Default)]
struct Loads(AtomicU32);

impl Loads {
    const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    fn note(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    #[track_caller]
    fn check(&self, expected: u32) {
        assert_eq!(self.0.load(Ordering::SeqCst), expected, "loads");
    }
}

/// A type with methods to cache. Clones share their count.
#[derive(Clone, Debug, Default)]
struct Users {
    tenant: u64,
    loads: Arc<Loads>,
}

impl Users {
    /// Each test has a tenant of its own, so that tests do not see each other's entries.
    fn of(tenant: u64) -> Self {
        Self { tenant, loads: Arc::default() }
    }
}

impl CacheScope for Users {
    fn encode_scope(&self, out: &mut KeyWriter<'_>) {
        out.write_u64(self.tenant);
    }
}
