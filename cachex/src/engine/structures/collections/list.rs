//! Lists: what is pushed last is popped last.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{decoded, head};
use crate::engine::cache::Cache;
use crate::engine::manual::Blocking;
use crate::engine::structures::number;
use crate::error::Error;
use crate::key::Key;
use crate::structure::Operation;

impl Cache {
    /// Puts an item at the end of a list. Returns the length it has then.
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
    /// let jobs = Key::new("jobs");
    /// assert_eq!(cache.list_push(&jobs, &"first".to_owned()).await?, 1);
    /// assert_eq!(cache.list_push(&jobs, &"second".to_owned()).await?, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list_push<T: Serialize + DeserializeOwned + 'static>(
        &self,
        key: &Key,
        item: &T,
    ) -> Result<u64, Error> {
        let engine = self.engine();
        length(engine.operate(key, &Operation::Push(engine.encoded(item)?)).await?)
    }

    /// Takes the first item of a list, which has been there longest; nothing if there is none. Each item is given to one caller. One whose answer
    /// is lost [is uncertain](Error::is_uncertain), and may be lost with it.
    ///
    /// An item of another type than `T` stays, and is an error.
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
    /// let jobs = Key::new("jobs");
    /// cache.list_push(&jobs, &1_u32).await?;
    /// cache.list_push(&jobs, &2_u32).await?;
    /// assert_eq!(cache.list_pop::<u32>(&jobs).await?, Some(1));
    /// assert_eq!(cache.list_pop::<u32>(&jobs).await?, Some(2));
    /// assert_eq!(cache.list_pop::<u32>(&jobs).await?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list_pop<T: Serialize + DeserializeOwned + 'static>(&self, key: &Key) -> Result<Option<T>, Error> {
        let engine = self.engine();
        decoded(engine.operate(key, &Operation::Pop(head::<T>(engine.codec))).await?, engine.codec)
    }

    /// Returns how many items a list has; 0 if there is none.
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
    /// let jobs = Key::new("jobs");
    /// cache.list_push(&jobs, &1_u32).await?;
    /// assert_eq!(cache.list_len(&jobs).await?, 1);
    /// assert_eq!(cache.list_len(&Key::new("none")).await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list_len(&self, key: &Key) -> Result<u64, Error> {
        let engine = self.engine();
        length(engine.operate(key, &Operation::Length).await?)
    }
}

impl Blocking<'_> {
    /// As [`Cache::list_push`].
    ///
    /// # Errors
    ///
    /// As of [`Cache::list_push`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let jobs = Key::new("jobs");
    /// assert_eq!(cache.blocking().list_push(&jobs, &"first".to_owned())?, 1);
    /// assert_eq!(cache.blocking().list_push(&jobs, &"second".to_owned())?, 2);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn list_push<T: Serialize + DeserializeOwned + 'static>(&self, key: &Key, item: &T) -> Result<u64, Error> {
        let engine = self.engine();
        length(engine.operate_blocking(key, &Operation::Push(engine.encoded(item)?))?)
    }

    /// As [`Cache::list_pop`].
    ///
    /// # Errors
    ///
    /// As of [`Cache::list_pop`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let jobs = Key::new("jobs");
    /// cache.blocking().list_push(&jobs, &1_u32)?;
    /// cache.blocking().list_push(&jobs, &2_u32)?;
    /// assert_eq!(cache.blocking().list_pop::<u32>(&jobs)?, Some(1));
    /// assert_eq!(cache.blocking().list_pop::<u32>(&jobs)?, Some(2));
    /// assert_eq!(cache.blocking().list_pop::<u32>(&jobs)?, None);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn list_pop<T: Serialize + DeserializeOwned + 'static>(&self, key: &Key) -> Result<Option<T>, Error> {
        let engine = self.engine();
        decoded(engine.operate_blocking(key, &Operation::Pop(head::<T>(engine.codec)))?, engine.codec)
    }

    /// As [`Cache::list_len`].
    ///
    /// # Errors
    ///
    /// As of [`Cache::list_len`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let jobs = Key::new("jobs");
    /// cache.blocking().list_push(&jobs, &1_u32)?;
    /// assert_eq!(cache.blocking().list_len(&jobs)?, 1);
    /// assert_eq!(cache.blocking().list_len(&Key::new("none"))?, 0);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn list_len(&self, key: &Key) -> Result<u64, Error> {
        let engine = self.engine();
        length(engine.operate_blocking(key, &Operation::Length)?)
    }
}

fn length(answer: crate::structure::Answer) -> Result<u64, Error> {
    number(answer).map(|number| u64::try_from(number).unwrap_or_default())
}
