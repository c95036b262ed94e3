//! The servers that are known.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{QueryBuilder, QueryFragment};

use crate::lex::Dialect;

/// A server whose SQL is understood, and whose binds can be made a part of a key: SQLite, PostgreSQL, MySQL.
///
/// It is implemented for the backends of Diesel, each with the feature of its name, and can't be implemented for others.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// fn name<DB: cachex_diesel::CacheBackend>() -> &'static str {
///     DB::NAME
/// }
///
/// assert_eq!(name::<diesel::sqlite::Sqlite>(), "sqlite");
/// # }
/// ```
pub trait CacheBackend: Backend<QueryBuilder: Default> + Default + sealed::Known {
    /// What it is called.
    const NAME: &'static str;
}

pub(crate) mod sealed {
    use super::{Dialect, QueryFragment, QueryResult};

    /// What is known of a server.
    pub trait Known: Sized + diesel::backend::Backend {
        #[doc(hidden)]
        const DIALECT: Dialect;

        /// Adds the binds of a query to a key: unequal ones never make equal keys.
        #[doc(hidden)]
        fn binds<T: QueryFragment<Self> + ?Sized>(query: &T, key: &mut Vec<u8>) -> QueryResult<()>;
    }
}

/// A server that names of tables are written for: any will do.
#[cfg(feature = "sqlite")]
pub(crate) type Naming = diesel::sqlite::Sqlite;
#[cfg(all(feature = "postgres-backend", not(feature = "sqlite")))]
pub(crate) type Naming = diesel::pg::Pg;
#[cfg(all(feature = "mysql-backend", not(any(feature = "sqlite", feature = "postgres-backend"))))]
pub(crate) type Naming = diesel::mysql::Mysql;

/// Returns the SQL of a query.
pub(crate) fn sql<DB: CacheBackend, T: QueryFragment<DB> + ?Sized>(query: &T) -> QueryResult<String> {
    let mut builder = DB::QueryBuilder::default();
    query.to_sql(&mut builder, &DB::default())?;
    Ok(builder.finish())
}

#[cfg(any(feature = "postgres-backend", feature = "mysql-backend"))]
fn push(key: &mut Vec<u8>, bind: Option<&[u8]>) {
    match bind {
        None => key.push(0),
        Some(bytes) => {
            key.push(1);
            key.extend((bytes.len() as u64).to_le_bytes());
            key.extend(bytes);
        }
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use diesel::query_builder::MoveableBindCollector;
    use diesel::sqlite::Sqlite;

    use super::{CacheBackend, Dialect, QueryFragment, QueryResult, sealed};

    impl CacheBackend for Sqlite {
        const NAME: &'static str = "sqlite";
    }

    impl sealed::Known for Sqlite {
        const DIALECT: Dialect = Dialect::Sqlite;

        fn binds<T: QueryFragment<Self> + ?Sized>(query: &T, key: &mut Vec<u8>) -> QueryResult<()> {
            let backend = Self;
            let mut binds = <Self as diesel::backend::Backend>::BindCollector::default();
            query.collect_binds(&mut binds, &mut (), &backend)?;
            // What is owned shows what it holds, and its type, as derived; it is not the text of the user's own value, which may hide something.
            key.extend(format!("{:?}", binds.moveable()).into_bytes());
            Ok(())
        }
    }
}

#[cfg(feature = "postgres-backend")]
mod postgres {
    use std::hash::{DefaultHasher, Hash, Hasher};

    use diesel::pg::{Pg, PgMetadataLookup, PgTypeMetadata};
    use diesel::query_builder::bind_collector::RawBytesBindCollector;

    use super::{CacheBackend, Dialect, QueryFragment, QueryResult, push, sealed};

    impl CacheBackend for Pg {
        const NAME: &'static str = "postgres";
    }

    /// Gives each type a number of its own without asking a server: they are a part of a key, and of nothing else.
    struct Names;

    impl PgMetadataLookup for Names {
        fn lookup_type(&mut self, name: &str, schema: Option<&str>) -> PgTypeMetadata {
            let number = |part: u8| {
                let mut hasher = DefaultHasher::new();
                (part, name, schema).hash(&mut hasher);
                hasher.finish() as u32
            };
            PgTypeMetadata::new(number(0), number(1))
        }
    }

    impl sealed::Known for Pg {
        const DIALECT: Dialect = Dialect::Postgres;

        fn binds<T: QueryFragment<Self> + ?Sized>(query: &T, key: &mut Vec<u8>) -> QueryResult<()> {
            let backend = Self;
            let mut binds = RawBytesBindCollector::new();
            let mut names = Names;
            query.collect_binds(&mut binds, &mut names as &mut dyn PgMetadataLookup, &backend)?;
            for (bind, kind) in binds.binds.iter().zip(&binds.metadata) {
                key.extend(kind.oid().unwrap_or_default().to_le_bytes());
                push(key, bind.as_deref());
            }
            Ok(())
        }
    }
}

#[cfg(feature = "mysql-backend")]
mod mysql {
    use diesel::mysql::Mysql;
    use diesel::query_builder::bind_collector::RawBytesBindCollector;

    use super::{CacheBackend, Dialect, QueryFragment, QueryResult, push, sealed};

    impl CacheBackend for Mysql {
        const NAME: &'static str = "mysql";
    }

    impl sealed::Known for Mysql {
        const DIALECT: Dialect = Dialect::Mysql;

        fn binds<T: QueryFragment<Self> + ?Sized>(query: &T, key: &mut Vec<u8>) -> QueryResult<()> {
            let backend = Self;
            let mut binds = RawBytesBindCollector::new();
            query.collect_binds(&mut binds, &mut (), &backend)?;
            for (bind, kind) in binds.binds.iter().zip(&binds.metadata) {
                key.extend(format!("{kind:?}").into_bytes());
                push(key, bind.as_deref());
            }
            Ok(())
        }
    }
}
