//! Every name the macros may use. Not public API: it changes without notice.

pub use crate::call::Call;
pub use crate::call::batch::{again, cached_batch, cached_batch_async, elements};
pub use crate::call::detach::{detach, detach_ref, own_cache, typed};
pub use crate::call::effects::{
    Effects, Priming, Removing, Target, Update, invalidates, invalidates_async, prime, prime_async, remove,
    remove_async, updates, updates_async,
};
pub use crate::call::parts::{Ask, part, scope};
pub use crate::call::run::{cached, cached_async, cached_detached, cached_detached_async, first};
pub use crate::call::scope::{CacheScope, HasCache};
pub use crate::call::written::Written;
pub use crate::codec::{Codec, Compression};
pub use crate::engine::Cache;
pub use crate::entry::{AnyValue, Entry, Meta, PlainEntry};
pub use crate::key::{CacheKey, Key, KeyFields, KeyWriter};
pub use crate::method::keep::{Keep, Local, Portable, kept};
pub use crate::method::message::{MessageValue, Perhaps, Protobuf, Shared, Whole, protobuf};
pub use crate::method::results::Results;
pub use crate::method::shape::probe::Probe;
pub use crate::method::shape::with_errors::keep_errors;
pub use crate::method::site::{CallSite, Registered, Site};
pub use crate::method::value_rules::ValueRules;
pub use crate::policy::{Jitter, Policy, Tiers};
pub use crate::tag::Tags;
pub use inventory;
pub use std::any::type_name_of_val;
pub use std::borrow::Borrow;
pub use std::iter::Extend;
pub use std::option::Option;
pub use std::primitive::{bool, str};
pub use std::result::Result;
pub use std::time::Duration;
pub use std::{file, format, line};

/// The traits that answer a [`Probe`].
pub mod shapes {
    pub use crate::method::shape::probe::{
        ProbeFallible as _, ProbeFallibleOptional as _, ProbeFuture as _, ProbeOptional as _, ProbePlain as _,
    };
}
