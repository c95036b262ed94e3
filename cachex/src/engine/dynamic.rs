//! Methods called by name, for code that has no annotation: a loader is registered, then called through the cache.

use std::any::{Any, type_name};
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::cache::{Cache, KeyParts};
use super::job::Caller;
use super::manual::EntryOptions;
use super::plan::Reach;
use super::registry::{annotated_names, nearest_method};
use crate::error::Error;
use crate::key::{Key, KeyBytes, KeyWriter};
use crate::method::Region;
use crate::method::keep::CacheValue;
use crate::method::shape::Fallible;
use crate::method::value_rules::ValueRules;
use crate::policy::{MethodSettings, Policy};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Loading<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;
type Loader<A, T> = Box<dyn Fn(A) -> Loading<T> + Send + Sync>;

/// The loaders of a cache, by name.
#[derive(Default)]
pub(crate) struct Loaders(RwLock<HashMap<String, Registered>>);

#[derive(Clone)]
struct Registered {
    region: &'static Region,
    /// Arguments and value, for messages.
    types: (&'static str, &'static str),
    /// A `Loader<A, T>`.
    loader: Arc<dyn Any + Send + Sync>,
}

impl Loaders {
    pub(crate) fn regions(&self) -> Vec<&'static Region> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().map(|known| known.region).collect()
    }

    fn find(&self, name: &str) -> Option<Registered> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

impl fmt::Debug for Loaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.regions().iter().map(|region| region.name())).finish()
    }
}

impl Cache {
    /// Registers a loader under a name: [`call_cached`](Self::call_cached) runs it through the cache. Its arguments are a tuple.
    ///
    /// # Errors
    ///
    /// The name is taken, or the settings contradict each other.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use std::io;
    /// use std::time::Duration;
    /// use cachex::{Cache, MethodSettings};
    ///
    /// let cache = Cache::builder().build()?;
    /// let settings = MethodSettings::new().ttl(Duration::from_secs(60));
    /// cache.register_loader("area", settings, |(x,): (u64,)| async move { Ok::<_, io::Error>(x * x) })?;
    ///
    /// assert_eq!(cache.call_cached::<u64>("area", (3_u64,)).await?, 9);
    /// assert!(cache.call_cached::<u64>("aria", (3_u64,)).await.unwrap_err().is_unknown_method());
    /// # Ok(())
    /// # }
    /// ```
    pub fn register_loader<A, T, E, L, F>(&self, name: &str, settings: MethodSettings, loader: L) -> Result<(), Error>
    where
        A: KeyParts + Send + 'static,
        T: CacheValue,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
        L: Fn(A) -> F + Send + Sync + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let boxed: Loader<A, T> = Box::new(move |arguments| {
            let load = loader(arguments);
            Box::pin(async move { load.await.map_err(Into::into) })
        });
        let policy = settings.apply(Policy::new());
        let engine = self.engine();
        let by_configuration = engine.rules.merged(name, &MethodSettings::new());
        if let Some(mistake) = engine.mistakes_of_loader(&policy, &by_configuration).first() {
            return Err(Error::configuration(format!("settings of `{name}`: {mistake}")));
        }
        let mut loaders = engine.loaders.0.write().unwrap_or_else(PoisonError::into_inner);
        if is_annotated(name) || loaders.contains_key(name) {
            return Err(Error::configuration(format!("the name `{name}` is taken by another cached method")));
        }
        let region = Region::named(name, &policy);
        let types = (type_name::<A>(), type_name::<T>());
        loaders.insert(name.to_owned(), Registered { region, types, loader: Arc::new(boxed) });
        Ok(())
    }

    /// Calls a registered loader through the cache.
    ///
    /// # Errors
    ///
    /// No loader has the name, its arguments or its value are of other types, it [failed](Error::is_load), or it took
    /// [longer](Error::is_timeout) than its `timeout`.
    ///
    /// # Cancellation
    ///
    /// Dropped while it loads, the load is handed to another caller that waits for it, or cancelled if there is none.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use std::io;
    /// use cachex::{Cache, MethodSettings};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.register_loader("area", MethodSettings::new(), |(x,): (u64,)| async move { Ok::<_, io::Error>(x * x) })?;
    ///
    /// assert_eq!(cache.call_cached::<u64>("area", (3_u64,)).await?, 9);
    /// assert_eq!(cache.call_cached::<u64>("area", (3_u64,)).await?, 9);
    /// assert_eq!(cache.method_stats("area")?.loads, 1);
    /// assert!(cache.call_cached::<String>("area", (3_u64,)).await.unwrap_err().is_type_mismatch());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn call_cached<T: CacheValue>(
        &self,
        name: &str,
        arguments: impl KeyParts + Send + 'static,
    ) -> Result<T, Error> {
        self.call_with(name, arguments, &EntryOptions::new()).await
    }

    /// As [`call_cached`](Self::call_cached), with another TTL for what is loaded by this call.
    ///
    /// # Errors
    ///
    /// As [`call_cached`](Self::call_cached).
    ///
    /// # Cancellation
    ///
    /// As [`call_cached`](Self::call_cached).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use std::io;
    /// use std::time::Duration;
    /// use cachex::time::ManualClock;
    /// use cachex::{Cache, MethodSettings};
    ///
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// cache.register_loader("area", MethodSettings::new(), |(x,): (u64,)| async move { Ok::<_, io::Error>(x * x) })?;
    ///
    /// let minute = Duration::from_secs(60);
    /// assert_eq!(cache.call_cached_with_ttl::<u64>("area", (3_u64,), minute).await?, 9);
    /// clock.advance(minute);
    /// assert_eq!(cache.call_cached::<u64>("area", (3_u64,)).await?, 9);
    /// assert_eq!(cache.method_stats("area")?.loads, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn call_cached_with_ttl<T: CacheValue>(
        &self,
        name: &str,
        arguments: impl KeyParts + Send + 'static,
        ttl: Duration,
    ) -> Result<T, Error> {
        self.call_with(name, arguments, &EntryOptions::new().ttl(ttl)).await
    }

    /// Runs a registered loader without the cache: nothing is looked up, and nothing is kept.
    ///
    /// # Errors
    ///
    /// As [`call_cached`](Self::call_cached).
    ///
    /// # Cancellation
    ///
    /// Dropped, it drops the loader's future.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use std::io;
    /// use cachex::{Cache, MethodSettings};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.register_loader("area", MethodSettings::new(), |(x,): (u64,)| async move { Ok::<_, io::Error>(x * x) })?;
    ///
    /// assert_eq!(cache.execute::<u64>("area", (3_u64,)).await?, 9);
    /// assert_eq!(cache.stats().entries, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn execute<T: CacheValue>(
        &self,
        name: &str,
        arguments: impl KeyParts + Send + 'static,
    ) -> Result<T, Error> {
        let (_, load) = self.prepare::<T, _>(name, arguments)?;
        load().await.map_err(Error::load)
    }

    async fn call_with<T: CacheValue, A: KeyParts + Send + 'static>(
        &self,
        name: &str,
        arguments: A,
        options: &EntryOptions,
    ) -> Result<T, Error> {
        let mut bytes = KeyBytes::new();
        let mut parts = KeyWriter::keeping(&mut bytes);
        arguments.encode_parts(&mut parts);
        let (region, load) = self.prepare::<T, _>(name, arguments)?;
        let key = Key::written(region, &parts);
        let rules = ValueRules::new(Fallible::new()).timed_out();
        let begun = self.begin_call(&key, options, rules, Caller::Async, Reach::Detached);
        match begun.answer_detached_async(|_| async move { load().await.map_err(Error::load) }) {
            Ok(output) => output,
            Err(load) => load.await,
        }
    }

    /// Finds a loader and gives it its arguments.
    fn prepare<T: CacheValue, A: KeyParts + Send + 'static>(
        &self,
        name: &str,
        arguments: A,
    ) -> Result<(&'static Region, impl FnOnce() -> Loading<T> + use<T, A>), Error> {
        let engine = self.engine();
        let Some(known) = engine.loaders.find(name) else {
            if is_annotated(name) {
                return Err(Error::configuration(format!(
                    "`{name}` is an annotated method and not a registered loader; call the method itself"
                )));
            }
            let regions = engine.loaders.regions();
            let nearest = nearest_method(name, regions.iter().map(|region| region.name()));
            return Err(Error::unknown_method(name, nearest.map(str::to_owned)));
        };
        if !known.loader.is::<Loader<A, T>>() {
            return Err(Error::other_loader(name, known.types, (type_name::<A>(), type_name::<T>())));
        }
        let load = move || {
            let loader = known.loader.downcast_ref::<Loader<A, T>>().expect("the type was compared above");
            loader(arguments)
        };
        Ok((known.region, load))
    }
}

fn is_annotated(name: &str) -> bool {
    annotated_names().any(|known| known == name)
}
