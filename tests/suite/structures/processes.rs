//! Real processes: what one holds, the others do not; and what one dies with, the next one gets.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use cachex_tests::folder::Folder;
use cachex_tests::redis::Server;

use super::{connected, key, patient};

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process; dropped, it is ended.
struct Process {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Process {
    fn start(settings: &[(&str, String)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_holder"))
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .env("CACHEX_NAMESPACE", "structures")
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
        Self { child, input, lines }
    }

    fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.answer()
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    fn answer(&mut self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }

    /// Returns the token of a lock that it holds now.
    fn token(&mut self, line: &str) -> u64 {
        self.ask(line).strip_prefix("held ").unwrap().parse().unwrap()
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "the process is there to be told {name}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Where processes share something: what to set for it, and what ends with it.
struct Shared {
    name: &'static str,
    settings: Vec<(&'static str, String)>,
    _server: Option<Server>,
    _folder: Option<Folder>,
}

fn shared() -> Vec<Shared> {
    let server = Server::start();
    let settings = vec![("CACHEX_REDIS__URL", server.url()), ("CACHEX_REDIS__TIMEOUT", "10s".to_owned())];
    let folder = Folder::new();
    let directory = folder.path().display().to_string();
    let of_files = vec![("CACHEX_FILE__DIRECTORY", directory), ("CACHEX_FILE__TIMEOUT", "10s".to_owned())];
    vec![
        Shared { name: "redis", settings, _server: Some(server), _folder: None },
        Shared { name: "files", settings: of_files, _server: None, _folder: Some(folder) },
    ]
}

fn processes(shared: &Shared, count: usize) -> Vec<Process> {
    let mut all: Vec<_> = (0..count).map(|_| Process::start(&shared.settings)).collect();
    all.iter_mut().for_each(|process| assert_eq!(process.answer(), "ready"));
    all
}

#[test]
fn the_steps_of_all_processes_are_counted() {
    for shared in shared() {
        let mut all = processes(&shared, 3);
        all.iter_mut().for_each(|process| process.say("count steps 500"));
        all.iter_mut().for_each(|process| assert_eq!(process.answer(), "counted", "{}", shared.name));
        assert_eq!(all[0].ask("counter steps"), "counter 1500", "{}", shared.name);
    }
}

// The file is read and written in two steps, which nothing but the lock keeps together.
#[test]
fn of_many_processes_one_at_a_time_is_in_the_locked_part() {
    for shared in shared() {
        let file = std::env::temp_dir().join(format!("cachex-locked-{}-{}", shared.name, std::process::id()));
        std::fs::write(&file, "0").unwrap();
        let mut all = processes(&shared, 3);
        all.iter_mut().for_each(|process| process.say(&format!("turns lock 30 {}", file.display())));
        let answers: Vec<_> = all.iter_mut().map(Process::answer).collect();
        let written = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(answers, ["turned"; 3], "{}", shared.name);
        assert_eq!(written, "90", "{}", shared.name);
    }
}

#[test]
fn the_lock_of_a_process_that_was_killed_ends_with_its_ttl() {
    for shared in shared() {
        let mut all = processes(&shared, 2);
        let first = all[0].token("hold lock 1500");
        assert_eq!(all[1].ask("try lock 1500"), "taken", "{}", shared.name);
        all[0].signal("KILL");
        let second = all[1].token("wait lock 1500");
        assert!(second > first, "{}: {second} after {first}", shared.name);
    }
}

#[test]
fn a_lock_that_is_kept_alive_dies_with_its_process() {
    for shared in shared() {
        let mut all = processes(&shared, 2);
        let first = all[0].token("keep lock 3000");
        for _ in 0..20 {
            assert_eq!(all[1].ask("try lock 3000"), "taken", "{}", shared.name);
            super::pause(Duration::from_millis(300));
        }
        all[0].signal("KILL");
        assert!(all[1].token("wait lock 3000") > first, "{}", shared.name);
    }
}

// A resource that asks for the token: the last line of defence, as no lock can stop a process that was stopped while it held one.
#[test]
fn the_write_of_a_holder_that_was_stopped_too_long_is_refused_by_its_token() {
    for shared in shared() {
        let mut all = processes(&shared, 2);
        let mut resource = Resource::default();
        let first = all[0].token("hold lock 300");
        assert!(resource.write(first, "first"));
        all[0].signal("STOP");
        let second = all[1].token("wait lock 60000");
        assert!(resource.write(second, "second"));
        all[0].signal("CONT");
        // It wakes up, and writes what it was about to.
        assert!(!resource.write(all[0].token("token"), "late"), "{}", shared.name);
        assert_eq!(resource.value, "second", "{}", shared.name);
        assert_eq!(all[0].ask("release"), "released false", "{}", shared.name);
        assert_eq!(all[1].ask("release"), "released true", "{}", shared.name);
    }
}

#[derive(Default)]
struct Resource {
    highest: u64,
    value: &'static str,
}

impl Resource {
    fn write(&mut self, token: u64, value: &'static str) -> bool {
        let is_latest = token >= self.highest;
        if is_latest {
            (self.highest, self.value) = (token, value);
        }
        is_latest
    }
}

#[test]
fn namespaces_have_structures_of_their_own() {
    let server = Server::start();
    let cache = |namespace: &str| connected(cachex::Cache::builder().namespace(namespace).redis(patient(server.url())));
    let (first, second) = (cache("first"), cache("second"));
    let ttl = Duration::from_secs(60);
    assert_eq!(first.blocking().increment(&key("n"), 1).unwrap(), 1);
    assert_eq!(second.blocking().increment(&key("n"), 1).unwrap(), 1);
    let held =
        (first.blocking().try_lock(&key("n"), ttl).unwrap(), second.blocking().try_lock(&key("n"), ttl).unwrap());
    assert!(held.0.is_some() && held.1.is_some());
}
