//! How times grow: with entries, tags and threads.
//!
//! - `hit`: with the entries, at one thread; with the threads, at 1000 entries. Uniform, one tag of the argument, as in the suite `hit`.
//! - `hit, 0 tags` to `hit, 8 tags`: what tags add. Those of `cachex` are made from the argument, so each entry carries its own; those of
//!   `cachex constant` are constants, which the method has. No peer has them.
//! - `get`, `get, one hash`: a look-up in the memory tier by itself, of as many entries as find a place there if all keys have one hash,
//!   which nobody can bring about from outside; 50 000 of them were stored. `get missing`, `get missing, one hash`: of keys that are not there.
//! - `insert`: a cache with room for all is filled, from nothing; the time of one insertion. `cachex` is given the entry by the
//!   companion that primes a method. `insert, 0 tags` to `insert, 8 tags`: with tags as of the hits.
//! - `invalidate`: a tag that all entries have. No peer has tags; what comes nearest is to drop everything (`moka`:
//!   `invalidate_all`, `foyer`: `clear`), or all for which a predicate holds (`quick_cache`: `retain`). `invalidate, 1 tag` to `invalidate, 8 tags`: those of
//!   one of 1000 entries that have as many, in one call. With two threads and four each has entries, and tags, of its own.
//!
//! - `bytes`, `bytes, 0 tags` to `bytes, 8 tags`: for each entry of a full cache, as `bytes churned` of the suite
//!   [`memory`](crate::memory).

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use cachex::{Cache, CacheScope, Eviction, Flood, cached};

use crate::args::Arguments;
use crate::hit::{keys, subjects};
use crate::measure::{Effort, Subject, measure, timed};
use crate::memory::Program;
use crate::peers::{Bounded, Foyer, Moka, QuickCache};
use crate::program::Suite;
use crate::random::{Popularity, Random};
use crate::row::{Row, median};
use crate::service::{CONSTANT, Payload, Service, Value};

pub(crate) const SUITE: Suite =
    Suite { name: "scale", summary: "how times and bytes grow with entries, tags and threads, beside its peers", run };

/// The entries of cases that are about something else.
const ENTRIES: u32 = 1_000;

/// The entries that bytes are counted of, where it is about something else.
const MANY: u32 = 10_000;

type Shared = Arc<Payload>;

fn run(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let quick = arguments.is_quick;
    let sizes: &[u32] = if quick { &[1_000, 10_000] } else { &[1_000, 10_000, 100_000, 1_000_000] };
    let effort = match quick {
        true => Effort { repetitions: 3, at_least: Duration::from_millis(3) },
        false => Effort { repetitions: 15, at_least: Duration::from_millis(20) },
    };
    let mut table = Table { effort, draws: if quick { 20_000 } else { 200_000 }, rows: Vec::new() };
    for entries in sizes {
        table.hits("hit", &[1], *entries, |keys| beside(keys, *entries))?;
    }
    table.hits("hit", &[2, 4], ENTRIES, |keys| beside(keys, ENTRIES))?;
    for (case, annotated) in TAGS {
        table.hits(case, &[1], ENTRIES, |keys| {
            annotated.iter().map(|annotated| Ok(annotated(Tagged::new()?, keys))).collect()
        })?;
    }
    table.floods()?;
    table.insertions_with_tags()?;
    for threads in [1, 2, 4] {
        table.invalidations_of_tags(threads)?;
    }
    for entries in sizes {
        table.insertions(*entries, 1)?;
        table.invalidations(*entries)?;
    }
    for threads in [2, 4] {
        table.insertions(sizes[1], threads)?;
    }
    table.bytes(sizes)?;
    Ok(table.rows)
}

/// The annotated method and the peers it is compared with in hits.
fn beside(keys: &[u64], entries: u32) -> Result<Vec<Subject<'_>>, String> {
    let filled = || keys.iter().map(|key| (*key, Shared::load(*key)));
    let service = Service::new(2 * u64::from(entries), Eviction::S3Fifo)?;
    Ok(vec![
        service.by_row_subject(keys),
        subjects::peer(QuickCache::<u64, Shared>::filled(filled()), keys),
        subjects::peer(Moka::<u64, Shared>::filled(filled()), keys),
    ])
}

/// The rows so far.
struct Table {
    effort: Effort,
    /// How many keys each thread asks for.
    draws: usize,
    rows: Vec<Row>,
}

impl Table {
    fn hits(
        &mut self,
        case: &'static str,
        threads: &[usize],
        entries: u32,
        subjects: impl Fn(&[u64]) -> Result<Vec<Subject<'_>>, String>,
    ) -> Result<(), String> {
        let keys = keys::keys::<u64>(entries);
        let subjects = subjects(&keys)?;
        for threads in threads {
            let work = |repetition| {
                let mut random = Random::seeded(repetition as u64);
                (0..*threads).map(|_| Popularity::Uniform(entries).draws(self.draws, &mut random)).collect()
            };
            for (subject, time) in subjects.iter().zip(measure(&subjects, self.effort, work)?) {
                self.rows.push(row(case, subject.name, *threads, entries, time));
            }
        }
        Ok(())
    }

    fn floods(&mut self) -> Result<(), String> {
        let flooded = Flood::new(50_000, true);
        let found: Vec<u64> = (0..50_000).filter(|number| flooded.get(*number).is_some()).collect();
        let count = found.len() as u32;
        let usual = Flood::new(u64::from(count), false);
        let numbers: Vec<u64> = (0..u64::from(count)).collect();
        let absent: Vec<u64> = (0..50_000).filter(|number| flooded.get(*number).is_none()).take(found.len()).collect();
        let others: Vec<u64> = (0..u64::from(count)).map(|number| number + (1 << 32)).collect();
        let subjects = [
            looks("get", &usual, &numbers, true),
            looks("get, one hash", &flooded, &found, true),
            looks("get missing", &usual, &others, false),
            looks("get missing, one hash", &flooded, &absent, false),
        ];
        let work =
            |repetition| vec![Popularity::Uniform(count).draws(self.draws, &mut Random::seeded(repetition as u64))];
        let times = measure(&subjects, self.effort, work)?;
        self.rows.extend(subjects.iter().zip(times).map(|(case, time)| row(case.name, "cachex", 1, count, time)));
        Ok(())
    }

    fn insertions(&mut self, entries: u32, threads: usize) -> Result<(), String> {
        const SUBJECTS: [&str; 4] = ["cachex", "quick_cache", "moka", "foyer"];
        let mut times = [const { Vec::new() }; SUBJECTS.len()];
        for repetition in 0..self.effort.repetitions.min(5) {
            for turn in 0..SUBJECTS.len() {
                // Nobody is always first.
                let subject = (turn + repetition) % SUBJECTS.len();
                times[subject].push(match subject {
                    0 => {
                        let service = Service::new(2 * u64::from(entries), Eviction::S3Fifo)?;
                        each(entries, threads, |id| service.by_number_prime(&id, &Value::load(id)))
                    }
                    1 => fill::<QuickCache<u64, Shared>>(entries, threads),
                    2 => fill::<Moka<u64, Shared>>(entries, threads),
                    _ => fill::<Foyer<u64, Shared>>(entries, threads),
                });
            }
        }
        for (subject, times) in SUBJECTS.into_iter().zip(times) {
            self.rows.push(row("insert", subject, threads, entries, median(&times)));
        }
        Ok(())
    }

    fn insertions_with_tags(&mut self) -> Result<(), String> {
        let mut times = [const { Vec::new() }; INSERTIONS.len()];
        for _ in 0..self.effort.repetitions {
            for ((_, _, insert), times) in INSERTIONS.iter().zip(&mut times) {
                let tagged = Tagged::new()?;
                times.push(each(ENTRIES, 1, |id| insert(&tagged, id)));
            }
        }
        for ((case, subject, _), times) in INSERTIONS.into_iter().zip(times) {
            self.rows.push(row(case, subject, 1, ENTRIES, median(&times)));
        }
        Ok(())
    }

    fn invalidations_of_tags(&mut self, threads: usize) -> Result<(), String> {
        const CASES: [(&str, usize); 3] =
            [("invalidate, 1 tag", 1), ("invalidate, 3 tags", 3), ("invalidate, 8 tags", 8)];
        let letters = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let tagged = Tagged::new()?;
        (0..u64::from(ENTRIES)).for_each(|id| tagged.eight_of_row_prime(&id, &Value::load(id)));
        let mut times = [const { Vec::new() }; CASES.len()];
        for _ in 0..self.effort.repetitions {
            for ((_, count), times) in CASES.iter().zip(&mut times) {
                let tags = |id: u32| letters[..*count].iter().map(move |letter| format!("{letter}:{id}")).collect();
                let all: Vec<Vec<String>> = (0..ENTRIES).map(tags).collect();
                times.push(each(ENTRIES, threads, |id| tagged.cache.invalidate_tags(all[id as usize].clone()).wait()));
            }
        }
        for ((case, _), times) in CASES.into_iter().zip(times) {
            self.rows.push(row(case, "cachex", threads, ENTRIES, median(&times)));
        }
        Ok(())
    }

    fn bytes(&mut self, sizes: &[u32]) -> Result<(), String> {
        let program = Program::build()?;
        let in_bytes = |row: Row| Row { unit: "B".into(), ..row };
        for entries in sizes {
            for (subject, part) in BYTES {
                let bytes = program.bytes(part, u64::from(*entries))?;
                self.rows.push(in_bytes(row("bytes", subject, 1, *entries, bytes)));
            }
        }
        for (case, subject, part) in BYTES_OF_TAGS {
            let bytes = program.bytes(part, u64::from(MANY))?;
            self.rows.push(in_bytes(row(case, subject, 1, MANY, bytes)));
        }
        Ok(())
    }

    fn invalidations(&mut self, entries: u32) -> Result<(), String> {
        let mut times = [const { Vec::new() }; 4];
        let filled = || (0..u64::from(entries)).map(|id| (id, Shared::load(id))).collect::<Vec<_>>().into_iter();
        for _ in 0..self.effort.repetitions.min(5) {
            let service = Service::new(2 * u64::from(entries), Eviction::S3Fifo)?;
            (0..u64::from(entries)).for_each(|id| drop(service.by_number(id)));
            times[0].push(timed(|| service.cache.invalidate_tags(["rows"]).wait()));
            let cache = QuickCache::<u64, Shared>::filled(filled());
            times[1].push(timed(|| cache.drop_all()));
            let cache = Moka::<u64, Shared>::filled(filled());
            times[2].push(timed(|| cache.drop_all()));
            let cache = Foyer::<u64, Shared>::filled(filled());
            times[3].push(timed(|| cache.drop_all()));
        }
        for (subject, times) in ["cachex", "quick_cache", "moka", "foyer"].into_iter().zip(times) {
            self.rows.push(row("invalidate", subject, 1, entries, median(&times)));
        }
        Ok(())
    }
}

/// Subjects, and what counts their bytes.
const BYTES: [(&str, &str); 3] =
    [("cachex", "1-tag"), ("quick_cache", "quick-cache-churned"), ("moka", "moka-churned")];

/// Cases and subjects, and what counts their bytes.
const BYTES_OF_TAGS: [(&str, &str, &str); 7] = [
    ("bytes, 0 tags", "cachex", "0-tags"),
    ("bytes, 1 tag", "cachex", "1-tag-of-row"),
    ("bytes, 3 tags", "cachex", "3-tags-of-row"),
    ("bytes, 8 tags", "cachex", "8-tags-of-row"),
    ("bytes, 1 tag", CONSTANT, "1-tag"),
    ("bytes, 3 tags", CONSTANT, "3-tags"),
    ("bytes, 8 tags", CONSTANT, "8-tags"),
];

/// Looks for numbers that are all there, or none of them.
fn looks<'a>(case: &'static str, flood: &'a Flood, numbers: &'a [u64], are_there: bool) -> Subject<'a> {
    Subject::new(case, move |draws| {
        draws.iter().filter(|draw| black_box(flood.get(numbers[**draw as usize])).is_some() == are_there).count()
    })
}

/// Returns the time for one entry as a cache is filled, its making not counted.
fn fill<P: Bounded<u64, Shared>>(entries: u32, threads: usize) -> f64 {
    let cache = P::bounded(2 * entries as usize);
    each(entries, threads, |id| cache.insert(id, Shared::load(id)))
}

/// Does something for each of so many numbers, each thread for its part of them, and returns the time for one, as a thread sees it.
fn each(count: u32, threads: usize, act: impl Fn(u64) + Sync) -> f64 {
    let (count, threads) = (u64::from(count), threads as u64);
    let start = std::sync::Barrier::new(threads as usize);
    let part = |thread: u64| {
        let numbers = count * thread / threads..count * (thread + 1) / threads;
        start.wait();
        let of_part = (numbers.end - numbers.start) as f64;
        timed(|| numbers.for_each(&act)) / of_part
    };
    if threads == 1 {
        return part(0);
    }
    let times: Vec<f64> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|thread| scope.spawn(move || part(thread))).collect();
        all.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    times.iter().sum::<f64>() / times.len() as f64
}

fn row(case: &'static str, subject: &'static str, threads: usize, entries: u32, value: f64) -> Row {
    Row {
        suite: SUITE.name.into(),
        case: case.into(),
        subject: subject.into(),
        threads,
        entries: entries as usize,
        value,
        unit: "ns".into(),
    }
}

/// The type with the methods that differ in tags only.
#[derive(CacheScope)]
struct Tagged {
    #[scope(cache)]
    cache: Cache,
}

/// Cases and subjects, and what inserts an entry.
const INSERTIONS: [(&str, &str, Insert); 7] = [
    ("insert, 0 tags", "cachex", |tagged, id| tagged.none_prime(&id, &Value::load(id))),
    ("insert, 1 tag", "cachex", |tagged, id| tagged.one_of_row_prime(&id, &Value::load(id))),
    ("insert, 3 tags", "cachex", |tagged, id| tagged.three_of_row_prime(&id, &Value::load(id))),
    ("insert, 8 tags", "cachex", |tagged, id| tagged.eight_of_row_prime(&id, &Value::load(id))),
    ("insert, 1 tag", CONSTANT, |tagged, id| tagged.one_prime(&id, &Value::load(id))),
    ("insert, 3 tags", CONSTANT, |tagged, id| tagged.three_prime(&id, &Value::load(id))),
    ("insert, 8 tags", CONSTANT, |tagged, id| tagged.eight_prime(&id, &Value::load(id))),
];

type Insert = fn(&Tagged, u64);

type Annotated = for<'a> fn(Tagged, &'a [u64]) -> Subject<'a>;

const TAGS: [(&str, &[Annotated]); 4] = [
    ("hit, 0 tags", &[|tagged, keys| subjects::calls("cachex", keys, move |id| tagged.none(*id))]),
    (
        "hit, 1 tag",
        &[
            |tagged, keys| subjects::calls("cachex", keys, move |id| tagged.one_of_row(*id)),
            |tagged, keys| subjects::calls(CONSTANT, keys, move |id| tagged.one(*id)),
        ],
    ),
    (
        "hit, 3 tags",
        &[
            |tagged, keys| subjects::calls("cachex", keys, move |id| tagged.three_of_row(*id)),
            |tagged, keys| subjects::calls(CONSTANT, keys, move |id| tagged.three(*id)),
        ],
    ),
    (
        "hit, 8 tags",
        &[
            |tagged, keys| subjects::calls("cachex", keys, move |id| tagged.eight_of_row(*id)),
            |tagged, keys| subjects::calls(CONSTANT, keys, move |id| tagged.eight(*id)),
        ],
    ),
];

impl Tagged {
    fn new() -> Result<Self, String> {
        let cache = Cache::builder().max_entries(2 * u64::from(ENTRIES)).build().map_err(|error| error.to_string())?;
        Ok(Self { cache })
    }

    #[cached(ttl = "1h")]
    fn none(&self, id: u64) -> Shared {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["a"])]
    fn one(&self, id: u64) -> Shared {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["a", "b", "c"])]
    fn three(&self, id: u64) -> Shared {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["a", "b", "c", "d", "e", "f", "g", "h"])]
    fn eight(&self, id: u64) -> Shared {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["a:{id}"])]
    fn one_of_row(&self, id: u64) -> Shared {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["a:{id}", "b:{id}", "c:{id}"])]
    fn three_of_row(&self, id: u64) -> Shared {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["a:{id}", "b:{id}", "c:{id}", "d:{id}", "e:{id}", "f:{id}", "g:{id}", "h:{id}"])]
    fn eight_of_row(&self, id: u64) -> Shared {
        Value::load(id)
    }
}
