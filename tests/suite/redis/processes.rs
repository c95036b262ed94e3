//! Several processes, each the whole service, set by the environment alone.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use cachex_tests::redis::Server;

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process; dropped, it is ended.
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Process {
    pub(crate) fn start(settings: &[(&str, &str)], load_time: u64, source: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_node"))
            .arg(load_time.to_string())
            .arg(source)
            .env("CACHEX_NAMESPACE", "processes")
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut process = Self { child, input, lines };
        assert_eq!(process.line(), "ready");
        process
    }

    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    fn line(&mut self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }

    /// Returns the next line, loads apart.
    pub(crate) fn answer(&mut self) -> String {
        loop {
            let line = self.line();
            if line != "loading" {
                return line;
            }
        }
    }

    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.answer()
    }

    pub(crate) fn loads(&mut self) -> u64 {
        self.ask("loads").strip_prefix("loads ").unwrap().parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// A file that is the source of all processes; dropped, it is removed.
pub(crate) struct Source(PathBuf);

impl Source {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("cachex-source-{name}-{}", std::process::id()));
        std::fs::write(&path, "first").unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

fn processes(count: usize, server: &Server, load_time: u64, source: &Source) -> Vec<Process> {
    let url = server.url();
    // A machine that runs all tests at once is slow.
    let settings = [("CACHEX_REDIS__URL", &*url), ("CACHEX_REDIS__TIMEOUT", "10s"), ("CACHEX_REMOTE__LEASE", "1500ms")];
    (0..count).map(|_| Process::start(&settings, load_time, &source.0)).collect()
}

#[test]
fn of_many_callers_in_many_processes_one_loads() {
    let (server, source) = (Server::start(), Source::new("one"));
    let mut all = processes(4, &server, 300, &source);
    all.iter_mut().for_each(|process| process.say("find 1 50"));
    for process in &mut all {
        assert_eq!(process.answer(), "found 1:first");
    }
    assert_eq!(all.iter_mut().map(Process::loads).sum::<u64>(), 1);
}

#[test]
fn when_the_process_that_loads_is_killed_another_one_loads() {
    let (server, source) = (Server::start(), Source::new("two"));
    let mut all = processes(4, &server, 3000, &source);
    all.iter_mut().for_each(|process| process.say("find 1 50"));
    let loading = loop {
        let found = all.iter().position(|process| match process.lines.recv_timeout(Duration::from_millis(10)) {
            Ok(line) => line == "loading",
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => panic!("a process has ended"),
        });
        if let Some(found) = found {
            break found;
        }
    };
    drop(all.remove(loading));
    for process in &mut all {
        assert_eq!(process.answer(), "found 1:first");
    }
    // And the one of the process that is no more.
    assert_eq!(all.iter_mut().map(Process::loads).sum::<u64>(), 1);
}

#[test]
fn what_one_process_writes_the_others_see() {
    let (server, source) = (Server::start(), Source::new("three"));
    let mut all = processes(3, &server, 0, &source);
    for process in &mut all {
        assert_eq!(process.ask("find 1 1"), "found 1:first");
    }
    assert_eq!(all.iter_mut().map(Process::loads).sum::<u64>(), 1);
    assert_eq!(all[0].ask("write second"), "written");
    assert_eq!(all[0].ask("find 1 1"), "found 1:second");
    for process in &mut all[1..] {
        let seen = (0..1000).find(|_| process.ask("find 1 1") == "found 1:second");
        assert!(seen.is_some(), "the notice comes");
    }
}

/// One program, and what it is set to.
#[test]
fn the_same_program_runs_on_whatever_it_is_set_to() {
    let server = Server::start();
    let url = server.url();
    let redis = [("CACHEX_REDIS__URL", &*url), ("CACHEX_REDIS__TIMEOUT", "10s")];
    for (name, settings) in [
        ("memory", Vec::new()),
        ("redis", redis.to_vec()),
        ("redis, each time", [&redis[..], &[("CACHEX_NAMESPACE", "other"), ("CACHEX_REMOTE__L1_TTL", "0s")]].concat()),
    ] {
        let source = Source::new(&name.replace([',', ' '], ""));
        let mut process = Process::start(&settings, 0, &source.0);
        assert_eq!(process.ask("find 1 8"), "found 1:first", "{name}");
        assert_eq!(process.ask("write second"), "written", "{name}");
        assert_eq!(process.ask("find 1 8"), "found 1:second", "{name}");
        assert_eq!(process.loads(), 2, "{name}");
    }
}
