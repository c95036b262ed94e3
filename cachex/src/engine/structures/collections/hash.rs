//! Hashes: fields with a value each.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{decoded, decoded_pairs};
use crate::engine::cache::Cache;
use crate::engine::manual::Blocking;
use crate::engine::structures::flag;
use crate::error::Error;
use crate::key::Key;
use crate::structure::Operation;

impl Cache {
    /// Gives a field of a hash a value, in place of the one it has. Returns whether the field was new.
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
    /// let user = Key::entity("user", &7);
    /// assert!(cache.hash_set(&user, "visits", &1_u32).await?);
    /// assert!(!cache.hash_set(&user, "visits", &2_u32).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn hash_set<T: Serialize + DeserializeOwned + 'static>(
        &self,
        key: &Key,
        field: &str,
        value: &T,
    ) -> Result<bool, Error> {
        let engine = self.engine();
        flag(engine.operate(key, &Operation::Put(field.to_owned(), engine.encoded(value)?)).await?)
    }

    /// Returns the value of a field of a hash; nothing if there is none.
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
    /// let user = Key::entity("user", &7);
    /// cache.hash_set(&user, "visits", &1_u32).await?;
    /// assert_eq!(cache.hash_get::<u32>(&user, "visits").await?, Some(1));
    /// assert_eq!(cache.hash_get::<u32>(&user, "orders").await?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn hash_get<T: Serialize + DeserializeOwned + 'static>(
        &self,
        key: &Key,
        field: &str,
    ) -> Result<Option<T>, Error> {
        let engine = self.engine();
        decoded(engine.operate(key, &Operation::Field(field.to_owned())).await?, engine.codec)
    }

    /// Returns all fields of a hash with their values, which are of one type; none if there is no hash.
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
    /// let user = Key::entity("user", &7);
    /// cache.hash_set(&user, "visits", &1_u32).await?;
    /// let all = cache.hash_get_all::<u32>(&user).await?;
    /// assert_eq!(all.get("visits"), Some(&1));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn hash_get_all<T: Serialize + DeserializeOwned + 'static>(
        &self,
        key: &Key,
    ) -> Result<BTreeMap<String, T>, Error> {
        let engine = self.engine();
        decoded_pairs(engine.operate(key, &Operation::Fields).await?, engine.codec)
    }
}

impl Blocking<'_> {
    /// As [`Cache::hash_set`].
    ///
    /// # Errors
    ///
    /// As of [`Cache::hash_set`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let user = Key::entity("user", &7);
    /// assert!(cache.blocking().hash_set(&user, "visits", &1_u32)?);
    /// assert!(!cache.blocking().hash_set(&user, "visits", &2_u32)?);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn hash_set<T: Serialize + DeserializeOwned + 'static>(
        &self,
        key: &Key,
        field: &str,
        value: &T,
    ) -> Result<bool, Error> {
        let engine = self.engine();
        flag(engine.operate_blocking(key, &Operation::Put(field.to_owned(), engine.encoded(value)?))?)
    }

    /// As [`Cache::hash_get`].
    ///
    /// # Errors
    ///
    /// As of [`Cache::hash_get`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let user = Key::entity("user", &7);
    /// cache.blocking().hash_set(&user, "visits", &1_u32)?;
    /// assert_eq!(cache.blocking().hash_get::<u32>(&user, "visits")?, Some(1));
    /// assert_eq!(cache.blocking().hash_get::<u32>(&user, "orders")?, None);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn hash_get<T: Serialize + DeserializeOwned + 'static>(
        &self,
        key: &Key,
        field: &str,
    ) -> Result<Option<T>, Error> {
        let engine = self.engine();
        decoded(engine.operate_blocking(key, &Operation::Field(field.to_owned()))?, engine.codec)
    }

    /// As [`Cache::hash_get_all`].
    ///
    /// # Errors
    ///
    /// As of [`Cache::hash_get_all`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let user = Key::entity("user", &7);
    /// cache.blocking().hash_set(&user, "visits", &1_u32)?;
    /// let all = cache.blocking().hash_get_all::<u32>(&user)?;
    /// assert_eq!(all.get("visits"), Some(&1));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn hash_get_all<T: Serialize + DeserializeOwned + 'static>(
        &self,
        key: &Key,
    ) -> Result<BTreeMap<String, T>, Error> {
        let engine = self.engine();
        decoded_pairs(engine.operate_blocking(key, &Operation::Fields)?, engine.codec)
    }
}
