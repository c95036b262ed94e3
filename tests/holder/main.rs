//! One process that counts and holds a lock, for tests that need several: it is set by the environment, and told what to do line by line.
//!
//! - `count KEY TIMES`: counts up; answers `counted`. `counter KEY`: answers `counter NUMBER`.
//! - `try KEY MS`: takes a lock for so long and gives it back; answers `free`, or `taken`.
//! - `hold KEY MS`, `wait KEY MS`, `keep KEY MS`: takes a lock, as soon as it is free, and keeps it, alive with `keep`; answers `held TOKEN`, as `token` does.
//! - `release`: gives it back; answers `released` and whether it was still held.
//! - `turns KEY TIMES FILE`: so many times, under a lock, adds one to the number in a file; answers `turned`.

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::time::Duration;

use cachex::{Cache, Error, Key, LockGuard, Settings};

struct Holder {
    cache: Cache,
    guard: Option<LockGuard>,
}

type Failed = Box<dyn std::error::Error>;

impl Holder {
    fn obey(&mut self, line: &str) -> Result<String, Failed> {
        let words: Vec<_> = line.split(' ').collect();
        let blocking = self.cache.blocking();
        Ok(match words[..] {
            ["count", key, times] => {
                for _ in 0..times.parse()? {
                    blocking.increment(&Key::new(key), 1)?;
                }
                "counted".to_owned()
            }
            ["counter", key] => format!("counter {}", blocking.counter(&Key::new(key))?.unwrap_or_default()),
            ["try", key, ttl] => match blocking.try_lock(&Key::new(key), millis(ttl)?)? {
                Some(_free) => "free".to_owned(),
                None => "taken".to_owned(),
            },
            ["hold" | "wait" | "keep", key, ttl] => {
                let mut guard = self.wait(key, millis(ttl)?)?;
                if words[0] == "keep" {
                    guard.keep_alive();
                }
                let token = guard.fencing_token();
                self.guard = Some(guard);
                format!("held {token}")
            }
            ["token"] => format!("held {}", self.guard.as_ref().ok_or("nothing is held")?.fencing_token()),
            ["release"] => format!("released {}", self.guard.take().ok_or("nothing is held")?.blocking_release()?),
            ["turns", key, times, file] => {
                for _ in 0..times.parse()? {
                    let guard = self.wait(key, Duration::from_secs(3600))?;
                    let number: u64 = std::fs::read_to_string(file)?.parse()?;
                    pause(Duration::from_millis(1));
                    std::fs::write(file, (number + 1).to_string())?;
                    guard.blocking_release()?;
                }
                "turned".to_owned()
            }
            _ => return Err(format!("`{line}` can't be done").into()),
        })
    }

    fn wait(&self, key: &str, ttl: Duration) -> Result<LockGuard, Error> {
        loop {
            if let Some(guard) = self.cache.blocking().try_lock(&Key::new(key), ttl)? {
                return Ok(guard);
            }
            pause(Duration::from_millis(2));
        }
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("error: {failed}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failed> {
    let cache = Cache::builder().settings(Settings::load()?).build()?;
    cachex_tests::connected(&cache)?;
    let mut holder = Holder { cache, guard: None };
    say("ready");
    for line in std::io::stdin().lock().lines() {
        let answer = holder.obey(&line?)?;
        say(&answer);
    }
    Ok(())
}

fn millis(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
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
