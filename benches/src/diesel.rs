//! Diesel: what the wrapper adds to each operation of a connection, and what a cached query takes beside asking the database.
//!
//! - `sqlite, …`: a database in memory, where a query is nearly nothing but Diesel; `postgres, …`: a server of its own, on the same machine, over a socket.
//! - `cachex` is a [`CachingConnection`](cachex_diesel::CachingConnection), `bare` the same connection without it; they take turns.
//! - `select` is told apart by its type, `boxed` and `update` are not: their SQL is written to see what they do.
//! - Of repetitions the median is told; over the socket the least, of a server that has one core in common with us.
//! - `cached, …`: of `cachex`, a query whose rows are kept; of `bare`, the same query, asked.
//!
//! Aimed at are 1.10 for selects that are told by their type, 1.30 for whatever is worst on SQLite, 1.05 on PostgreSQL; for cached queries a quarter of what SQLite takes, and
//! a twentieth of what PostgreSQL takes.

use std::hint::black_box;
use std::time::Duration;

use cachex::Cache;
use cachex_diesel::{CachedExt, CachingConnection, DieselCache};
use cachex_tests::postgres::Server;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::args::Arguments;
use crate::measure::timed;
use crate::program::Suite;
use crate::row::{Row, best, median};

pub(crate) const SUITE: Suite =
    Suite { name: "diesel", summary: "writes and cached queries through Diesel, beside the bare connection", run };

diesel::table! {
    users {
        id -> Integer,
        name -> Text,
    }
}

diesel::table! {
    posts {
        id -> Integer,
        user_id -> Integer,
        title -> Text,
    }
}

diesel::joinable!(posts -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(users, posts);

#[derive(Clone, Deserialize, Queryable, Selectable, Serialize)]
#[diesel(table_name = users)]
struct User {
    id: i32,
    name: String,
}

/// Rows of each table.
const ROWS: i32 = 100;
/// Long enough for a run.
const HOUR: Duration = Duration::from_secs(3600);

/// Something that is done with a connection, for one of the rows.
type Operation<C> = fn(&mut C, i32) -> QueryResult<usize>;

/// Defines what is done with a connection.
macro_rules! operations {
    ($name:ident, $connection:ty) => {
        fn $name() -> Vec<(&'static str, Operation<$connection>)> {
            vec![
                ("select", |c, id| Ok(users::table.find(id).select(User::as_select()).load::<User>(c)?.len())),
                ("select, boxed", |c, id| {
                    Ok(users::table.into_boxed().filter(users::id.eq(id)).load::<User>(c)?.len())
                }),
                ("select, 100 rows", |c, _| Ok(users::table.load::<User>(c)?.len())),
                ("select, join, boxed", |c, id| {
                    let both = posts::table.inner_join(users::table).select((users::name, posts::title)).into_boxed();
                    Ok(both.filter(users::id.eq(id)).load::<(String, String)>(c)?.len())
                }),
                ("insert", |c, id| {
                    diesel::insert_into(posts::table)
                        .values((posts::user_id.eq(id), posts::title.eq("title")))
                        .execute(c)
                }),
                ("insert, returning", |c, id| {
                    let post = (posts::user_id.eq(id), posts::title.eq("title"));
                    let new = diesel::insert_into(posts::table).values(post).returning(posts::id);
                    Ok(usize::from(new.get_result::<i32>(c)? > 0))
                }),
                ("update", |c, id| diesel::update(users::table.find(id)).set(users::name.eq("name")).execute(c)),
                ("transaction, update", |c, id| {
                    c.transaction(|c| diesel::update(users::table.find(id)).set(users::name.eq("name")).execute(c))
                }),
            ]
        }
    };
}

operations!(bare_sqlite, SqliteConnection);
operations!(wrapped_sqlite, CachingConnection<SqliteConnection>);
operations!(bare_postgres, PgConnection);
operations!(wrapped_postgres, CachingConnection<PgConnection>);

/// Defines the queries that are kept, as they are asked of a bare connection, and of one that keeps them.
macro_rules! queries {
    ($name:ident, $connection:ty, |$query:ident, $c:ident| $asked:expr) => {
        fn $name() -> Vec<(&'static str, Operation<$connection>)> {
            vec![
                ("cached, one row", |$c, id| {
                    let $query = users::table.find(id).select(User::as_select());
                    Ok($asked.len())
                }),
                ("cached, 100 rows", |$c, _| {
                    let $query = users::table.select(User::as_select());
                    Ok($asked.len())
                }),
            ]
        }
    };
}

queries!(asked_sqlite, SqliteConnection, |query, c| query.load::<User>(c)?);
queries!(kept_sqlite, CachingConnection<SqliteConnection>, |query, c| query.cached(HOUR).load::<User>(c)?);
queries!(asked_postgres, PgConnection, |query, c| query.load::<User>(c)?);
queries!(kept_postgres, CachingConnection<PgConnection>, |query, c| query.cached(HOUR).load::<User>(c)?);

const SQLITE: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL); \
    CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, title TEXT NOT NULL);";
const POSTGRES: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL); \
    CREATE TABLE posts (id SERIAL PRIMARY KEY, user_id INTEGER NOT NULL, title TEXT NOT NULL);";

fn fill(connection: &mut impl SimpleConnection, tables: &str) -> Result<(), String> {
    let rows = |row: fn(i32) -> String| (1..=ROWS).map(row).collect::<Vec<_>>().join(", ");
    let users = rows(|id| format!("({id}, 'name {id}')"));
    let posts = rows(|id| format!("({id}, 'title {id}')"));
    let text = format!("{tables} INSERT INTO users VALUES {users}; INSERT INTO posts (user_id, title) VALUES {posts};");
    connection.batch_execute(&text).map_err(|error| error.to_string())
}

fn handle() -> Result<DieselCache, String> {
    let cache = Cache::builder().build().map_err(|error| error.to_string())?;
    Ok(DieselCache::builder(cache).table("users", |table| table).table("posts", |table| table).build())
}

/// How much is measured.
#[derive(Clone, Copy)]
struct Effort {
    repetitions: usize,
    calls: i32,
    /// What is told of all repetitions.
    told: fn(&[f64]) -> f64,
}

/// Does something so many times, and returns the time for one, in nanoseconds.
fn time<C>(connection: &mut C, operation: Operation<C>, calls: i32) -> Result<f64, String> {
    let mut done = Ok(0);
    let time = timed(|| {
        for call in 0..calls {
            done = operation(connection, call % ROWS + 1);
            if black_box(&done).is_err() {
                break;
            }
        }
    });
    match done {
        Ok(0) => Err("an operation touches no row".to_owned()),
        Ok(_) => Ok(time / f64::from(calls)),
        Err(error) => Err(error.to_string()),
    }
}

/// Has two connections do the same in turns.
fn compare<A, B>(
    server: &str,
    (bare, bare_operations): (&mut A, Vec<(&'static str, Operation<A>)>),
    (wrapped, operations): (&mut B, Vec<(&'static str, Operation<B>)>),
    effort: Effort,
) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for ((case, bare_operation), (_, operation)) in bare_operations.into_iter().zip(operations) {
        let mut times = [Vec::new(), Vec::new()];
        for repetition in 0..=effort.repetitions {
            // Nobody is always first.
            for turn in 0..2 {
                let subject = (turn + repetition) % 2;
                let time = match subject {
                    0 => time(bare, bare_operation, effort.calls)?,
                    _ => time(wrapped, operation, effort.calls)?,
                };
                if repetition > 0 {
                    times[subject].push(time);
                }
            }
        }
        rows.extend(["bare", "cachex"].into_iter().zip(&times).map(|(subject, times)| Row {
            suite: SUITE.name.into(),
            case: format!("{server}, {case}").into(),
            subject: subject.into(),
            threads: 1,
            entries: ROWS as usize,
            value: (effort.told)(times),
            unit: "ns".into(),
        }));
    }
    Ok(rows)
}

fn run(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let (repetitions, calls, repetitions_over_socket) = match arguments.is_quick {
        true => (5, 500, 3),
        false => (31, 2_000, 61),
    };
    let effort = Effort { repetitions, calls, told: median };
    let over_socket = Effort { repetitions: repetitions_over_socket, calls: 100, told: best };
    let failed = |error: diesel::ConnectionError| error.to_string();
    let db = handle()?;
    let mut bare = SqliteConnection::establish(":memory:").map_err(failed)?;
    let mut wrapped = db.wrap(SqliteConnection::establish(":memory:").map_err(failed)?);
    fill(&mut bare, SQLITE)?;
    fill(&mut wrapped, SQLITE)?;
    let mut rows = compare("sqlite", (&mut bare, bare_sqlite()), (&mut wrapped, wrapped_sqlite()), effort)?;
    rows.extend(compare("sqlite", (&mut bare, asked_sqlite()), (&mut wrapped, kept_sqlite()), effort)?);

    // Whether a server and who asks it wait on one core or on two makes six times of a call, and the system changes its mind: so they are on one, as are their children.
    let _core = OneCore::begin();
    let (db, server) = (handle()?, Server::start());
    let mut bare = PgConnection::establish(&server.url()).map_err(failed)?;
    bare.batch_execute("CREATE DATABASE other").map_err(|error| error.to_string())?;
    let other = server.url().replace("dbname=postgres", "dbname=other");
    let mut wrapped = db.wrap(PgConnection::establish(&other).map_err(failed)?);
    fill(&mut bare, POSTGRES)?;
    fill(&mut wrapped, POSTGRES)?;
    rows.extend(compare("postgres", (&mut bare, bare_postgres()), (&mut wrapped, wrapped_postgres()), over_socket)?);
    rows.extend(compare("postgres", (&mut bare, asked_postgres()), (&mut wrapped, kept_postgres()), over_socket)?);
    Ok(rows)
}

/// Has this thread, and what it starts, be on one core as long as it is there; where there is no `taskset`, nothing.
struct OneCore {
    /// How many there are.
    cores: usize,
}

impl OneCore {
    fn begin() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        place("0");
        Self { cores }
    }
}

impl Drop for OneCore {
    fn drop(&mut self) {
        place(&format!("0-{}", self.cores - 1));
    }
}

fn place(cores: &str) {
    let own = std::process::id().to_string();
    let mut command = std::process::Command::new("taskset");
    let _none = command.args(["--cpu-list", "--pid", cores, &own]).stdout(std::process::Stdio::null()).status();
}
