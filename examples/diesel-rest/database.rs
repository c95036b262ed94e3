//! Connections to SQLite or PostgreSQL that know of the cache, and a pool of them.

use std::fmt;

use cachex_diesel::{CachingConnection, DieselCache};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{Error as PoolError, ManageConnection, R2D2Connection};

use crate::Error;
use crate::schema;

type Sqlite = CachingConnection<SqliteConnection>;
#[cfg(feature = "postgres")]
type Postgres = CachingConnection<PgConnection>;

/// A connection to either. What it wraps knows of the cache; it need not.
#[derive(diesel::MultiConnection)]
pub(crate) enum AnyConnection {
    Sqlite(Sqlite),
    #[cfg(feature = "postgres")]
    Postgres(Postgres),
}

pub(crate) type Pool = diesel::r2d2::Pool<Connector>;

/// Where the posts are.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A file.
    Sqlite(String),
    /// The URL of a database.
    #[cfg(feature = "postgres")]
    Postgres(String),
}

impl Place {
    /// Reads what was given on the command line.
    pub(crate) fn parse(text: String) -> Result<Self, String> {
        match text.split_once("://") {
            None => Ok(Self::Sqlite(text)),
            #[cfg(feature = "postgres")]
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text)),
            #[cfg(not(feature = "postgres"))]
            Some(("postgres" | "postgresql", _)) => {
                Err("PostgreSQL is left out of this program, since it needs libpq: add `--features postgres`"
                    .to_owned())
            }
            Some((scheme, _)) => Err(format!(
                "`{scheme}://…` is no database that is known here: give `postgres://…` or the file of a SQLite database"
            )),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "SQLite in {file}"),
            // A URL may hold a password.
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => f.write_str("PostgreSQL"),
        }
    }
}

/// Makes the connections of a pool.
#[derive(Debug)]
pub(crate) struct Connector {
    place: Place,
    db: DieselCache,
}

impl Connector {
    pub(crate) fn new(place: Place, db: DieselCache) -> Self {
        Self { place, db }
    }
}

impl ManageConnection for Connector {
    type Connection = AnyConnection;
    type Error = PoolError;

    fn connect(&self) -> Result<AnyConnection, PoolError> {
        match &self.place {
            Place::Sqlite(file) => {
                let mut connection = SqliteConnection::establish(file).map_err(PoolError::ConnectionError)?;
                // Whoever writes waits for others instead of failing, and those that read wait for nobody.
                let pragmas = "PRAGMA busy_timeout = 20000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                     PRAGMA foreign_keys = ON";
                connection.batch_execute(pragmas).map_err(PoolError::QueryError)?;
                Ok(AnyConnection::Sqlite(self.db.wrap(connection)))
            }
            #[cfg(feature = "postgres")]
            Place::Postgres(url) => {
                let connection = PgConnection::establish(url).map_err(PoolError::ConnectionError)?;
                Ok(AnyConnection::Postgres(self.db.wrap(connection)))
            }
        }
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), PoolError> {
        connection.ping().map_err(PoolError::QueryError)
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        connection.is_broken()
    }
}

impl AnyConnection {
    /// Makes the tables that are missing.
    pub(crate) fn make_tables(&mut self) -> Result<(), Error> {
        let tables = match self {
            Self::Sqlite(_) => schema::SQLITE,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => schema::POSTGRES,
        };
        Ok(self.batch_execute(tables)?)
    }

    /// Lets the cache know of the tables, and of what they do to each other: here, that posts take their revisions with them.
    pub(crate) fn introspect(&mut self, db: &DieselCache) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => db.introspect(connection)?,
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => db.introspect(connection)?,
        };
        Ok(())
    }
}
