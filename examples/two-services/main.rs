//! Two processes over one Redis: what one writes, the other sees.
//!
//! ```sh
//! cargo run --features redis --example two-services                              # starts a `redis-server` of its own
//! cargo run --features redis --example two-services -- redis://localhost:6379    # takes this one
//! ```
//!
//! The process starts itself a second time. One is the *shop*, which answers what something costs; the other is the *office*, which changes
//! prices. Both have the same annotated methods, and each its own memory. The office tells the shop of a change by nothing but the cache: the time from the
//! end of the office's call to the first right answer of the shop is measured, some hundred times.

mod prices;
mod server;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use prices::Prices;
use server::Server;

/// Says to the second process which role it has.
const OFFICE: &str = "office";
const CHANGES: u64 = 200;

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let result = match &arguments[..] {
        [role, url, file] if role == OFFICE => office(url, file),
        [] => Server::start().and_then(|server| shop(&server.url())),
        [url] => shop(url),
        _ => Err("give the URL of a Redis server, or nothing".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers what something costs while the office changes it.
fn shop(url: &str) -> Result<(), Error> {
    let file = tempfile::NamedTempFile::new()?;
    let path = file.path().display().to_string();
    let prices = Prices::open(url, &path)?;
    prices.set(1, 0)?;
    let mut office = Office::start(url, &path)?;
    let mut delays = Vec::new();
    for cents in 1..=CHANGES {
        // In the memory of the shop, so that it is wrong after the change.
        prices.of(1)?;
        let changed_at = office.change(cents)?;
        while prices.of(1)? != cents {
            if changed_at.elapsed() > Duration::from_secs(10) {
                return Err("the shop does not learn of a change".into());
            }
        }
        delays.push(changed_at.elapsed());
    }
    delays.sort();
    let part = |part: usize| delays[(delays.len() - 1) * part / 100];
    println!("the office changed the price {CHANGES} times, and the shop knew each time");
    println!(
        "from the end of the office's call to the first right answer of the shop, the way between the two processes included:"
    );
    println!("  half of them within {:?}, 99 of 100 within {:?}, all within {:?}", part(50), part(99), part(100));
    println!("  {:?}", prices.stats());
    Ok(())
}

/// Changes prices, as it is told line by line.
fn office(url: &str, file: &str) -> Result<(), Error> {
    let prices = Prices::open(url, file)?;
    for line in std::io::stdin().lock().lines() {
        prices.set(1, line?.parse()?)?;
        println!("changed");
    }
    Ok(())
}

/// The other process; dropped, it is ended.
struct Office {
    child: Child,
    input: ChildStdin,
    output: BufReader<std::process::ChildStdout>,
}

impl Office {
    fn start(url: &str, file: &str) -> Result<Self, Error> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([OFFICE, url, file])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the office can't be talked to".into());
        };
        Ok(Self { child, input, output: BufReader::new(output) })
    }

    /// Has it change the price; returns when its call had ended.
    fn change(&mut self, cents: u64) -> Result<Instant, Error> {
        writeln!(self.input, "{cents}")?;
        let mut answer = String::new();
        self.output.read_line(&mut answer)?;
        if answer.trim() != "changed" {
            return Err("the office has gone".into());
        }
        Ok(now())
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
fn now() -> Instant {
    Instant::now()
}
