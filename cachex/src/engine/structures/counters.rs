//! Counters: numbers that are counted up and down in one step, by all who share them.

use super::{number, unexpected};
use crate::engine::cache::Cache;
use crate::engine::manual::Blocking;
use crate::error::Error;
use crate::key::Key;
use crate::structure::{Answer, Operation};

/// # Structures: counters, lists, sets and hashes
///
/// What they hold is not a copy of something: so they have nothing to do with the values of [`get`](Self::get) and [`set`](Self::set). A key can have a
/// value and one structure of one kind; `remove`, `exists`, `expire`, tags, `clear` and eviction are about values, and a structure stays until it
/// expires or [`remove_structure`](Self::remove_structure) removes it.
///
/// With a second tier a structure is there and never in memory: all processes of the namespace see one, and each operation is one step for all of
/// them. Without one it is in memory, where it takes what room it needs. Its TTL is that of the cache's defaults, from its first step on;
/// [`expire_structure`](Self::expire_structure) sets another.
///
/// Nothing is answered that the store did not say. If it can't be reached, as before the cache is [`connected`](Self::connected), or refuses, nothing was done, and
/// the error [is unavailable](Error::is_unavailable). If it does not answer in time the error [is uncertain](Error::is_uncertain): it may have been done or not,
/// and asked once more it may be done twice. No call takes much longer than the timeout of the store. A future that is dropped may have done it as well.
impl Cache {
    /// Adds to a counter, which starts at 0 and is an `i64`, as one step. Returns the new number; a counter stays at the end of its
    /// range.
    ///
    /// # Errors
    ///
    /// The structure [is none](Error::is_type_mismatch) of this kind, or the second tier [can't be reached](Error::is_unavailable)
    /// or [did not answer](Error::is_uncertain).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// assert_eq!(cache.increment(&Key::new("visits"), 2).await?, 2);
    /// assert_eq!(cache.increment(&Key::new("visits"), 1).await?, 3);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn increment(&self, key: &Key, by: i64) -> Result<i64, Error> {
        number(self.engine().operate(key, &Operation::Count(by.into())).await?)
    }

    /// Takes from a counter; see [`increment`](Self::increment).
    ///
    /// # Errors
    ///
    /// As of [`increment`](Self::increment).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// assert_eq!(cache.decrement(&Key::new("left"), 2).await?, -2);
    /// assert_eq!(cache.decrement(&Key::new("left"), i64::MAX).await?, i64::MIN);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn decrement(&self, key: &Key, by: i64) -> Result<i64, Error> {
        number(self.engine().operate(key, &Operation::Count(-i128::from(by))).await?)
    }

    /// Returns the number of a counter; nothing if there is none.
    ///
    /// # Errors
    ///
    /// As of [`increment`](Self::increment).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// assert_eq!(cache.counter(&Key::new("visits")).await?, None);
    /// cache.increment(&Key::new("visits"), 2).await?;
    /// assert_eq!(cache.counter(&Key::new("visits")).await?, Some(2));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn counter(&self, key: &Key) -> Result<Option<i64>, Error> {
        known(self.engine().operate(key, &Operation::Counter).await?)
    }
}

impl Blocking<'_> {
    /// As [`Cache::increment`].
    ///
    /// # Errors
    ///
    /// As of [`Cache::increment`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// assert_eq!(cache.blocking().increment(&Key::new("visits"), 2)?, 2);
    /// assert_eq!(cache.blocking().increment(&Key::new("visits"), 1)?, 3);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn increment(&self, key: &Key, by: i64) -> Result<i64, Error> {
        number(self.engine().operate_blocking(key, &Operation::Count(by.into()))?)
    }

    /// As [`Cache::decrement`].
    ///
    /// # Errors
    ///
    /// As of [`Cache::increment`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// assert_eq!(cache.blocking().decrement(&Key::new("left"), 2)?, -2);
    /// assert_eq!(cache.blocking().decrement(&Key::new("left"), i64::MAX)?, i64::MIN);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn decrement(&self, key: &Key, by: i64) -> Result<i64, Error> {
        number(self.engine().operate_blocking(key, &Operation::Count(-i128::from(by)))?)
    }

    /// As [`Cache::counter`].
    ///
    /// # Errors
    ///
    /// As of [`Cache::increment`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().increment(&Key::new("visits"), 2)?;
    /// assert_eq!(cache.blocking().counter(&Key::new("visits"))?, Some(2));
    /// assert_eq!(cache.blocking().get::<i64>(&Key::new("visits"))?, None, "a value is something else");
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn counter(&self, key: &Key) -> Result<Option<i64>, Error> {
        known(self.engine().operate_blocking(key, &Operation::Counter)?)
    }
}

fn known(answer: Answer) -> Result<Option<i64>, Error> {
    match answer {
        Answer::Number(number) => Ok(Some(number)),
        Answer::Missing => Ok(None),
        _ => Err(unexpected()),
    }
}
