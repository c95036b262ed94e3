//! Several processes with a database and a server of Redis in common: whatever they commit at once, in the end none answers from before.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use cachex_diesel::{CachedExt, CachingConnection, DieselCache};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error;

use crate::HOUR;
use crate::schema::{TABLES, users};

/// Says to a process that it is one of several, and where the servers are.
const SETTING: &str = "CACHEX_TESTS_ONE_OF_SEVERAL";
const PROCESSES: usize = 3;
const ROWS: i32 = 4;
/// Of each process.
const WRITES: i32 = 60;

/// One of the processes; dropped, it is ended.
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(postgres: &str, redis: &str) -> Self {
        // This program, of which that test is run.
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "processes::one_of_several", "--nocapture"])
            .env(SETTING, format!("{postgres} {redis}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// Returns the rest of the next line that begins so.
    fn answer(&mut self, begin: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "it has ended");
            // What the harness says has no line of its own.
            if let Some((_, rest)) = line.trim_end().split_once(begin) {
                return rest.to_owned();
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

#[test]
fn in_the_end_no_process_answers_from_before() {
    let (postgres, redis) = (cachex_tests::postgres::Server::start(), cachex_tests::redis::Server::start());
    let mut bare = PgConnection::establish(&postgres.url()).unwrap();
    bare.batch_execute(TABLES).unwrap();
    let rows: Vec<_> = (0..ROWS).map(|id| (users::id.eq(id), users::name.eq("a"), users::age.eq(0))).collect();
    diesel::insert_into(users::table).values(&rows).execute(&mut bare).unwrap();
    let mut processes: Vec<_> = (0..PROCESSES).map(|_| Process::start(&postgres.url(), &redis.url())).collect();
    processes.iter_mut().for_each(|process| drop(process.answer("is ready")));
    processes.iter_mut().for_each(|process| process.say("go"));
    for process in &mut processes {
        let hits: u64 = process.answer("is done, hits ").parse().unwrap();
        assert!(hits > 0, "it was never answered from what is kept");
    }
    let ages =
        |rows: Vec<Option<i32>>| rows.iter().map(|age| age.unwrap_or(-1).to_string()).collect::<Vec<_>>().join(" ");
    let truth = ages(users::table.order(users::id).select(users::age).load(&mut bare).unwrap());
    let total: i32 = truth.split(' ').map(|age| age.parse::<i32>().unwrap()).sum();
    // Each fourth write of each process is rolled back.
    assert_eq!(total, (WRITES - WRITES / 4) * i32::try_from(PROCESSES).unwrap());
    for process in &mut processes {
        // What it has in memory goes with the notice, which may be on its way.
        crate::races::eventually(|| {
            process.say("read");
            process.answer("has read ") == truth
        });
    }
}

/// What each of the processes does; where this is none of them, nothing.
#[test]
fn one_of_several() {
    let Ok(setting) = std::env::var(SETTING) else { return };
    let (postgres, redis) = setting.rsplit_once(' ').unwrap();
    let db = crate::races::node_at(redis, |table| table.rows("id"));
    let open = || db.wrap(PgConnection::establish(postgres).unwrap());
    println!("is ready");
    let mut lines = std::io::stdin().lines();
    assert_eq!(lines.next().unwrap().unwrap(), "go");
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in 0..2 {
            let (open, is_over) = (&open, &is_over);
            scope.spawn(move || {
                let mut connection = open();
                let mut seen = [0; ROWS as usize];
                for id in (0..ROWS).cycle().skip(reader) {
                    let age = age(&mut connection, id).unwrap();
                    assert!(age >= seen[id as usize], "{age} after {}", seen[id as usize]);
                    seen[id as usize] = age;
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                }
            });
        }
        let mut connection = open();
        for number in 1..=WRITES {
            write(&mut connection, number);
        }
        is_over.store(true, Ordering::SeqCst);
    });
    println!("is done, hits {}", hits(&db));
    let mut connection = open();
    for line in lines.map_while(Result::ok) {
        assert_eq!(line, "read");
        let ages: Vec<_> = (0..ROWS).map(|id| age(&mut connection, id).unwrap().to_string()).collect();
        println!("has read {}", ages.join(" "));
    }
}

fn hits(db: &DieselCache) -> u64 {
    db.stats().hits
}

fn age(connection: &mut CachingConnection<PgConnection>, id: i32) -> Option<i32> {
    users::table.find(id).select(users::age).cached(HOUR).first::<Option<i32>>(connection).unwrap()
}

/// Makes a user older, in a transaction that may be rolled back.
fn write(connection: &mut CachingConnection<PgConnection>, number: i32) {
    let done: QueryResult<()> = connection.transaction(|connection| {
        let user = diesel::update(users::table.find(number % ROWS));
        user.set(users::age.eq(users::age + 1)).execute(connection)?;
        if number % 4 == 0 { Err(Error::RollbackTransaction) } else { Ok(()) }
    });
    assert!(matches!(done, Ok(()) | Err(Error::RollbackTransaction)), "{done:?}");
}
