//! What the readers ask, and what they are answered.

use std::sync::Arc;

use cachex::{Cache, Verdict};
use tokio::runtime::Handle;

use crate::city::{City, Neighbour, Point};
use crate::error::Error;
use crate::repository::{Cities, NEIGHBOURS};

/// How far neighbours may be.
const KILOMETRES: u32 = 500;

/// A method with its argument.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    City(i32),
    InCountry(String),
    Near(Point),
}

/// What a method answers.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    City(Option<City>),
    InCountry(Arc<[City]>),
    Near(Arc<[Neighbour]>),
}

impl Question {
    /// Asks the repository from a task.
    pub(crate) async fn ask(&self, cities: &Cities) -> Result<Answer, Error> {
        Ok(match self {
            Self::City(id) => Answer::City(cities.city(*id)?),
            Self::InCountry(country) => Answer::InCountry(cities.in_country(country)?),
            Self::Near(place) => Answer::Near(cities.near(*place, KILOMETRES).await?),
        })
    }

    /// Asks the repository from a thread, which waits where a method is async.
    pub(crate) fn ask_blocking(&self, cities: &Cities, runtime: &Handle) -> Result<Answer, Error> {
        Ok(match self {
            Self::City(id) => Answer::City(cities.city(*id)?),
            Self::InCountry(country) => Answer::InCountry(cities.in_country(country)?),
            Self::Near(place) => Answer::Near(runtime.block_on(cities.near(*place, KILOMETRES))?),
        })
    }

    /// Asks the database itself: each cached method has an uncached companion.
    pub(crate) async fn ask_database(&self, cities: &Cities) -> Result<Answer, Error> {
        Ok(match self {
            Self::City(id) => Answer::City(cities.city_uncached(*id)?),
            Self::InCountry(country) => Answer::InCountry(cities.in_country_uncached(country)?),
            Self::Near(place) => Answer::Near(cities.near_uncached(*place, KILOMETRES).await?),
        })
    }

    /// Returns whether the next call is a hit.
    pub(crate) fn is_cached(&self, cities: &Cities, cache: &Cache) -> bool {
        let key = match self {
            Self::City(id) => cities.city_key(id),
            Self::InCountry(country) => cities.in_country_key(country),
            Self::Near(place) => cities.near_key(place, &KILOMETRES),
        };
        cache.explain(&key).verdict == Verdict::Fresh
    }

    /// Returns the cities that the answer holds as long as all of them are there, the nearest first; and, for neighbours, the
    /// next ones, which move up when others leave.
    pub(crate) fn expected(&self, all: &[City]) -> Expected {
        let ids: Vec<_> = match self {
            Self::City(id) => vec![*id],
            Self::InCountry(country) => {
                all.iter().filter(|city| city.country == *country).map(|city| city.id).collect()
            }
            Self::Near(place) => {
                let measured = all.iter().map(|city| (place.kilometres_to(city.place()), city.id));
                let mut near: Vec<_> = measured.filter(|(kilometres, _)| *kilometres <= KILOMETRES.into()).collect();
                near.sort_by(|(a, id), (b, other)| a.total_cmp(b).then(id.cmp(other)));
                near.into_iter().map(|(_, id)| id).take(2 * NEIGHBOURS).collect()
            }
        };
        let required = match self {
            Self::Near(_) => ids.len().min(NEIGHBOURS),
            _ => ids.len(),
        };
        Expected { ids, required }
    }
}

/// What must be in an answer.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// The cities that may be in it.
    pub(crate) ids: Vec<i32>,
    /// How many of them, from the first, must be in it unless they were removed.
    pub(crate) required: usize,
}

impl Answer {
    /// Returns the identity and the version of each city in the answer, by identity.
    pub(crate) fn versions(&self) -> Vec<(i32, i64)> {
        let version = |city: &City| (city.id, city.version);
        let mut versions: Vec<_> = match self {
            Self::City(city) => city.iter().map(version).collect(),
            Self::InCountry(cities) => cities.iter().map(version).collect(),
            Self::Near(neighbours) => neighbours.iter().map(|neighbour| version(&neighbour.city)).collect(),
        };
        versions.sort_unstable();
        versions
    }
}
