//! A hit: a whole annotated call, beside look-ups in other crates and the call without a cache.
//!
//! All entries are resident, and nothing expires. In the cases `1 tag`, `3 tags`, and those that begin with `uniform` and `zipf 0.99`, tags of `cachex` are made
//! from the argument, so each entry carries its own; those of `cachex constant` are constants, which the method has and no entry. All
//! other cases have one constant tag, but `0 tags`. Reading order: this file (the cases), [`subjects`] (who answers),
//! [`mod@keys`] (what is asked for).

pub(crate) mod keys;
pub(crate) mod subjects;

use std::sync::Arc;
use std::time::Duration;

use crate::args::Arguments;
use crate::measure::{Effort, Subject, measure};
use crate::program::Suite;
use crate::random::{Popularity, Random};
use crate::row::Row;
use crate::service::{Filter, Payload, Person, Service};
use keys::keys;

pub(crate) const SUITE: Suite = Suite { name: "hit", summary: "a hit of an annotated method, beside its peers", run };

/// The entries of a case that is about the kind of key, value or call.
const ENTRIES: u32 = 1_000;

fn run(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let (repetitions, millis, draws, sizes): (_, _, _, &[u32]) = match arguments.is_quick {
        true => (3, 3, 10_000, &[1_000, 100_000]),
        false => (15, 20, 200_000, &[1_000, 100_000, 1_000_000]),
    };
    let effort = Effort { repetitions, at_least: Duration::from_millis(millis) };
    let mut table = Table { effort, draws, rows: Vec::new() };
    kinds(&mut table)?;
    for entries in sizes {
        let numbers = keys::<u64>(*entries);
        let subjects = subjects::payloads(&numbers, Service::by_row_subject)?;
        let zipf = Popularity::zipf(*entries, 0.99, &mut Random::seeded(1));
        table.measure("uniform", *entries, &Popularity::Uniform(*entries), &subjects)?;
        table.measure("zipf 0.99", *entries, &zipf, &subjects)?;
        drop(subjects);
        let subjects = subjects::asynchronous_rows(&numbers)?;
        table.measure("uniform, async", *entries, &Popularity::Uniform(*entries), &subjects)?;
        table.measure("zipf 0.99, async", *entries, &zipf, &subjects)?;
    }
    Ok(table.rows)
}

/// One case for each kind of key, value, call and number of tags; uniform.
fn kinds(table: &mut Table) -> Result<(), String> {
    let uniform = Popularity::Uniform(ENTRIES);
    let numbers = keys::<u64>(ENTRIES);
    let mut measure = |case, subjects: Vec<Subject<'_>>| table.measure(case, ENTRIES, &uniform, &subjects);
    measure("0 tags", subjects::payloads(&numbers, Service::untagged_subject)?)?;
    let (of_row, constant) = (Service::by_row_subject, Service::constant_subject);
    measure("1 tag", subjects::payloads_beside(&numbers, of_row, constant)?)?;
    let (of_row, constant) = (Service::three_tags_of_row_subject, Service::three_constants_subject);
    measure("3 tags", subjects::payloads_beside(&numbers, of_row, constant)?)?;
    measure("async", subjects::asynchronous(&numbers)?)?;
    measure("u64 value", subjects::blocking::<_, u64>(&numbers, Service::number_by_number_subject)?)?;
    measure("String value", subjects::blocking::<_, String>(&numbers, Service::text_by_number_subject)?)?;
    measure("struct value", subjects::blocking::<_, Person>(&numbers, Service::person_by_number_subject)?)?;
    let texts = keys::<&'static str>(ENTRIES);
    measure("&str key", subjects::blocking::<_, Arc<Payload>>(&texts, Service::by_text_subject)?)?;
    measure("&str key, async", subjects::asynchronous_texts(&texts)?)?;
    let parts = keys::<(u64, &'static str, Option<u32>)>(ENTRIES);
    measure("tuple key", subjects::blocking::<_, Arc<Payload>>(&parts, Service::by_parts_subject)?)?;
    measure("tuple key, async", subjects::asynchronous_parts(&parts)?)?;
    let filters = keys::<Filter>(ENTRIES);
    measure("struct key", subjects::blocking::<_, Arc<Payload>>(&filters, Service::by_filter_subject)?)?;
    measure("struct key, async", subjects::asynchronous_filters(&filters)?)
}

/// The rows so far.
struct Table {
    effort: Effort,
    /// How many keys each thread asks for.
    draws: usize,
    rows: Vec<Row>,
}

impl Table {
    /// Measures a case with one thread and with two.
    fn measure(
        &mut self,
        case: &'static str,
        entries: u32,
        popularity: &Popularity,
        subjects: &[Subject<'_>],
    ) -> Result<(), String> {
        for threads in [1, 2] {
            let work = |repetition| {
                let mut random = Random::seeded(repetition as u64);
                (0..threads).map(|_| popularity.draws(self.draws, &mut random)).collect()
            };
            let times = measure(subjects, self.effort, work)?;
            self.rows.extend(subjects.iter().zip(times).map(|(subject, value)| Row {
                suite: SUITE.name.into(),
                case: case.into(),
                subject: subject.name.into(),
                threads,
                entries: entries as usize,
                value,
                unit: "ns".into(),
            }));
        }
        Ok(())
    }
}
