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

        /// Returns the binds at some places, and the parts of what is an array, if all are integers.
        #[doc(hidden)]
        fn integers<T: QueryFragment<Self> + ?Sized>(query: &T, places: &[usize]) -> QueryResult<Option<Vec<i64>>>;
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
    use std::io::Write;

    use diesel::query_builder::MoveableBindCollector;
    use diesel::sqlite::Sqlite;

    use super::{CacheBackend, Dialect, QueryFragment, QueryResult, sealed};

    /// As many bytes as the binds of most queries are shown in.
    const USUAL_BINDS: usize = 128;

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
            key.reserve(USUAL_BINDS);
            write!(key, "{:?}", binds.moveable())
                .map_err(|failed| diesel::result::Error::QueryBuilderError(failed.into()))
        }

        fn integers<T: QueryFragment<Self> + ?Sized>(query: &T, places: &[usize]) -> QueryResult<Option<Vec<i64>>> {
            let backend = Self;
            let mut binds = <Self as diesel::backend::Backend>::BindCollector::default();
            query.collect_binds(&mut binds, &mut (), &backend)?;
            // There is no other way to them than what is shown, each by itself: `I32(7)`. What is shown otherwise than is known here is no integer.
            let (owned, mut shown) = (binds.moveable(), Vec::new());
            <<Self as diesel::backend::Backend>::BindCollector<'_> as MoveableBindCollector<Self>>::push_debug_binds(
                &owned, &mut shown,
            );
            Ok(places.iter().map(|place| integer(&format!("{:?}", shown.get(*place)?))).collect())
        }
    }

    fn integer(shown: &str) -> Option<i64> {
        let value = shown.strip_prefix("I32(").or_else(|| shown.strip_prefix("I64("))?;
        value.strip_suffix(')')?.parse().ok()
    }

    #[cfg(test)]
    mod tests {
        use diesel::sql_types::{BigInt, Binary, Bool, Double, Integer, Nullable, SmallInt, Text};

        use super::*;

        #[test]
        fn integers_are_found_among_binds_of_all_kinds() {
            let query = diesel::sql_query("")
                .bind::<Text, _>("(I32(1), Integer), \\\"")
                .bind::<Integer, _>(-7)
                .bind::<BigInt, _>(i64::MAX)
                .bind::<Binary, _>(b"[(".to_vec())
                .bind::<Double, _>(1.0)
                .bind::<SmallInt, _>(3_i16)
                .bind::<Nullable<Integer>, _>(None::<i32>)
                .bind::<Bool, _>(true);
            let integers = |places: &[usize]| <Sqlite as sealed::Known>::integers(&query, places).unwrap();
            assert_eq!(integers(&[1, 2, 5]), Some(vec![-7, i64::MAX, 3]));
            for place in [0, 3, 4, 6, 8] {
                assert_eq!(integers(&[place]), None, "{place}");
            }
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

        fn integers<T: QueryFragment<Self> + ?Sized>(query: &T, places: &[usize]) -> QueryResult<Option<Vec<i64>>> {
            let backend = Self;
            let mut binds = RawBytesBindCollector::new();
            let mut names = Names;
            query.collect_binds(&mut binds, &mut names as &mut dyn PgMetadataLookup, &backend)?;
            let at = |place: &usize| {
                let kind = binds.metadata.get(*place)?.oid().ok()?;
                integers(kind, binds.binds.get(*place)?.as_deref()?)
            };
            Ok(places.iter().map(at).collect::<Option<Vec<_>>>().map(|each| each.concat()))
        }
    }

    const INT2: u32 = 21;
    const INT4: u32 = 23;
    const INT8: u32 = 20;
    const ARRAYS: [(u32, u32); 3] = [(1005, INT2), (1007, INT4), (1016, INT8)];

    /// Reads an integer, or an array of integers, as they are sent.
    fn integers(kind: u32, bytes: &[u8]) -> Option<Vec<i64>> {
        let Some((_, kind)) = ARRAYS.into_iter().find(|(array, _)| *array == kind) else {
            return Some(vec![integer(kind, bytes)?]);
        };
        // Dimensions, whether something is null, the type; of the one dimension how many there are, and the number of the first.
        let (header, mut rest) = bytes.split_at_checked(12)?;
        if header != [&[0, 0, 0, 1, 0, 0, 0, 0][..], &kind.to_be_bytes()].concat() {
            return None;
        }
        let count = word(&mut rest)?;
        word(&mut rest)?;
        let mut each = Vec::new();
        for _ in 0..count {
            let len = usize::try_from(word(&mut rest)?).ok()?;
            let (value, after) = rest.split_at_checked(len)?;
            each.push(integer(kind, value)?);
            rest = after;
        }
        rest.is_empty().then_some(each)
    }

    fn word(rest: &mut &[u8]) -> Option<u32> {
        let (word, after) = rest.split_first_chunk()?;
        *rest = after;
        Some(u32::from_be_bytes(*word))
    }

    fn integer(kind: u32, bytes: &[u8]) -> Option<i64> {
        match kind {
            INT2 => bytes.try_into().ok().map(|bytes| i16::from_be_bytes(bytes).into()),
            INT4 => bytes.try_into().ok().map(|bytes| i32::from_be_bytes(bytes).into()),
            INT8 => bytes.try_into().ok().map(i64::from_be_bytes),
            _ => None,
        }
    }

    #[cfg(test)]
    mod tests {
        use diesel::sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Text};

        use super::*;

        #[test]
        fn integers_are_found_alone_and_in_arrays() {
            let query = diesel::sql_query("")
                .bind::<Text, _>("1234")
                .bind::<Integer, _>(-7)
                .bind::<BigInt, _>(i64::MAX)
                .bind::<SmallInt, _>(3_i16)
                .bind::<Array<Integer>, _>(vec![1, -2])
                .bind::<Array<BigInt>, _>(vec![5_i64])
                .bind::<Array<Nullable<Integer>>, _>(vec![None, Some(1)])
                .bind::<Array<Text>, _>(vec!["1234"])
                .bind::<Nullable<Integer>, _>(None::<i32>);
            let integers = |places: &[usize]| <Pg as sealed::Known>::integers(&query, places).unwrap();
            assert_eq!(integers(&[1, 2, 3, 4, 5]), Some(vec![-7, i64::MAX, 3, 1, -2, 5]));
            for place in [0, 6, 7, 8, 9] {
                assert_eq!(integers(&[place]), None, "{place}");
            }
        }
    }
}

#[cfg(feature = "mysql-backend")]
mod mysql {
    use diesel::mysql::{Mysql, MysqlType};
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

        fn integers<T: QueryFragment<Self> + ?Sized>(query: &T, places: &[usize]) -> QueryResult<Option<Vec<i64>>> {
            let backend = Self;
            let mut binds = RawBytesBindCollector::new();
            query.collect_binds(&mut binds, &mut (), &backend)?;
            let at = |place: &usize| integer(*binds.metadata.get(*place)?, binds.binds.get(*place)?.as_deref()?);
            Ok(places.iter().map(at).collect())
        }
    }

    /// Reads an integer as it is sent.
    fn integer(kind: MysqlType, bytes: &[u8]) -> Option<i64> {
        match kind {
            MysqlType::Tiny => bytes.try_into().ok().map(|bytes| i8::from_ne_bytes(bytes).into()),
            MysqlType::Short => bytes.try_into().ok().map(|bytes| i16::from_ne_bytes(bytes).into()),
            MysqlType::Long => bytes.try_into().ok().map(|bytes| i32::from_ne_bytes(bytes).into()),
            MysqlType::LongLong => bytes.try_into().ok().map(i64::from_ne_bytes),
            MysqlType::UnsignedTiny => bytes.try_into().ok().map(|bytes| u8::from_ne_bytes(bytes).into()),
            MysqlType::UnsignedShort => bytes.try_into().ok().map(|bytes| u16::from_ne_bytes(bytes).into()),
            MysqlType::UnsignedLong => bytes.try_into().ok().map(|bytes| u32::from_ne_bytes(bytes).into()),
            MysqlType::UnsignedLongLong => {
                bytes.try_into().ok().and_then(|bytes| u64::from_ne_bytes(bytes).try_into().ok())
            }
            _ => None,
        }
    }

    #[cfg(test)]
    mod tests {
        use diesel::sql_types::{BigInt, Integer, Nullable, SmallInt, Text, Unsigned};

        use super::*;

        #[test]
        fn integers_are_found_among_other_binds() {
            let query = diesel::sql_query("")
                .bind::<Text, _>("1234")
                .bind::<Integer, _>(-7)
                .bind::<BigInt, _>(i64::MAX)
                .bind::<SmallInt, _>(3_i16)
                .bind::<Unsigned<BigInt>, _>(u64::MAX)
                .bind::<Unsigned<BigInt>, _>(9_u64)
                .bind::<Nullable<Integer>, _>(None::<i32>);
            let integers = |places: &[usize]| <Mysql as sealed::Known>::integers(&query, places).unwrap();
            assert_eq!(integers(&[1, 2, 3, 5]), Some(vec![-7, i64::MAX, 3, 9]));
            for place in [0, 4, 6, 7] {
                assert_eq!(integers(&[place]), None, "{place}");
            }
        }
    }
}
