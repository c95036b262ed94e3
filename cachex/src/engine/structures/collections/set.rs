//! Sets: each member once.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::decoded_all;
use crate::engine::cache::Cache;
use crate::engine::manual::Blocking;
use crate::engine::structures::flag;
use crate::error::Error;
use crate::key::Key;
use crate::structure::Operation;

impl Cache {
    /// Adds a member to a set. Returns whether it was new.
    ///
    /// Members are one if they become the same bytes. So a type with an order of its own making, as a `HashMap`, is no good member.
    ///
    /// # Errors
    ///
    /// The structure or a value in it [is of another kind](Error::is_type_mismatch), or the second tier [can't be reached](Error::is_unavailable)
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
    /// let seen = Key::new("seen");
    /// assert!(cache.set_add(&seen, &7_u64).await?);
    /// assert!(!cache.set_add(&seen, &7_u64).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_add<T: Serialize + DeserializeOwned + 'static>(
        &self,
        key: &Key,
        member: &T,
    ) -> Result<bool, Error> {
        let engine = self.engine();
        flag(engine.operate(key, &Operation::Add(engine.encoded(member)?)).await?)
    }

    /// Returns the members of a set, in no order; none if there is no set.
    ///
    /// # Errors
    ///
    /// The structure or a value in it [is of another kind](Error::is_type_mismatch), or the second tier [can't be reached](Error::is_unavailable)
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
    /// let seen = Key::new("seen");
    /// cache.set_add(&seen, &7_u64).await?;
    /// cache.set_add(&seen, &7_u64).await?;
    /// assert_eq!(cache.set_members::<u64>(&seen).await?, [7]);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_members<T: Serialize + DeserializeOwned + 'static>(&self, key: &Key) -> Result<Vec<T>, Error> {
        let engine = self.engine();
        decoded_all(engine.operate(key, &Operation::Members).await?, engine.codec)
    }

    /// Returns whether a set has this member; not if there is no set.
    ///
    /// # Errors
    ///
    /// The structure or a value in it [is of another kind](Error::is_type_mismatch), or the second tier [can't be reached](Error::is_unavailable)
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
    /// let seen = Key::new("seen");
    /// cache.set_add(&seen, &7_u64).await?;
    /// assert!(cache.set_contains(&seen, &7_u64).await?);
    /// assert!(!cache.set_contains(&seen, &8_u64).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_contains<T: Serialize + DeserializeOwned + 'static>(
        &self,
        key: &Key,
        member: &T,
    ) -> Result<bool, Error> {
        let engine = self.engine();
        flag(engine.operate(key, &Operation::Contains(engine.encoded(member)?)).await?)
    }
}

impl Blocking<'_> {
    /// As [`Cache::set_add`].
    ///
    /// # Errors
    ///
    /// As of [`Cache::set_add`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let seen = Key::new("seen");
    /// assert!(cache.blocking().set_add(&seen, &7_u64)?);
    /// assert!(!cache.blocking().set_add(&seen, &7_u64)?);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn set_add<T: Serialize + DeserializeOwned + 'static>(&self, key: &Key, member: &T) -> Result<bool, Error> {
        let engine = self.engine();
        flag(engine.operate_blocking(key, &Operation::Add(engine.encoded(member)?))?)
    }

    /// As [`Cache::set_members`].
    ///
    /// # Errors
    ///
    /// As of [`Cache::set_members`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let seen = Key::new("seen");
    /// cache.blocking().set_add(&seen, &7_u64)?;
    /// cache.blocking().set_add(&seen, &7_u64)?;
    /// assert_eq!(cache.blocking().set_members::<u64>(&seen)?, [7]);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn set_members<T: Serialize + DeserializeOwned + 'static>(&self, key: &Key) -> Result<Vec<T>, Error> {
        let engine = self.engine();
        decoded_all(engine.operate_blocking(key, &Operation::Members)?, engine.codec)
    }

    /// As [`Cache::set_contains`].
    ///
    /// # Errors
    ///
    /// As of [`Cache::set_contains`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let seen = Key::new("seen");
    /// cache.blocking().set_add(&seen, &7_u64)?;
    /// assert!(cache.blocking().set_contains(&seen, &7_u64)?);
    /// assert!(!cache.blocking().set_contains(&seen, &8_u64)?);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn set_contains<T: Serialize + DeserializeOwned + 'static>(
        &self,
        key: &Key,
        member: &T,
    ) -> Result<bool, Error> {
        let engine = self.engine();
        flag(engine.operate_blocking(key, &Operation::Contains(engine.encoded(member)?))?)
    }
}
