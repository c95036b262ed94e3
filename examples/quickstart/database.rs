//! The SQLite file: its tables, its connections, and the data of the crate `cities`.

use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error as PoolError};
use diesel::sql_types::Integer;
use tempfile::TempDir;

use crate::city::City;
use crate::error::Error;

pub(crate) type Pool = diesel::r2d2::Pool<ConnectionManager<SqliteConnection>>;

diesel::table! {
    cities (id) {
        id -> Integer,
        country -> Text,
        name -> Text,
        latitude -> Double,
        longitude -> Double,
        altitude -> Double,
        version -> BigInt,
    }
}

diesel::table! {
    // One row: how many writes were committed.
    commits (id) {
        id -> Integer,
        number -> BigInt,
    }
}

/// Says in the header of the file that it is ours, and may be filled anew: `PRAGMA application_id`.
const OURS: i32 = 0x0cac_4e78;

const TABLES: &str = "
    DROP TABLE IF EXISTS cities;
    DROP TABLE IF EXISTS commits;
    CREATE TABLE cities (
        id INTEGER PRIMARY KEY NOT NULL,
        country TEXT NOT NULL,
        name TEXT NOT NULL,
        latitude DOUBLE NOT NULL,
        longitude DOUBLE NOT NULL,
        altitude DOUBLE NOT NULL,
        version BIGINT NOT NULL
    );
    CREATE INDEX cities_by_country ON cities (country);
    CREATE INDEX cities_by_latitude ON cities (latitude, longitude);
    CREATE TABLE commits (id INTEGER PRIMARY KEY NOT NULL, number BIGINT NOT NULL);
    INSERT INTO commits VALUES (1, 0);";

/// A filled database.
pub(crate) struct Database {
    pub(crate) path: PathBuf,
    pub(crate) pool: Pool,
    /// Every city, as filled in.
    pub(crate) cities: Vec<City>,
    /// Deletes the file in the end; dropped last.
    _temporary: Option<TempDir>,
}

impl Database {
    /// Makes the file, or fills the one there is anew, for so many connections at once.
    pub(crate) fn fill(path: Option<PathBuf>, connections: u32) -> Result<Self, Error> {
        let (path, temporary) = match path {
            Some(path) => (path, None),
            None => {
                let folder = TempDir::with_prefix("cachex-quickstart-")
                    .map_err(|error| format!("no temporary file can be made ({error}); name one: --database FILE"))?;
                (folder.path().join("cities.sqlite"), Some(folder))
            }
        };
        let cities = world();
        let pool = fill(&path, &cities, connections)
            .map_err(|error| format!("{} can't be the database: {error}", path.display()))?;
        Ok(Self { path, pool, cities, _temporary: temporary })
    }
}

fn fill(path: &Path, cities: &[City], connections: u32) -> Result<Pool, Error> {
    let url = path.to_str().ok_or_else(|| "its name is not UTF-8".to_owned())?;
    let mut connection = SqliteConnection::establish(url)?;
    check_ours(&mut connection)?;
    // Readers and a writer at the same time need the write-ahead log; the file remembers it.
    connection.batch_execute(&format!("PRAGMA application_id = {OURS}; PRAGMA journal_mode = WAL"))?;
    connection.immediate_transaction(|connection| {
        connection.batch_execute(TABLES)?;
        for some in cities.chunks(1000) {
            diesel::insert_into(self::cities::table).values(some).execute(connection)?;
        }
        QueryResult::Ok(())
    })?;
    let pool = Pool::builder().max_size(connections).connection_customizer(Box::new(Patience));
    Ok(pool.build(ConnectionManager::new(url))?)
}

/// Refuses a database that something else has made.
fn check_ours(connection: &mut SqliteConnection) -> Result<(), Error> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Integer)]
        application_id: i32,
        #[diesel(sql_type = Integer)]
        tables: i32,
    }
    let query = "SELECT application_id, (SELECT count(*) FROM sqlite_schema) AS tables FROM pragma_application_id";
    let found: Found = diesel::sql_query(query).get_result(connection)?;
    match found.tables == 0 || found.application_id == OURS {
        true => Ok(()),
        false => Err("it holds the tables of another program; name a new file".to_owned().into()),
    }
}

/// Lets a connection wait for the writes of others instead of failing.
#[derive(Debug)]
struct Patience;

impl CustomizeConnection<SqliteConnection, PoolError> for Patience {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), PoolError> {
        let pragmas = "PRAGMA busy_timeout = 20000; PRAGMA synchronous = NORMAL";
        connection.batch_execute(pragmas).map_err(PoolError::QueryError)
    }
}

/// Returns the cities of the crate `cities`.
fn world() -> Vec<City> {
    let all = cities_of_the_world::all().iter();
    let numbered = all.filter_map(|city| Some((i32::try_from(city.id).ok()?, city)));
    let rows = numbered.map(|(id, city)| City {
        id,
        country: city.country.to_owned(),
        name: city.city.to_owned(),
        latitude: city.latitude,
        longitude: city.longitude,
        altitude: city.altitude,
        version: 0,
    });
    rows.collect()
}
