//! Whether there is a second tier, and waiting for it.

use std::time::Duration;

use super::cache::Cache;
use crate::error::Error;
#[cfg(feature = "remote")]
use crate::runtime;

impl Cache {
    /// Waits until the second tier can be reached and the invalidations of other processes come in. Returns at once if there is no
    /// second tier.
    ///
    /// A cache works from the start, on its memory alone if need be: this is for programs that would rather know.
    ///
    /// # Errors
    ///
    /// That is not so `within` this time.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// let cache = Cache::builder().build()?;
    /// assert!(cache.connected(Duration::from_secs(1)).await.is_ok());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connected(&self, within: Duration) -> Result<(), Error> {
        #[cfg(feature = "remote")]
        if let Some(remote) = &self.engine().remote {
            let whole = runtime::within(within, remote.whole()).await;
            return whole.ok_or_else(|| Error::timeout("connected", within));
        }
        let _: Duration = within;
        Ok(())
    }

    /// Whether an invalidation would reach all of the second tier now, as far as is known without asking. True if there is no second tier.
    ///
    /// What is invalidated while it is not is done here at once, kept, and delivered when it can be: this is for programs that would rather not write
    /// what other processes can't be told of.
    ///
    /// # Examples
    ///
    /// ```
    /// let cache = cachex::Cache::builder().build()?;
    /// assert!(cache.can_deliver());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn can_deliver(&self) -> bool {
        #[cfg(feature = "remote")]
        if let Some(remote) = &self.engine().remote {
            return remote.takes_invalidations();
        }
        true
    }
}
