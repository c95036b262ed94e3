//! The second tier beside the bare client and the bare server: what a value costs that is found there, by the number of tasks that ask at once.
//!
//! - `get`: a value of 200 bytes. `redis-benchmark` sends one `GET` after the other on each of its connections; `client` is the
//!   client that cachex uses, one connection for all tasks; `cachex` is a whole annotated call that finds nothing in memory, with one tag, over the thread of
//!   cachex.
//! - `get, store`: of `cachex`, what is asked of Redis for such a value, by the store alone: the value, and the clocks of the groups that it has.
//! - `get, runtime`: the same as `get` with `Builder::runtime`, where the connection is driven by the runtime of those who ask, as that of `client` is. All
//!   three take turns. Aimed at are 0.9 of the throughput of `client`, and four times that of `redis-benchmark` by 64 tasks; the client itself reaches
//!   more than that, or not, as the machine has it.
//! - `memory`: an annotated call that hits in memory; `alone` is the same without a second tier.
//! - `set, 0 tags` to `set, 3 tags`: a value set by hand, until Redis has it; one task.
//! - `invalidate`: a tag that so many values have; the time that the server needs for it.
//!
//! The server is a `redis-server` of its own, on the same machine.

use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use cachex::store::{Group, Listener, Notice, Store};
use cachex::{Builder, Cache, CacheScope, EntryOptions, Key, RedisSettings, RemoteSettings, cached};
use cachex_tests::redis::Server;
use redis::aio::MultiplexedConnection;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::args::Arguments;
use crate::measure::timed;
use crate::program::Suite;
use crate::row::{Row, median};

pub(crate) const SUITE: Suite =
    Suite { name: "l2", summary: "values in Redis, beside the bare client and redis-benchmark", run };

const BYTES: usize = 200;
/// Keys that are asked for.
const KEYS: u64 = 1_000;
/// How many ask at once.
const TASKS: [usize; 3] = [1, 8, 64];

#[derive(CacheScope)]
struct Values {
    #[scope(cache)]
    cache: Cache,
}

impl Values {
    #[cached(name = "l2.value", ttl = "1h", tags = ["values"])]
    async fn value(&self, id: u64) -> Arc<str> {
        format!("{id:0width$}", width = BYTES).into()
    }
}

/// Hears nothing.
#[derive(Debug)]
struct Deaf;

impl Listener for Deaf {
    fn up(&self) {}
    fn down(&self) {}
    fn replaced(&self) {}
    fn troubled(&self, _: &str) {}
    fn listening(&self) {}
    fn missed(&self) {}
    fn noticed(&self, _: &[u8]) {}
}

struct Bench {
    runtime: Runtime,
    server: Server,
    rows: Vec<Row>,
    repetitions: usize,
    /// Questions of all tasks in a repetition.
    questions: usize,
}

fn run(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let (repetitions, questions) = if arguments.is_quick { (3, 2_000) } else { (11, 20_000) };
    let mut bench = Bench { runtime, server: Server::start(), rows: Vec::new(), repetitions, questions };
    bench.gets()?;
    bench.memory()?;
    bench.sets()?;
    bench.invalidations(if arguments.is_quick { 10_000 } else { 100_000 })?;
    Ok(bench.rows)
}

/// Asks so many questions by so many tasks, and returns the time for one, in nanoseconds.
async fn ask<Q, F>(tasks: usize, questions: usize, question: Q) -> Result<f64, String>
where
    Q: Fn(u64) -> F + Clone + Send + 'static,
    F: Future<Output = bool> + Send,
{
    let each = questions / tasks;
    let mut all = JoinSet::new();
    for task in 0..tasks {
        let question = question.clone();
        all.spawn(async move {
            let started_at = now();
            for number in 0..each {
                if !question(((task * each + number) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) % KEYS).await {
                    return Err("a value that is there was not found".to_owned());
                }
            }
            Ok(started_at.elapsed().as_secs_f64())
        });
    }
    let mut longest = 0.0_f64;
    while let Some(ended) = all.join_next().await {
        longest = longest.max(ended.map_err(|error| error.to_string())??);
    }
    Ok(longest * 1e9 / (each * tasks) as f64)
}

#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// Has the server keep all values, for annotated calls and for the client.
async fn fill(values: &Values, connection: &MultiplexedConnection) -> Result<(), String> {
    let mut connection = connection.clone();
    for id in 0..KEYS {
        values.value(id).await;
        let text = format!("{id:0width$}", width = BYTES);
        let mut set = redis::cmd("SET");
        set.arg(format!("bare:{id}")).arg(text);
        set.query_async::<()>(&mut connection).await.map_err(|error| error.to_string())?;
    }
    while values.cache.remote_stats().is_some_and(|stats| stats.stores < KEYS) {
        tokio::task::yield_now().await;
    }
    Ok(())
}

impl Bench {
    fn cache(&self, change: impl FnOnce(&mut RemoteSettings)) -> Result<Cache, String> {
        self.built(|builder| builder, change)
    }

    fn built(
        &self,
        setting: impl FnOnce(Builder) -> Builder,
        change: impl FnOnce(&mut RemoteSettings),
    ) -> Result<Cache, String> {
        let mut redis = RedisSettings::new(self.server.url());
        redis.timeout = Duration::from_secs(10);
        let mut remote = RemoteSettings::default();
        change(&mut remote);
        let builder = Cache::builder().namespace("bench").max_entries(1 << 20).redis(redis).remote(remote);
        let cache = setting(builder).build().map_err(|error| error.to_string())?;
        cachex_tests::connected(&cache).map_err(|error| error.to_string())?;
        Ok(cache)
    }

    fn row(&mut self, case: &str, subject: &str, (threads, entries): (usize, usize), value: f64, unit: &str) {
        let owned = |text: &str| text.to_owned().into();
        let (suite, case, subject, unit) = (SUITE.name.into(), owned(case), owned(subject), owned(unit));
        self.rows.push(Row { suite, case, subject, threads, entries, value, unit });
    }

    fn gets(&mut self) -> Result<(), String> {
        let no_l1 = |remote: &mut RemoteSettings| remote.l1_ttl = Some(Duration::ZERO);
        let own = Arc::new(Values { cache: self.cache(no_l1)? });
        let beside = self.built(|builder| builder.runtime(self.runtime.handle().clone()), no_l1)?;
        let beside = Arc::new(Values { cache: beside });
        let store = self.store()?;
        let client = redis::Client::open(self.server.url()).map_err(|error| error.to_string())?;
        let connection = self.runtime.block_on(client.get_multiplexed_async_connection());
        let connection = connection.map_err(|error| error.to_string())?;
        self.runtime.block_on(fill(&own, &connection))?;
        for tasks in TASKS {
            let mut times = [const { Vec::new() }; 4];
            // The first repetition is not counted.
            for repetition in 0..=self.repetitions {
                for turn in 0..times.len() {
                    // Nobody is always first.
                    let index = (turn + repetition) % times.len();
                    let time = match index {
                        0 => self.ours(tasks, &own),
                        1 => self.ours(tasks, &beside),
                        2 => self.by_store(tasks, &store),
                        _ => self.bare(tasks, &connection),
                    }?;
                    if repetition > 0 {
                        times[index].push(time);
                    }
                }
            }
            let [own, beside, alone, bare] = times.map(|times| median(&times));
            let tool = self.redis_benchmark(tasks)?;
            for (case, ours) in [("get", own), ("get, runtime", beside), ("get, store", alone)] {
                for (subject, time) in [("cachex", ours), ("client", bare), ("redis-benchmark", tool)] {
                    self.row(case, subject, (tasks, KEYS as usize), time, "ns");
                }
            }
        }
        for values in [&own, &beside] {
            let hits = values.cache.remote_stats().map(|stats| stats.hits);
            if hits.is_none_or(|hits| hits < self.questions as u64) {
                return Err("values were not found in the second tier".to_owned());
            }
        }
        Ok(())
    }

    /// Asks by annotated calls.
    fn ours(&self, tasks: usize, values: &Arc<Values>) -> Result<f64, String> {
        let values = values.clone();
        self.runtime.block_on(ask(tasks, self.questions, move |id| {
            let values = values.clone();
            async move { black_box(values.value(id).await).len() == BYTES }
        }))
    }

    /// Makes a store with all values.
    fn store(&self) -> Result<Arc<dyn Store>, String> {
        let mut redis = RedisSettings::new(self.server.url());
        redis.timeout = Duration::from_secs(10);
        let store: Arc<dyn Store> = redis.open("alone").map_err(|error| error.to_string())?.into();
        store.start(Arc::new(Deaf));
        self.runtime.block_on(async {
            while !store.is_up() {
                tokio::task::yield_now().await;
            }
            for id in 0..KEYS {
                let value = format!("{id:0width$}", width = BYTES).into_bytes();
                let written = store.write(&format!("bare:{id}"), value, None, Notice::default()).await;
                written.map_err(|error| error.to_string())?;
            }
            Ok(store)
        })
    }

    /// Asks by the store alone.
    fn by_store(&self, tasks: usize, store: &Arc<dyn Store>) -> Result<f64, String> {
        let store = store.clone();
        let groups: Arc<[Group]> = [Group::all(), Group::method("l2.value"), Group::tag("values")].into();
        self.runtime.block_on(ask(tasks, self.questions, move |id| {
            let (store, groups) = (store.clone(), groups.clone());
            async move {
                let read = store.read(&format!("bare:{id}"), &groups).await;
                read.is_ok_and(|read| read.value.is_some_and(|value| value.len() == BYTES))
            }
        }))
    }

    /// Asks by the client alone.
    fn bare(&self, tasks: usize, connection: &MultiplexedConnection) -> Result<f64, String> {
        let connection = connection.clone();
        self.runtime.block_on(ask(tasks, self.questions, move |id| {
            let mut connection = connection.clone();
            async move {
                let mut get = redis::cmd("GET");
                get.arg(format!("bare:{id}"));
                get.query_async::<Vec<u8>>(&mut connection).await.is_ok_and(|value| value.len() == BYTES)
            }
        }))
    }

    /// Returns the time for one `GET` of redis-benchmark, in nanoseconds.
    fn redis_benchmark(&self, connections: usize) -> Result<f64, String> {
        let mut times = Vec::new();
        for _ in 0..self.repetitions.min(5) {
            let output = Command::new("redis-benchmark")
                .args(["-p", &self.server.port().to_string(), "-c", &connections.to_string()])
                .args(["-n", &self.questions.to_string(), "-d", &BYTES.to_string(), "-t", "get", "--csv"])
                .output()
                .map_err(|error| format!("redis-benchmark does not run ({error}); install redis-tools"))?;
            let text = String::from_utf8_lossy(&output.stdout);
            let rate = text.lines().filter_map(|line| line.split(',').nth(1)).next_back();
            let rate: f64 = rate
                .and_then(|rate| rate.trim_matches('"').parse().ok())
                .ok_or("redis-benchmark says nothing that is understood")?;
            times.push(1e9 / rate);
        }
        Ok(median(&times))
    }

    fn memory(&mut self) -> Result<(), String> {
        let two = Values { cache: self.cache(|_| {})? };
        let one = Values { cache: Cache::builder().build().map_err(|error| error.to_string())? };
        let mut times = [Vec::new(), Vec::new()];
        for repetition in 0..=self.repetitions {
            for (values, times) in [&two, &one].into_iter().zip(&mut times) {
                self.runtime.block_on(async {
                    for id in 0..KEYS {
                        values.value(id).await;
                    }
                });
                let time = timed(|| {
                    self.runtime.block_on(async {
                        for round in 0..100 {
                            for id in 0..KEYS {
                                black_box(values.value(id ^ (round & 1)).await);
                            }
                        }
                    });
                });
                if repetition > 0 {
                    times.push(time / (100 * KEYS) as f64);
                }
            }
        }
        self.row("memory", "cachex", (1, KEYS as usize), median(&times[0]), "ns");
        self.row("memory", "alone", (1, KEYS as usize), median(&times[1]), "ns");
        Ok(())
    }

    fn sets(&mut self) -> Result<(), String> {
        let cache = self.cache(|_| {})?;
        let value = "x".repeat(BYTES);
        let count = (self.questions / 20) as u64;
        for tags in [0, 1, 3] {
            let options = (0..tags).fold(EntryOptions::new().ttl(Duration::from_secs(3600)), |options, tag| {
                options.tag(format!("tag:{tag}"))
            });
            let mut times = Vec::new();
            for _ in 0..self.repetitions {
                let time = timed(|| {
                    self.runtime.block_on(async {
                        for id in 0..count {
                            let _kept = cache.set(&Key::new("set").part(&id), value.clone(), &options).await;
                        }
                    });
                });
                times.push(time / count as f64);
            }
            self.row(&format!("set, {tags} tags"), "cachex", (1, count as usize), median(&times), "ns");
        }
        let stats = cache.remote_stats();
        if stats.as_ref().is_none_or(|stats| stats.write_errors > 0) {
            return Err(format!("values were not set: {stats:?}"));
        }
        Ok(())
    }

    fn invalidations(&mut self, entries: u64) -> Result<(), String> {
        let values = Values { cache: self.cache(|_| {})? };
        self.runtime.block_on(async {
            for id in 0..entries {
                values.value(id).await;
            }
            while values.cache.remote_stats().is_some_and(|stats| stats.stores < entries - KEYS) {
                tokio::task::yield_now().await;
            }
        });
        let mut times = Vec::new();
        for _ in 0..self.repetitions {
            let ask = |words: &[&str]| self.server.command(words).map_err(|error| error.to_string());
            ask(&["CONFIG", "RESETSTAT"])?;
            self.runtime.block_on(values.cache.invalidate_tags(["values"]));
            let text = ask(&["INFO", "commandstats"])?;
            let line = text.lines().find(|line| line.starts_with("cmdstat_evalsha:"));
            let micros = line.and_then(|line| line.split("usec=").nth(1)).and_then(|rest| rest.split(',').next());
            let micros: f64 =
                micros.and_then(|micros| micros.parse().ok()).ok_or("the server does not tell its times")?;
            times.push(micros * 1e3);
        }
        self.row("invalidate", "cachex", (1, entries as usize), median(&times), "ns");
        Ok(())
    }
}
