//! What a load is of: a key of a method in a cache, borrowed from the call or owned by a load that may outlive it.

use std::fmt;
use std::sync::Arc;

use super::Engine;
use super::methods::Method;
use crate::key::{Key, KeyRef};

/// A key of a method in a cache.
pub(crate) trait Subject: Send + Sync {
    fn engine(&self) -> &Engine;
    fn method(&self) -> &Method;
    fn at(&self) -> KeyRef<'_>;
}

/// Of a load that ends with its call: nothing is counted, and the key stays where it was written.
#[derive(Clone, Copy)]
pub(crate) struct Borrowed<'a> {
    pub(crate) engine: &'a Arc<Engine>,
    pub(crate) method: &'a Arc<Method>,
    pub(crate) at: KeyRef<'a>,
}

/// Of a load that may outlive its call.
#[derive(Debug)]
pub(crate) struct Owned {
    engine: Arc<Engine>,
    method: Arc<Method>,
    key: Key,
}

impl Borrowed<'_> {
    pub(crate) fn owned(self) -> Owned {
        Owned { engine: self.engine.clone(), method: self.method.clone(), key: self.at.key() }
    }
}

impl Subject for Borrowed<'_> {
    #[inline]
    fn engine(&self) -> &Engine {
        self.engine
    }

    #[inline]
    fn method(&self) -> &Method {
        self.method
    }

    #[inline]
    fn at(&self) -> KeyRef<'_> {
        self.at
    }
}

impl fmt::Debug for Borrowed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.at.key().fmt(f)
    }
}

impl Subject for Owned {
    #[inline]
    fn engine(&self) -> &Engine {
        &self.engine
    }

    #[inline]
    fn method(&self) -> &Method {
        &self.method
    }

    #[inline]
    fn at(&self) -> KeyRef<'_> {
        self.key.at()
    }
}
