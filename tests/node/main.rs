//! One process of a service, for tests that need several: it is set by the environment, as any program is, and told what to do line by line.
//!
//! - `find ID CALLERS`: so many threads call the cached method at once; answers `found VALUE`.
//! - `write VALUE`: the source has another value, and says so; answers `written`.
//! - `loads`: answers `loads COUNT`, how often the method ran here.
//!
//! Each load answers `loading`, and takes as many milliseconds as the first argument says. The source is the file of the second one.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cachex::{Cache, CacheScope, Settings, cached, invalidates};

#[derive(CacheScope)]
struct Service {
    #[scope(cache)]
    cache: Cache,
    load_time: Duration,
    source: PathBuf,
    loads: AtomicU64,
}

impl Service {
    #[cached(name = "node.find", ttl = "1h", tags = ["value"])]
    fn find(&self, id: u64) -> String {
        self.loads.fetch_add(1, Ordering::SeqCst);
        say("loading");
        let value = std::fs::read_to_string(&self.source).unwrap_or_default();
        pause(self.load_time);
        format!("{id}:{value}")
    }

    #[invalidates(tags = ["value"])]
    fn write(&self, value: &str) -> std::io::Result<()> {
        std::fs::write(&self.source, value)
    }

    fn obey(&self, line: &str) -> Option<()> {
        let mut words = line.split(' ');
        match words.next()? {
            "find" => {
                let (id, callers) = (words.next()?.parse().ok()?, words.next()?.parse::<u64>().ok()?);
                let values: Vec<_> = std::thread::scope(|scope| {
                    let callers: Vec<_> = (0..callers).map(|_| scope.spawn(|| self.find(id))).collect();
                    callers.into_iter().map(|caller| caller.join().ok()).collect()
                });
                let first = values.first()?.clone()?;
                let are_alike = values.iter().all(|value| value.as_ref() == Some(&first));
                say(&format!("found {}", if are_alike { &first } else { "different values" }));
            }
            "write" => {
                self.write(words.next()?).ok()?;
                say("written");
            }
            "loads" => say(&format!("loads {}", self.loads.load(Ordering::SeqCst))),
            _ => return None,
        }
        Some(())
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [load_time, source] = &arguments[..] else { return Err("give a time in ms and a file".to_owned()) };
    let settings = Settings::load().map_err(|error| error.to_string())?;
    let cache = Cache::builder().settings(settings).build().map_err(|error| error.to_string())?;
    let load_time = Duration::from_millis(load_time.parse().map_err(|_| "the time is not a number")?);
    let service = Service { cache, load_time, source: source.into(), loads: AtomicU64::new(0) };
    cachex_tests::connected(&service.cache).map_err(|error| error.to_string())?;
    say("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        service.obey(&line).ok_or_else(|| format!("`{line}` can't be done"))?;
    }
    Ok(())
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody listens any more: then the test has ended.
    let _gone = writeln!(out, "{line}").and_then(|()| out.flush());
}

#[expect(clippy::disallowed_methods, reason = "other processes live in real time")]
fn pause(span: Duration) {
    std::thread::sleep(span);
}
