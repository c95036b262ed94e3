//! Calls by hand that load where there is nothing to answer with: the same decisions as for annotated methods.

use super::EntryOptions;
use crate::engine::begin::{Asked, Begun};
use crate::engine::cache::Cache;
use crate::engine::job::Caller;
use crate::engine::plan::Reach;
use crate::engine::subject::Borrowed;
use crate::key::Key;
use crate::method::keep::{CacheValue, Portable};
use crate::method::shape::Fallible;
use crate::method::value_rules::ValueRules;

/// What is to be done for a call by hand.
pub(in crate::engine) type Calling<'a, T, E> = Begun<Borrowed<'a>, Fallible<T, E>, Portable>;

impl Cache {
    /// Looks up, and decides.
    pub(in crate::engine) fn begin_call<'a, T: CacheValue, E>(
        &'a self,
        key: &'a Key,
        options: &EntryOptions,
        rules: ValueRules<Fallible<T, E>>,
        caller: Caller,
        reach: Reach,
    ) -> Calling<'a, T, E> {
        let engine = self.engine();
        let method = engine.method(key.region());
        let policy = Some(options.policy(&method.policy()));
        let (shape, keep) = (Fallible::new(), Portable);
        Asked { engine, method, shape, keep, rules, caller, reach, policy }.begin(key)
    }
}
