//! Structures and locks in L2: there, and nowhere else.

use std::time::Duration;

use super::Remote;
use crate::error::Error;
use crate::key::Key;
use crate::store::{StoreError, StoreErrorKind};
use crate::structure::{Answer, Operation};
use crate::tier::remote::name;

impl Remote {
    /// Does what is asked of a key. Nothing is answered that the store did not say.
    pub(in crate::engine) async fn operate(
        &self,
        key: &Key,
        operation: &Operation,
        life: Option<Duration>,
    ) -> Result<Answer, Error> {
        let name = name::name(key.at());
        let Some(store) = self.store.structures(&name) else { return Err(Error::unsupported(operation.kind())) };
        store.operate(&name, operation, life).await.map_err(|failed| self.error_of(failed, operation))
    }

    fn error_of(&self, failed: StoreError, operation: &Operation) -> Error {
        if failed.kind() == StoreErrorKind::OtherKind {
            // The caller's mistake, and none of the store.
            return Error::other_structure(operation.kind());
        }
        self.note_trouble(&failed);
        match failed.kind() {
            StoreErrorKind::Unknown => Error::uncertain(failed),
            _ => Error::unavailable(failed),
        }
    }
}
