//! What is to be reached, and what was: ratios within the run.

use super::Figures;
use crate::service::CONSTANT;

/// Something to be reached.
pub(super) struct Bar {
    pub(super) what: String,
    pub(super) limit: Limit,
    /// Empty if the run has no rows for it; else the worst counts.
    pub(super) reached: Vec<f64>,
    /// What the numbers are of: `x`, or a unit.
    pub(super) unit: &'static str,
}

/// How a figure must be.
#[derive(Clone, Copy)]
pub(super) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Bar {
    /// Returns the figure that is farthest from what it should be.
    pub(super) fn worst(&self) -> Option<f64> {
        let values = self.reached.iter().copied();
        match self.limit {
            Limit::AtMost(_) => values.reduce(f64::max),
            Limit::AtLeast(_) => values.reduce(f64::min),
        }
    }

    pub(super) fn is_reached(&self) -> Option<bool> {
        self.worst().map(|worst| match self.limit {
            Limit::AtMost(limit) => worst <= limit,
            Limit::AtLeast(limit) => worst >= limit,
        })
    }
}

/// How many values a cache may hold back beyond its capacity, where one thread fills it.
const BATCH: f64 = 128.0;
/// The same where several do.
const LARGE_BATCH: f64 = 575.0;

const LARGE: [usize; 2] = [100_000, 1_000_000];

/// Returns all that is to be reached.
pub(super) fn bars(figures: &Figures) -> Vec<Bar> {
    let of: [fn(&Figures) -> Vec<Bar>; 8] = [hits, floods, misses, ratios, memory, invalidations, second_tier, diesel];
    of.into_iter().flat_map(|of| of(figures)).collect()
}

fn hits(figures: &Figures) -> Vec<Bar> {
    let hit = |case: &str, subject: &str, threads| figures.value("hit", case, subject, threads, 1_000);
    let ours = |case| hit(case, "cachex", 1);
    // What has one constant tag, and differs from other cases in nothing else.
    let usual = |threads| hit("1 tag", CONSTANT, threads);
    let slower = |what: &str, peer: &str, threads: usize, limit| {
        let what = format!("{what}, {threads} thread{}: how many times faster than `{peer}`", plural(threads));
        at_least(what, limit, "x", ratio(hit("1 tag", peer, threads), hit("1 tag", "cachex", threads)))
    };
    let large = |peer: &str, limit| {
        let cases = ["uniform", "zipf 0.99"].into_iter().flat_map(|case| LARGE.map(|entries| (case, entries)));
        let cases = cases.flat_map(|case| [1, 2].map(|threads| (case, threads)));
        let ratios = cases.filter_map(|((case, entries), threads)| {
            let of = |subject| figures.value("hit", case, subject, threads, entries);
            ratio(of("cachex"), of(peer))
        });
        let what = format!("hit, 100k and 1M entries, uniform and Zipf, 1 and 2 threads: time beside `{peer}`");
        at_most(what, limit, "x", ratios)
    };
    vec![
        at_most(
            "hit, u64 key, 1 tag, of the argument or constant, TTL: time beside `hashmap`",
            2.0,
            "x",
            [ours("1 tag"), usual(1)].into_iter().filter_map(|ours| ratio(ours, hit("1 tag", "hashmap", 1))),
        ),
        at_most("hit, async: time beside the blocking call", 1.15, "x", ratio(ours("async"), usual(1))),
        at_most("hit, tuple key: time beside a u64 key", 1.6, "x", ratio(ours("tuple key"), usual(1))),
        slower("hit", "cached", 1, 2.5),
        slower("hit", "moka", 1, 5.0),
        slower("hit", "cached", 2, 5.0),
        slower("hit", "moka", 2, 8.0),
        at_most("hit, 2 threads: time beside 1 thread", 1.6, "x", ratio(hit("1 tag", "cachex", 2), ours("1 tag"))),
        at_most(
            "the same, of a value that is copied: the counter of an `Arc` is written by both threads",
            1.6,
            "x",
            ratio(hit("u64 value", "cachex", 2), ours("u64 value")),
        ),
        at_most(
            "the same, of a struct, whose clone takes its time: the entry is held meanwhile, and its count written by both threads",
            1.6,
            "x",
            ratio(hit("struct value", "cachex", 2), ours("struct value")),
        ),
        large("moka", 0.35),
        large("cached", 0.75),
    ]
}

fn floods(figures: &Figures) -> Vec<Bar> {
    let time = |case: &str| figures.of("scale").into_iter().find(|row| row.case == case).map(|row| row.value);
    let worst = [("get, one hash", "get"), ("get missing, one hash", "get missing")];
    let times = worst.into_iter().filter_map(|(flooded, normal)| ratio(time(flooded), time(normal)));
    vec![at_most(
        "look-up, all keys on one hash, of what is there and of what is not: time beside a normal one",
        10.0,
        "x",
        times,
    )]
}

fn second_tier(figures: &Figures) -> Vec<Bar> {
    let get = |case: &str, subject: &str, tasks: usize| {
        let rows = figures.of("l2").into_iter().filter(|row| row.case == case && row.subject == subject);
        rows.filter(|row| row.threads == tasks).map(|row| row.value).reduce(f64::min)
    };
    let best = |subject, tasks| match (get("get", subject, tasks), get("get, runtime", subject, tasks)) {
        (Some(one), Some(other)) => Some(f64::min(one, other)),
        (one, other) => one.or(other),
    };
    let mut bars: Vec<_> = [1, 8, 64]
        .into_iter()
        .map(|tasks| {
            let what = format!("value in Redis, {tasks} task{}: throughput beside the bare client", plural(tasks));
            at_least(what, 0.9, "x", ratio(best("client", tasks), best("cachex", tasks)))
        })
        .collect();
    bars.extend([1, 64].map(|tasks| {
        let what =
            format!("the same by the store alone, {tasks} task{}: what is asked of Redis, and no call", plural(tasks));
        at_least(what, 0.9, "x", ratio(best("client", tasks), get("get, store", "cachex", tasks)))
    }));
    let what = "value in Redis, 64 tasks: throughput beside `redis-benchmark`, which sends one after the other";
    bars.push(at_least(what, 4.0, "x", ratio(best("redis-benchmark", 64), best("cachex", 64))));
    let invalidations = figures.of("l2").into_iter().filter(|row| row.case == "invalidate" && row.entries >= 100_000);
    bars.push(at_most(
        "tag of 100k values in Redis: what its invalidation takes of the server's time",
        1.0,
        "ms",
        invalidations.map(|row| row.value / 1e6),
    ));
    let memory = |subject: &str| {
        figures.of("l2").into_iter().find(|row| row.case == "memory" && row.subject == subject).map(|row| row.value)
    };
    bars.push(at_most(
        "hit in memory with a second tier: time beside one without",
        1.05,
        "x",
        ratio(memory("cachex"), memory("alone")),
    ));
    bars
}

fn diesel(figures: &Figures) -> Vec<Bar> {
    let beside = |is_meant: fn(&str) -> bool| {
        let rows = figures.of("diesel").into_iter().filter(|row| row.subject == "cachex" && is_meant(&row.case));
        let ratios = rows.filter_map(|row| {
            let bare = figures.of("diesel").into_iter().find(|bare| bare.subject == "bare" && bare.case == row.case)?;
            Some(row.value / bare.value)
        });
        ratios.collect::<Vec<_>>()
    };
    let is_told_by_type = |case: &str| matches!(case, "sqlite, select" | "sqlite, select, 100 rows");
    vec![
        at_most(
            "Diesel, SQLite in memory, selects known by their type: time beside the bare connection",
            1.1,
            "x",
            beside(is_told_by_type),
        ),
        at_most(
            "Diesel, SQLite in memory, whatever is worst",
            1.3,
            "x",
            beside(|case| case.starts_with("sqlite") && !case.contains("cached")),
        ),
        at_most(
            "Diesel, PostgreSQL, whatever is worst",
            1.05,
            "x",
            beside(|case| case.starts_with("postgres") && !case.contains("cached")),
        ),
        at_most(
            "Diesel, a cached query: time beside SQLite in memory",
            0.25,
            "x",
            beside(|case| case.starts_with("sqlite, cached")),
        ),
        at_most(
            "Diesel, a cached query: time beside PostgreSQL",
            0.05,
            "x",
            beside(|case| case.starts_with("postgres, cached")),
        ),
    ]
}

fn misses(figures: &Figures) -> Vec<Bar> {
    let miss = |case, subject, threads| figures.value("miss", case, subject, threads, 1_000);
    let insert = |threads, limit| {
        let what = format!("insert that evicts, {threads} thread{}: time beside `moka`", plural(threads));
        at_most(what, limit, "x", ratio(miss("insert", "cachex", threads), miss("insert", "moka", threads)))
    };
    let joined = ratio(miss("evicting", "cachex", 1), miss("evicting", "cachex alone", 1));
    let given = ratio(miss("evicting", "cachex", 1), miss("insert", "cachex", 1));
    let tagged = ratio(miss("evicting, 1 tag", "cachex", 1), miss("evicting, 1 tag", "moka", 1));
    vec![
        insert(1, 0.35),
        insert(2, 0.5),
        at_most(
            "load that evicts, 1 thread, with a tag of the argument, which is new each time: time beside `moka`",
            0.35,
            "x",
            tagged,
        ),
        at_most(
            "miss: time beside one without single flight (which registers its load all the same)",
            1.3,
            "x",
            joined,
        ),
        at_most(
            "miss: time beside an insert of the same, which looks for nothing and registers no load",
            1.3,
            "x",
            given,
        ),
    ]
}

fn ratios(figures: &Figures) -> Vec<Bar> {
    let points = |policy: &str, wants_loops: bool| {
        let rows = figures.of("ratio").into_iter().filter(|row| row.subject == policy);
        let rows = rows.filter(|row| row.case.starts_with("loop") == wants_loops);
        let points = rows.filter_map(|row| {
            let moka = figures.value("ratio", &row.case, "moka", row.threads, row.entries)?;
            Some(row.value - moka)
        });
        points.collect::<Vec<_>>()
    };
    vec![
        at_least("hit ratio of the default beside `moka`, loops apart", -1.0, "points", points("cachex", false)),
        at_least("hit ratio of `lfu` beside `moka`, loops", -4.0, "points", points("cachex lfu", true)),
    ]
}

fn memory(figures: &Figures) -> Vec<Bar> {
    let rows = figures.of("memory");
    let ours = |case: &str| rows.iter().filter(|row| row.subject == "cachex" && row.case == case).collect::<Vec<_>>();
    let bytes = |peer: &str| {
        let ours = ours("bytes churned");
        let peers = ours.iter().filter_map(|row| figures.value("memory", &row.case, peer, 1, row.entries));
        ours.iter().zip(peers).filter_map(|(row, peer)| ratio(Some(row.value), Some(peer))).collect::<Vec<_>>()
    };
    let allocations = |whats: &[&str]| {
        let rows = rows.iter().filter(|row| row.subject == "cachex" && row.unit == "allocs");
        rows.filter(|row| row.case.split(',').next().is_some_and(|case| whats.contains(&case)))
            // What is amortised over many calls does not count; of hits nothing is.
            .map(|row| if row.case.contains("miss") { (row.value * 10.0).round() / 10.0 } else { row.value })
            .collect::<Vec<_>>()
    };
    let scale = |case: &str, subject: &str| figures.value("scale", case, subject, 1, 10_000);
    let tagged = ratio(scale("bytes, 1 tag", "cachex"), scale("bytes", "moka"));
    let beyond = |case, threads| {
        let rows = ours(case).into_iter().filter(|row| row.threads == threads);
        rows.map(|row| row.value - row.entries as f64).collect::<Vec<_>>()
    };
    vec![
        at_most("bytes for each entry beside `moka`, after churn", 0.4, "x", bytes("moka")),
        at_most("bytes for each entry beside `quick_cache`, after churn", 1.2, "x", bytes("quick_cache")),
        at_most("bytes for each entry with a tag of the argument, which no other has, beside `moka`", 0.4, "x", tagged),
        at_most(
            "allocations of a hit, blocking and async, each kind of key",
            0.0,
            "",
            allocations(&["hit", "async hit"]),
        ),
        at_most("allocations of a miss, each kind of key: the entry", 1.0, "", allocations(&["miss"])),
        at_most(
            "allocations of an async miss, each kind of key: the entry, and the future, which no hit is to carry",
            2.0,
            "",
            allocations(&["async miss"]),
        ),
        at_most(
            "values alive beyond the capacity, after churn by one thread",
            BATCH,
            "values",
            beyond("live values", 1),
        ),
        at_most("the same, by two threads", LARGE_BATCH, "values", beyond("live values", 2)),
        at_most(
            "the same after `Cache::reclaim`: dead values",
            0.0,
            "values",
            [1, 2].into_iter().flat_map(|threads| beyond("live values, settled", threads)),
        ),
    ]
}

fn invalidations(figures: &Figures) -> Vec<Bar> {
    let of = |subject, entries| figures.value("invalidate", "invalidate", subject, 1, entries);
    let ratios = ["cachex", CONSTANT].into_iter().filter_map(|subject| ratio(of(subject, 1_000_000), of(subject, 1)));
    let warm = |entries| figures.value("scale", "invalidate", "cachex", 1, entries);
    vec![
        at_most(
            "invalidation of a tag over 1M entries: time beside 1 entry, both with nothing of it in the processor's caches",
            2.0,
            "x",
            ratios,
        ),
        at_most(
            "the same beside 1k entries that were just filled, and are in the processor's caches",
            2.0,
            "x",
            ratio(warm(1_000_000), warm(1_000)),
        ),
    ]
}

fn plural(threads: usize) -> &'static str {
    if threads == 1 { "" } else { "s" }
}

fn ratio(ours: Option<f64>, theirs: Option<f64>) -> Option<f64> {
    Some(ours? / theirs?)
}

fn at_most(what: impl Into<String>, limit: f64, unit: &'static str, reached: impl IntoIterator<Item = f64>) -> Bar {
    Bar { what: what.into(), limit: Limit::AtMost(limit), reached: reached.into_iter().collect(), unit }
}

fn at_least(what: impl Into<String>, limit: f64, unit: &'static str, reached: impl IntoIterator<Item = f64>) -> Bar {
    Bar { what: what.into(), limit: Limit::AtLeast(limit), reached: reached.into_iter().collect(), unit }
}

#[cfg(test)]
mod tests {
    use super::super::figure;
    use super::*;

    fn reached(bars: Vec<Bar>, what: &str) -> (Option<f64>, Option<bool>) {
        let bar = bars.into_iter().find(|bar| bar.what.contains(what)).unwrap();
        (bar.worst(), bar.is_reached())
    }

    #[test]
    fn a_bar_is_a_ratio_of_one_run_and_the_worst_counts() {
        let figures = Figures {
            rows: vec![
                figure("hit", "1 tag", "cachex", (1, 1_000), 15.0),
                figure("hit", "1 tag", "hashmap", (1, 1_000), 10.0),
                figure("hit", "1 tag", "moka", (1, 1_000), 60.0),
                figure("hit", "uniform", "cachex", (1, 100_000), 30.0),
                figure("hit", "uniform", "moka", (1, 100_000), 100.0),
                figure("hit", "zipf 0.99", "cachex", (2, 100_000), 40.0),
                figure("hit", "zipf 0.99", "moka", (2, 100_000), 100.0),
            ],
        };
        assert_eq!(reached(hits(&figures), "TTL: time beside `hashmap`"), (Some(1.5), Some(true)));
        assert_eq!(reached(hits(&figures), "1 thread: how many times faster than `moka`"), (Some(4.0), Some(false)));
        assert_eq!(reached(hits(&figures), "time beside `moka`"), (Some(0.4), Some(false)));
        assert_eq!(reached(hits(&figures), "2 threads: how many times faster than `moka`"), (None, None));
    }

    #[test]
    fn what_is_flooded_is_beside_what_is_not_and_no_dead_value_is_left() {
        let figures = Figures {
            rows: vec![
                figure("scale", "get", "cachex", (1, 112), 10.0),
                figure("scale", "get, one hash", "cachex", (1, 112), 101.0),
                figure("memory", "live values", "cachex", (1, 1_000), 1_100.0),
                figure("memory", "live values, settled", "cachex", (1, 1_000), 1_001.0),
            ],
        };
        assert_eq!(reached(floods(&figures), "one hash"), (Some(10.1), Some(false)));
        assert_eq!(reached(memory(&figures), "beyond the capacity"), (Some(100.0), Some(true)));
        assert_eq!(reached(memory(&figures), "dead values"), (Some(1.0), Some(false)));
    }

    #[test]
    fn a_bar_of_an_invalidation_is_of_both_kinds_of_tags() {
        let figure = |subject, entries, value| figure("invalidate", "invalidate", subject, (1, entries), value);
        let rows = vec![
            figure("cachex", 1, 10.0),
            figure("cachex", 1_000_000, 10.0),
            figure(CONSTANT, 1, 10.0),
            figure(CONSTANT, 1_000_000, 30.0),
        ];
        assert_eq!(reached(invalidations(&Figures { rows }), "1M entries"), (Some(3.0), Some(false)));
    }

    #[test]
    fn hit_ratios_are_compared_in_points_and_loops_by_themselves() {
        let figures = Figures {
            rows: vec![
                figure("ratio", "zipf", "cachex", (1, 10), 49.5),
                figure("ratio", "zipf", "moka", (1, 10), 50.0),
                figure("ratio", "loop 2x", "cachex", (1, 10), 10.0),
                figure("ratio", "loop 2x", "cachex lfu", (1, 10), 45.0),
                figure("ratio", "loop 2x", "moka", (1, 10), 50.0),
            ],
        };
        assert_eq!(reached(ratios(&figures), "the default"), (Some(-0.5), Some(true)));
        assert_eq!(reached(ratios(&figures), "`lfu`"), (Some(-5.0), Some(false)));
    }
}
