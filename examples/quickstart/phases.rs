//! Before the storm and after it: reads that load, reads that hit, and a comparison with the database.

use std::time::{Duration, Instant};

use cachex::Cache;

use crate::city::City;
use crate::error::Error;
use crate::question::Question;
use crate::repository::Cities;

/// So many hits are timed together: one is too short for a clock.
const BATCH: usize = 32;

/// How often everything is asked again.
const ROUNDS: usize = 5;

/// How long the calls of a method take.
pub(crate) struct Timing {
    pub(crate) method: &'static str,
    pub(crate) median_hit: Duration,
    pub(crate) median_load: Duration,
}

/// What is asked of one method.
pub(crate) struct Questions {
    pub(crate) method: &'static str,
    pub(crate) all: Vec<Question>,
}

/// Chooses what is asked: a tenth of the cities, every country, and what is near to some of the cities.
pub(crate) fn questions(cities: &[City]) -> [Questions; 3] {
    let some = |step| cities.iter().step_by(step);
    let mut countries: Vec<_> = cities.iter().map(|city| city.country.clone()).collect();
    countries.dedup();
    [
        Questions { method: "city", all: some(10).map(|city| Question::City(city.id)).collect() },
        Questions { method: "in_country", all: countries.into_iter().map(Question::InCountry).collect() },
        Questions { method: "near", all: some(50).map(|city| Question::Near(city.place())).collect() },
    ]
}

/// Asks everything once, so that each read loads, and then again, so that each is a hit.
pub(crate) async fn cold_and_warm(cities: &Cities, cache: &Cache, asked: &Questions) -> Result<Timing, Error> {
    let mut loads = Vec::new();
    for question in &asked.all {
        let started_at = now();
        question.ask(cities).await?;
        loads.push(started_at.elapsed());
    }
    let loaded = cache.stats().loads;
    let mut hits = Vec::new();
    for batch in (0..ROUNDS).flat_map(|_| asked.all.chunks(BATCH)) {
        let started_at = now();
        for question in batch {
            question.ask(cities).await?;
        }
        hits.push(started_at.elapsed() / batch.len() as u32);
    }
    match cache.stats().loads - loaded {
        0 => Ok(Timing { method: asked.method, median_hit: median(hits), median_load: median(loads) }),
        again => Err(format!("{again} warm reads of `{}` were loads", asked.method).into()),
    }
}

/// Compares every cached answer with the database's own, now that nobody writes; returns how many there are, and how many
/// differ.
pub(crate) async fn compare<'a>(
    cities: &Cities,
    cache: &Cache,
    questions: impl Iterator<Item = &'a Question>,
) -> Result<(u64, u64), Error> {
    let (mut compared, mut different) = (0, 0);
    for question in questions.filter(|question| question.is_cached(cities, cache)) {
        compared += 1;
        different += u64::from(question.ask(cities).await? != question.ask_database(cities).await?);
    }
    Ok((compared, different))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "real time is what is reported")]
fn now() -> Instant {
    Instant::now()
}
