//! Hits that callgrind counts: `cargo xtask instructions` runs this and compares with `record.toml`.
//!
//! Called with a case and a number, it loads one entry and hits it so many times; called without, it lists the cases. The
//! instructions of a hit are the difference of two runs, divided by that of their numbers: all else is the same in both.
//!
//! One entry, so that the figure depends neither on the seed of the hash nor on which keys lie beside each other; nothing
//! is reclaimed in between. A hit counts with the clone of its value, mostly an `Arc`, and the drop of that clone.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cachex::{Cache, CacheKey, CacheScope, cached};

const NUMBER: u64 = 7;
/// 16 bytes.
const TEXT: &str = "account-00000007";
const FILTER: Filter<'static> = Filter { city: TEXT, min_age: Some(18), page: 7 };

#[derive(CacheKey)]
struct Filter<'a> {
    city: &'a str,
    min_age: Option<u8>,
    page: u32,
}

#[derive(CacheScope)]
struct Rows {
    #[scope(cache)]
    cache: Cache,
}

impl Rows {
    #[cached(ttl = "1h", tags = ["rows"])]
    fn by_number(&self, id: u64) -> Arc<u64> {
        Arc::new(id)
    }

    #[cached(ttl = "1h", tags = ["rows"])]
    fn by_text(&self, text: &str) -> Arc<u64> {
        Arc::new(text.len() as u64)
    }

    #[cached(ttl = "1h", tags = ["rows"])]
    fn by_parts(&self, id: u64, text: &str, page: Option<u32>) -> Arc<u64> {
        Arc::new(id + text.len() as u64 + u64::from(page.unwrap_or(0)))
    }

    #[cached(ttl = "1h", tags = ["rows"])]
    fn by_filter(&self, filter: &Filter<'_>) -> Arc<u64> {
        let age = filter.min_age.map_or(0, u64::from);
        Arc::new(filter.city.len() as u64 + age + u64::from(filter.page))
    }

    /// What is cloned on a hit, and allocates.
    #[cached(ttl = "1h", tags = ["rows"])]
    fn name(&self, id: u64) -> String {
        format!("account-{id:08}")
    }

    #[cached(ttl = "1h", tags = ["rows"])]
    async fn by_number_async(&self, id: u64) -> Arc<u64> {
        Arc::new(id)
    }
}

/// Calls a method so many times.
type Case = fn(&Rows, u64);

const CASES: [(&str, Case); 6] = [
    ("number", |rows, calls| repeat(calls, || rows.by_number(black_box(NUMBER)))),
    ("text", |rows, calls| repeat(calls, || rows.by_text(black_box(TEXT)))),
    ("parts", |rows, calls| repeat(calls, || rows.by_parts(black_box(NUMBER), black_box(TEXT), black_box(Some(3))))),
    ("filter", |rows, calls| repeat(calls, || rows.by_filter(black_box(&FILTER)))),
    ("name", |rows, calls| repeat(calls, || rows.name(black_box(NUMBER)))),
    ("number_async", |rows, calls| repeat(calls, || at_once(rows.by_number_async(black_box(NUMBER))))),
];

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> Result<(), String> {
    let [case, hits] = arguments else {
        CASES.iter().for_each(|(name, _)| println!("{name}"));
        return Ok(());
    };
    let known = CASES.iter().find(|(name, _)| name == case);
    let (_, calls) = known.ok_or_else(|| format!("there is no case `{case}`; call without arguments to see them"))?;
    let hits = hits.parse().map_err(|error| format!("`{hits}` is no number of hits: {error}"))?;
    let builder = Cache::builder().reclaim_interval(Duration::from_secs(3_600));
    let rows = Rows { cache: builder.build().map_err(|error| error.to_string())? };
    calls(&rows, 1);
    calls(&rows, hits);
    let stats = rows.cache.stats();
    if (stats.loads, stats.hits) != (1, hits) {
        return Err(format!("there were {} loads and {} hits", stats.loads, stats.hits));
    }
    Ok(())
}

#[inline]
fn repeat<V>(calls: u64, call: impl Fn() -> V) {
    for _ in 0..calls {
        drop(black_box(call()));
    }
}

/// Polls a future that does not wait.
#[inline]
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("neither a hit nor this load waits"),
    }
}
