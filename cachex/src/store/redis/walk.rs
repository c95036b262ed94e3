//! The removal of all keys of some kind: a walk over all that the server has, in steps.

use std::collections::BTreeSet;

use redis::FromRedisValue;

use super::Redis;
use super::commands::unexpected;
use crate::runtime::together;
use crate::store::StoreError;

/// So many names are looked at in one step, about.
const STEP: usize = 512;

impl Redis {
    /// Removes the keys that are meant. Returns whether it can do so.
    ///
    /// A server that is started again meanwhile, or another one in its place, knows nothing of the steps before; then the walk may miss keys, and it
    /// does no harm: everything is invalidated before such a server is used.
    pub(super) async fn remove_meant(
        &self,
        is_meant: &(dyn Fn(&str) -> bool + Send + Sync),
    ) -> Result<bool, StoreError> {
        // A slot may move from a master that is yet to be asked to one that has been.
        if self.is_divided() {
            return Ok(false);
        }
        // Twice: a walk sees for certain what is there all the time. What had a lease before it, and has a value since, may be seen as neither;
        // then the value is there for all of the second walk.
        for _ in 0..2 {
            self.walk(is_meant).await?;
        }
        Ok(true)
    }

    async fn walk(&self, is_meant: &(dyn Fn(&str) -> bool + Send + Sync)) -> Result<(), StoreError> {
        let pattern = self.names.of_keys();
        let mut cursor = 0_u64;
        loop {
            let mut command = redis::cmd("SCAN");
            command.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(STEP);
            let answer = self.send("", &command).await?;
            let (next, names): (u64, Vec<Vec<u8>>) =
                FromRedisValue::from_redis_value(answer).map_err(|_| unexpected())?;
            let names = names.iter().filter_map(|name| std::str::from_utf8(name).ok());
            let keys: BTreeSet<_> = names.filter_map(|name| self.names.key(name)).filter(|key| is_meant(key)).collect();
            let removing = keys.into_iter().map(async |key| {
                let mut command = redis::cmd("UNLINK");
                command.arg(&self.written_at(key));
                self.send(key, &command).await
            });
            together(removing).await.into_iter().try_for_each(|removed| removed.map(drop))?;
            if next == 0 {
                return Ok(());
            }
            cursor = next;
        }
    }
}
