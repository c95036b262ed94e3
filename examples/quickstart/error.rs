//! What can go wrong: an error of one's own, which every cached method passes through as it is.

use std::fmt;

use tokio::task::JoinError;

/// Why a method of the repository, or the quickstart, failed.
#[derive(Debug)]
pub(crate) enum Error {
    Connection(diesel::ConnectionError),
    Pool(diesel::r2d2::PoolError),
    Query(diesel::result::Error),
    Task(JoinError),
    Cache(cachex::Error),
    Io(std::io::Error),
    Other(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => write!(f, "the database can't be opened: {error}"),
            Self::Pool(error) => write!(f, "no connection to the database is to be had: {error}"),
            Self::Query(error) => write!(f, "the database refuses: {error}"),
            Self::Task(error) => write!(f, "a query did not end: {error}"),
            Self::Cache(error) => write!(f, "the cache can't be set up: {error}"),
            Self::Io(error) => write!(f, "the system refuses: {error}"),
            Self::Other(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

macro_rules! from {
    ($($kind:ident: $error:ty;)*) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::$kind(error)
            }
        }
    )*};
}

from! {
    Connection: diesel::ConnectionError;
    Pool: diesel::r2d2::PoolError;
    Query: diesel::result::Error;
    Task: JoinError;
    Cache: cachex::Error;
    Io: std::io::Error;
    Other: String;
}
