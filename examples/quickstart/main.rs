//! Cached methods on a real database, and a check that none of them ever answers with something old.
//!
//! A SQLite file holds the 10,000 cities of the crate `cities`. A repository of annotated methods reads and writes it: first
//! each read loads, then each is a hit, then threads and tasks read while others write. A read is *stale* if it shows less than
//! a write had committed, and had returned from, before the read began: there must be none.
//!
//! Reading order: [`repository`] is what a program that uses cachex looks like; [`city`] and [`database`] are its data.
//! [`question`], [`phases`], [`storm`] and [`watch`] put it to the test, and [`report`] shows what came of it.

mod args;
mod city;
mod database;
mod error;
mod phases;
mod question;
mod random;
mod report;
mod repository;
mod storm;
mod watch;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cachex::Cache;
use tokio::runtime;

use args::{Arguments, Command};
use city::City;
use database::Database;
use error::Error;
use question::Question;
use repository::Cities;
use storm::Storm;
use watch::Watch;

fn main() -> ExitCode {
    let command = match args::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    let out = &mut std::io::stdout();
    let stale = match command {
        Command::Help => writeln!(out, "{}", args::HELP).map(|()| 0).map_err(Error::from),
        Command::Run(arguments) => run(out, arguments),
    };
    match stale {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs everything; returns the number of stale reads.
fn run(out: &mut impl Write, arguments: Arguments) -> Result<u64, Error> {
    let connections = storm::READING_THREADS + storm::READING_TASKS + storm::WRITERS;
    let database = Database::fill(arguments.database, connections as u32)?;
    let cache = Cache::builder().namespace("quickstart").build()?;
    let cities = Cities::new(cache.clone(), database.pool.clone());
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    report::beginning(out, &database, arguments.duration)?;

    let asked = phases::questions(&database.cities);
    let mut timings = Vec::new();
    for questions in &asked {
        timings.push(runtime.block_on(phases::cold_and_warm(&cities, &cache, questions))?);
    }

    let targets = targets(&database.cities);
    let storm = Arc::new(Storm {
        questions: hot_questions(&targets, &database.cities),
        watch: Watch::new(database.cities.iter().map(|city| city.id).max().unwrap_or(0)),
        runtime: runtime.handle().clone(),
        is_over: AtomicBool::new(false),
        cities,
        targets,
    });
    let tally = storm::rage(&storm, arguments.duration)?;

    let cold = asked.iter().flat_map(|questions| &questions.all);
    let all = cold.chain(storm.questions.iter().map(|(question, _)| question));
    let (compared, different) = runtime.block_on(phases::compare(&storm.cities, &cache, all))?;
    report::methods(out, &cache, &timings)?;
    let stale = tally.stale_reads + different;
    report::end(out, &cache.stats(), &tally, compared, stale)?;
    Ok(stale)
}

/// Chooses the cities that are written: some of a few countries.
fn targets(cities: &[City]) -> Vec<City> {
    let countries = ["Belgium", "Brazil", "India", "Japan", "Kenya", "Peru"];
    let of = |country| cities.iter().filter(move |city| city.country == country).take(8).cloned();
    countries.into_iter().flat_map(of).collect()
}

/// Asks for what is written: each city, its country, and what is near to some of them.
fn hot_questions(targets: &[City], cities: &[City]) -> Vec<(Question, question::Expected)> {
    let mut countries: Vec<_> = targets.iter().map(|city| city.country.clone()).collect();
    countries.dedup();
    let one = targets.iter().map(|city| Question::City(city.id));
    let near = targets.iter().step_by(4).map(|city| Question::Near(city.place()));
    let all = one.chain(countries.into_iter().map(Question::InCountry)).chain(near);
    all.map(|question| (question.clone(), question.expected(cities))).collect()
}
