//! How long a structure lives, and its end.

use std::time::Duration;

use super::{flag, unexpected};
use crate::engine::cache::Cache;
use crate::engine::manual::{Blocking, Ttl};
use crate::error::Error;
use crate::key::Key;
use crate::structure::{Answer, Operation};

impl Cache {
    /// Removes the structure of a key. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// The second tier [can't be reached](Error::is_unavailable) or [did not answer](Error::is_uncertain).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.increment(&Key::new("visits"), 2).await?;
    /// assert!(cache.remove_structure(&Key::new("visits")).await?);
    /// assert!(!cache.remove_structure(&Key::new("visits")).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn remove_structure(&self, key: &Key) -> Result<bool, Error> {
        flag(self.engine().operate(key, &Operation::Remove).await?)
    }

    /// Gives the structure of a key a TTL from now on; zero removes it. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// The second tier [can't be reached](Error::is_unavailable) or [did not answer](Error::is_uncertain).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use std::time::Duration;
    /// use cachex::time::ManualClock;
    /// use cachex::{Cache, Key};
    ///
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// cache.increment(&Key::new("visits"), 2).await?;
    /// assert!(cache.expire_structure(&Key::new("visits"), Duration::from_secs(60)).await?);
    /// clock.advance(Duration::from_secs(60));
    /// assert_eq!(cache.counter(&Key::new("visits")).await?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn expire_structure(&self, key: &Key, ttl: Duration) -> Result<bool, Error> {
        flag(self.engine().operate(key, &Operation::Expire(ttl)).await?)
    }

    /// Returns how long the structure of a key has until it expires; nothing if there is none.
    ///
    /// # Errors
    ///
    /// The second tier [can't be reached](Error::is_unavailable) or [did not answer](Error::is_uncertain).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use cachex::{Cache, Key, Ttl};
    ///
    /// let cache = Cache::builder().build()?;
    /// assert_eq!(cache.structure_ttl(&Key::new("visits")).await?, None);
    /// cache.increment(&Key::new("visits"), 2).await?;
    /// assert_eq!(cache.structure_ttl(&Key::new("visits")).await?, Some(Ttl::Never));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn structure_ttl(&self, key: &Key) -> Result<Option<Ttl>, Error> {
        left(&self.engine().operate(key, &Operation::Left).await?)
    }
}

impl Blocking<'_> {
    /// As [`Cache::remove_structure`].
    ///
    /// # Errors
    ///
    /// As of [`Cache::remove_structure`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().increment(&Key::new("visits"), 2)?;
    /// assert!(cache.blocking().remove_structure(&Key::new("visits"))?);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn remove_structure(&self, key: &Key) -> Result<bool, Error> {
        flag(self.engine().operate_blocking(key, &Operation::Remove)?)
    }

    /// As [`Cache::expire_structure`].
    ///
    /// # Errors
    ///
    /// As of [`Cache::remove_structure`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// assert!(!cache.blocking().expire_structure(&Key::new("visits"), Duration::from_secs(60))?);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn expire_structure(&self, key: &Key, ttl: Duration) -> Result<bool, Error> {
        flag(self.engine().operate_blocking(key, &Operation::Expire(ttl))?)
    }

    /// As [`Cache::structure_ttl`].
    ///
    /// # Errors
    ///
    /// As of [`Cache::remove_structure`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key, Ttl};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().increment(&Key::new("visits"), 2)?;
    /// assert_eq!(cache.blocking().structure_ttl(&Key::new("visits"))?, Some(Ttl::Never));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn structure_ttl(&self, key: &Key) -> Result<Option<Ttl>, Error> {
        left(&self.engine().operate_blocking(key, &Operation::Left)?)
    }
}

fn left(answer: &Answer) -> Result<Option<Ttl>, Error> {
    match answer {
        Answer::Left(left) => Ok(Some(left.map_or(Ttl::Never, Ttl::Left))),
        Answer::Missing => Ok(None),
        _ => Err(unexpected()),
    }
}
