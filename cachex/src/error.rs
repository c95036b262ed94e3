//! The one error of the crate: opaque, with predicates for what a caller can act upon.

use std::fmt;
use std::time::Duration;

/// What went wrong in the cache itself; a loader's own error is never turned into this.
///
/// # Examples
///
/// ```
/// let error = cachex::Cache::builder().max_entries(0).build().unwrap_err();
/// assert!(error.is_configuration());
/// assert_eq!(error.to_string(), "`memory.max_entries` is 0; a memory tier keeps at least one entry");
/// ```
#[derive(Debug)]
pub struct Error(Box<Kind>);

#[cfg_attr(not(feature = "remote"), expect(dead_code, reason = "without a second tier nothing is out of reach"))]
#[derive(Debug)]
enum Kind {
    Configuration {
        message: String,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    Timeout {
        method: &'static str,
        after: Duration,
    },
    Type {
        region: &'static str,
        wanted: &'static str,
    },
    Loader {
        name: String,
        has: (&'static str, &'static str),
        asked: (&'static str, &'static str),
    },
    UnknownMethod {
        name: String,
        nearest: Option<String>,
    },
    Load(Box<dyn std::error::Error + Send + Sync>),
    Structure {
        wanted: &'static str,
    },
    Value {
        wanted: &'static str,
    },
    Unfit {
        value: &'static str,
        codec: &'static str,
    },
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
    Uncertain(Box<dyn std::error::Error + Send + Sync>),
    Unsupported {
        what: &'static str,
    },
    #[cfg(feature = "remote")]
    NoIndex {
        why: &'static str,
    },
}

impl Error {
    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self(Box::new(Kind::Configuration { message: message.into(), source: None }))
    }

    pub(crate) fn configuration_from(
        message: impl Into<String>,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(Kind::Configuration { message: message.into(), source: Some(Box::new(source)) }))
    }

    pub(crate) fn timeout(method: &'static str, after: Duration) -> Self {
        Self(Box::new(Kind::Timeout { method, after }))
    }

    pub(crate) fn other_type(region: &'static str, wanted: &'static str) -> Self {
        Self(Box::new(Kind::Type { region, wanted }))
    }

    pub(crate) fn other_loader(
        name: impl Into<String>,
        has: (&'static str, &'static str),
        asked: (&'static str, &'static str),
    ) -> Self {
        Self(Box::new(Kind::Loader { name: name.into(), has, asked }))
    }

    pub(crate) fn unknown_method(name: impl Into<String>, nearest: Option<String>) -> Self {
        Self(Box::new(Kind::UnknownMethod { name: name.into(), nearest }))
    }

    pub(crate) fn load(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Box::new(Kind::Load(error.into())))
    }

    /// The structure of a key is no `wanted`.
    pub(crate) fn other_structure(wanted: &'static str) -> Self {
        Self(Box::new(Kind::Structure { wanted }))
    }

    /// What a structure holds is no `wanted`.
    #[cfg(feature = "structures")]
    pub(crate) fn other_value(wanted: &'static str) -> Self {
        Self(Box::new(Kind::Value { wanted }))
    }

    /// A value can't be turned into bytes.
    #[cfg(feature = "structures")]
    pub(crate) fn unfit(value: &'static str, codec: &'static str) -> Self {
        Self(Box::new(Kind::Unfit { value, codec }))
    }

    /// The second tier did nothing.
    pub(crate) fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Box::new(Kind::Unavailable(error.into())))
    }

    /// The second tier may have done it, or not.
    #[cfg(feature = "remote")]
    pub(crate) fn uncertain(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Box::new(Kind::Uncertain(error.into())))
    }

    /// The second tier has nothing of that kind.
    #[cfg(feature = "remote")]
    pub(crate) fn unsupported(what: &'static str) -> Self {
        Self(Box::new(Kind::Unsupported { what }))
    }

    /// There is no index.
    #[cfg(feature = "remote")]
    pub(crate) fn no_index(why: &'static str) -> Self {
        Self(Box::new(Kind::NoIndex { why }))
    }

    /// Returns whether a setting is invalid: the program was set up wrongly.
    ///
    /// # Examples
    ///
    /// ```
    /// let error = cachex::Cache::builder().namespace("").build().unwrap_err();
    /// assert!(error.is_configuration());
    /// ```
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(*self.0, Kind::Configuration { .. })
    }

    /// Returns whether a load took longer than its caller was ready to wait (`timeout`); it goes on, and its value is
    /// kept.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Error, cached};
    ///
    /// #[cached(timeout = "1ms")]
    /// async fn hour() -> Result<u32, Error> {
    ///     tokio::time::sleep(Duration::from_secs(3600)).await;
    ///     Ok(3600)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert!(hour().await.unwrap_err().is_timeout());
    /// # }
    /// ```
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(*self.0, Kind::Timeout { .. })
    }

    /// Returns whether an entry, a structure or what it holds, or a registered loader, is of another type than was asked for.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let key = Key::new("answer");
    /// cache.blocking().set(&key, 42_u64, &EntryOptions::new())?;
    /// assert!(cache.blocking().get::<String>(&key).unwrap_err().is_type_mismatch());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn is_type_mismatch(&self) -> bool {
        use Kind::{Loader, Structure, Type, Unfit, Value};
        matches!(*self.0, Type { .. } | Loader { .. } | Structure { .. } | Value { .. } | Unfit { .. })
    }

    /// Returns whether a method was named that does not exist.
    ///
    /// # Examples
    ///
    /// ```
    /// let cache = cachex::Cache::builder().build()?;
    /// let error = cache.method_stats("no such method").unwrap_err();
    /// assert!(error.is_unknown_method());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn is_unknown_method(&self) -> bool {
        matches!(*self.0, Kind::UnknownMethod { .. })
    }

    /// Returns whether a registered loader failed; [`source`](std::error::Error::source) is its error.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::error::Error as _;
    /// use std::io;
    /// use cachex::{Cache, MethodSettings};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// let cache = Cache::builder().build()?;
    /// let load = |()| async { Err::<u64, _>(io::Error::other("no network")) };
    /// cache.register_loader("down", MethodSettings::new(), load)?;
    ///
    /// let error = cache.call_cached::<u64>("down", ()).await.unwrap_err();
    /// assert!(error.is_load());
    /// assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("no network"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_load(&self) -> bool {
        matches!(*self.0, Kind::Load(_))
    }

    /// Returns whether the second tier could not do what it was asked: it is out of reach, or it refused. Nothing was done, and it can be
    /// asked again.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key, RedisSettings};
    ///
    /// # #[cfg(feature = "redis")]
    /// # {
    /// // Nobody is there.
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:1")).build()?;
    /// let error = cache.blocking().increment(&Key::new("visits"), 1).unwrap_err();
    /// assert!(error.is_unavailable());
    /// assert_eq!(error.to_string(), "the second tier could not do it, and nothing was done");
    /// # }
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(*self.0, Kind::Unavailable(_))
    }

    /// Returns whether the second tier was asked and did not answer in time, or the connection broke: it may have been done, or may still be done,
    /// or not. What must not be done twice is to be looked at before it is asked again.
    ///
    /// # Examples
    ///
    /// ```
    /// let error = cachex::Cache::builder().max_entries(0).build().unwrap_err();
    /// assert!(!error.is_uncertain());
    /// ```
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        matches!(*self.0, Kind::Uncertain(_))
    }

    /// Returns whether the second tier has no structures and locks, or no index, at all, as a store has that knows values only.
    ///
    /// # Examples
    ///
    /// ```
    /// let error = cachex::Cache::builder().max_entries(0).build().unwrap_err();
    /// assert!(!error.is_unsupported());
    /// ```
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        match *self.0 {
            Kind::Unsupported { .. } => true,
            #[cfg(feature = "remote")]
            Kind::NoIndex { .. } => true,
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Configuration { message, .. } => f.write_str(message),
            Kind::Timeout { method, after } => write!(f, "`{method}` did not return within {after:?}"),
            Kind::Type { region, wanted } => write!(f, "an entry of `{region}` is not a `{wanted}`"),
            Kind::Loader { name, has, asked } => write!(
                f,
                "the loader `{name}` takes `{}` and gives `{}`; it was called with `{}` for `{}`",
                has.0, has.1, asked.0, asked.1
            ),
            Kind::UnknownMethod { name, nearest: Some(nearest) } => {
                write!(f, "there is no cached method `{name}`; the nearest name is `{nearest}`")
            }
            Kind::UnknownMethod { name, nearest: None } => write!(f, "there is no cached method `{name}`"),
            Kind::Load(_) => f.write_str("the registered loader failed"),
            Kind::Structure { wanted } => {
                write!(f, "the key has another structure, or an item of another type: no {wanted}")
            }
            Kind::Value { wanted } => write!(f, "the structure holds something that is not a `{wanted}`"),
            Kind::Unfit { value, codec } => write!(f, "a `{value}` can't be turned into bytes by the codec `{codec}`"),
            Kind::Unavailable(_) => f.write_str("the second tier could not do it, and nothing was done"),
            Kind::Uncertain(_) => f.write_str("the second tier did not answer: it may have been done or not"),
            #[cfg(feature = "remote")]
            Kind::NoIndex { why } => f.write_str(why),
            Kind::Unsupported { what } => {
                write!(f, "the store of the second tier has no {what}s; use another store for them")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Kind::Configuration { source: Some(source), .. } => Some(&**source),
            Kind::Load(source) | Kind::Unavailable(source) | Kind::Uncertain(source) => Some(&**source),
            _ => None,
        }
    }
}

/// Returns the name nearest to one that does not exist, if one is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let near = wanted.chars().count().div_ceil(3).max(1);
    names
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&wanted, &known.to_lowercase()), known))
        .filter(|(distance, _)| *distance <= near)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_a_name_that_may_be_meant_is_offered() {
        let names = ["max_entries", "max_bytes", "eviction", "ttl"];
        assert_eq!(nearest("max_entrys", names), Some("max_entries"));
        assert_eq!(nearest("tlt", names), Some("ttl"));
        assert_eq!(nearest("Eviction", names), Some("eviction"));
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest("", names), None);
    }
}
