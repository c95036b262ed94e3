//! Why there is no answer, and what to do about it.

use std::time::Duration;

use redis::{ErrorKind, RedisError};

use super::tls;
use crate::runtime::Unfinished;
use crate::store::{StoreError, StoreErrorKind};

/// Whether the server refused for want of a right: what a script may not do has no code of its own.
fn is_forbidden(error: &RedisError) -> bool {
    error.code() == Some("NOPERM") || error.detail().is_some_and(|detail| detail.contains("executing the script can't"))
}

/// Whether an error tells that the connection is of no use any more.
pub(super) fn is_of_connection(error: &RedisError) -> bool {
    error.is_unrecoverable_error() || error.is_io_error() || error.is_connection_dropped() || is_of_identity(error)
}

/// Whether the server does not know us, or we may not do anything.
pub(super) fn is_of_identity(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
}

/// Whether the server is not the master, or not any more.
pub(super) fn is_of_replica(error: &RedisError) -> bool {
    error.code() == Some("READONLY")
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum LinkError {
    /// There is no connection.
    Down,
    /// None came within this time.
    Silent(Duration),
    /// The server that was found is not to be used, or none was found.
    Unfit(String),
    /// The runtime where the connection was to be driven did not make it.
    Elsewhere(Unfinished),
    /// There is one, and it is an error; or the connection broke.
    Redis(RedisError),
}

impl LinkError {
    /// Whether the connection broke, or was gone: over another one there may be an answer.
    pub(super) fn is_of_connection(&self) -> bool {
        match self {
            Self::Down => true,
            Self::Redis(error) => is_of_connection(error),
            Self::Silent(_) | Self::Unfit(_) | Self::Elsewhere(_) => false,
        }
    }

    pub(super) fn is_unknown_script(&self) -> bool {
        matches!(self, Self::Redis(error) if error.code() == Some("NOSCRIPT"))
    }
}

impl From<LinkError> for StoreError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Down => Self::new(StoreErrorKind::Down, "redis can't be reached"),
            LinkError::Silent(span) => {
                Self::new(StoreErrorKind::Unknown, format!("redis did not answer within {span:?}"))
            }
            LinkError::Elsewhere(Unfinished::Ended) => {
                Self::new(StoreErrorKind::Down, "the runtime that the cache was given has ended")
            }
            LinkError::Elsewhere(Unfinished::Panicked) => Self::new(
                StoreErrorKind::Down,
                "the runtime that the cache was given has no connections; build it with `enable_io`",
            ),
            LinkError::Unfit(why) => Self::new(StoreErrorKind::Down, why),
            LinkError::Redis(error) => match if is_forbidden(&error) { Some("NOPERM") } else { error.code() } {
                Some("NOPERM") => Self::new(
                    StoreErrorKind::Refused,
                    "redis refused: this user has no right to the keys or the channel of the cache; \
                     grant both, as in `ACL SETUSER app ~cx:* ~{cx:* &cx:* +@all` where the prefix is `cx`",
                ),
                Some("WRONGTYPE") => Self::new(StoreErrorKind::OtherKind, "redis has something of another kind there"),
                Some(code @ ("NOAUTH" | "WRONGPASS")) => Self::new(
                    StoreErrorKind::Refused,
                    format!("redis refused: {code}; write user and password into `redis.url`"),
                ),
                Some(code) => Self::new(StoreErrorKind::Refused, format!("redis refused: {code}")),
                None => {
                    let why = tls::trouble(&error).unwrap_or_else(|| format!("redis failed: {}", error.category()));
                    Self::new(StoreErrorKind::Unknown, why)
                }
            },
        }
    }
}
