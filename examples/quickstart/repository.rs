//! The repository: what a program writes to have its methods cached.

use std::sync::Arc;

use cachex::{Cache, CacheScope, cached, invalidates, updates};
use diesel::prelude::*;

use crate::city::{City, Neighbour, Point};
use crate::database::{Pool, cities, commits};
use crate::error::Error;

/// How many neighbours are answered with at most.
pub(crate) const NEIGHBOURS: usize = 10;

/// The cities of a database.
///
/// No field but the cache is marked: nothing in here changes what the methods return.
#[derive(Clone, CacheScope)]
pub(crate) struct Cities {
    #[scope(cache)]
    cache: Cache,
    pool: Pool,
}

impl Cities {
    pub(crate) fn new(cache: Cache, pool: Pool) -> Self {
        Self { cache, pool }
    }

    /// Returns one city. That there is none is remembered as well, but not for long.
    #[cached(ttl = "5m", negative_ttl = "30s", tags = ["city:{id}"])]
    pub(crate) fn city(&self, id: i32) -> Result<Option<City>, Error> {
        let query = cities::table.find(id).select(City::as_select());
        Ok(query.first(&mut self.pool.get()?).optional()?)
    }

    /// Returns the cities of a country.
    #[cached(ttl = "5m", tags = ["country:{country}"])]
    pub(crate) fn in_country(&self, country: &str) -> Result<Arc<[City]>, Error> {
        let query = cities::table.filter(cities::country.eq(country)).order(cities::id).select(City::as_select());
        Ok(query.load(&mut self.pool.get()?)?.into())
    }

    /// Returns the cities nearest to a place, within a distance. A change of one of them invalidates the answer: each answer
    /// has the tags of its own cities.
    #[cached(ttl = "5m", tags = ["map"], tags_with = tags_of)]
    pub(crate) async fn near(&self, place: Point, kilometres: u32) -> Result<Arc<[Neighbour]>, Error> {
        let pool = self.pool.clone();
        // Diesel blocks, and so it must not run where the tasks run.
        tokio::task::spawn_blocking(move || {
            let mut connection = pool.get()?;
            nearest(&mut connection, place, kilometres.into())
        })
        .await?
    }

    /// Gives a city another name; returns the number of the commit, or nothing if there is no such city.
    #[invalidates(tags = ["city:{city.id}", "country:{city.country}"])]
    pub(crate) fn rename(&self, city: &City, name: &str) -> Result<Option<i64>, Error> {
        self.write(|connection, number| {
            let row = diesel::update(cities::table.find(city.id));
            let changed = row.set((cities::name.eq(name), cities::version.eq(number))).execute(connection)?;
            Ok((changed > 0).then_some(number))
        })
    }

    /// Measures a city's altitude anew: what it returns is what [`city`](Self::city) returns from now on.
    #[updates(Self::city(city.id), tags = ["city:{city.id}", "country:{city.country}"])]
    pub(crate) fn survey(&self, city: &City, altitude: f64) -> Result<Option<City>, Error> {
        self.write(|connection, number| {
            let row = diesel::update(cities::table.find(city.id));
            let changed = row.set((cities::altitude.eq(altitude), cities::version.eq(number)));
            changed.returning(City::as_returning()).get_result(connection).optional()
        })
    }

    /// Adds a city, which may be among any neighbours; returns the number of the commit.
    #[invalidates(Self::city(city.id), tags = ["country:{city.country}", "map"])]
    pub(crate) fn add(&self, city: &City) -> Result<i64, Error> {
        self.write(|connection, number| {
            let city = City { version: number, ..city.clone() };
            diesel::insert_into(cities::table).values(city).execute(connection)?;
            Ok(number)
        })
    }

    /// Removes a city; returns the number of the commit.
    #[invalidates(tags = ["city:{city.id}", "country:{city.country}"])]
    pub(crate) fn remove(&self, city: &City) -> Result<i64, Error> {
        self.write(|connection, number| {
            diesel::delete(cities::table.find(city.id)).execute(connection)?;
            Ok(number)
        })
    }

    /// Runs a write with the number of its commit.
    fn write<T>(&self, change: impl FnOnce(&mut SqliteConnection, i64) -> QueryResult<T>) -> Result<T, Error> {
        let changed = self.pool.get()?.immediate_transaction(|connection| {
            let next = diesel::update(commits::table).set(commits::number.eq(commits::number + 1));
            let number = next.returning(commits::number).get_result(connection)?;
            change(connection, number)
        })?;
        Ok(changed)
    }
}

/// Looks for the nearest cities: in a box by the index, then by the true distance.
fn nearest(connection: &mut SqliteConnection, place: Point, kilometres: f64) -> Result<Arc<[Neighbour]>, Error> {
    let around = place.surroundings(kilometres);
    let (south, north) = around.latitudes;
    let mut query = cities::table.filter(cities::latitude.between(south, north)).select(City::as_select()).into_boxed();
    if let Some((west, east)) = around.longitudes {
        query = query.filter(cities::longitude.between(west, east));
    }
    let candidates: Vec<City> = query.load(connection)?;
    let with_distance = |city: City| Neighbour { kilometres: place.kilometres_to(city.place()), city };
    let mut found: Vec<_> = candidates.into_iter().map(with_distance).collect();
    found.retain(|neighbour| neighbour.kilometres <= kilometres);
    found.sort_by(Neighbour::nearer);
    found.truncate(NEIGHBOURS);
    Ok(found.into())
}

/// Returns the tags of the cities in an answer.
fn tags_of(answer: &Arc<[Neighbour]>) -> Vec<String> {
    answer.iter().map(|neighbour| format!("city:{}", neighbour.city.id)).collect()
}
