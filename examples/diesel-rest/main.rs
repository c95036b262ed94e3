//! A web service on axum, with posts in a database by Diesel, and a load that shows what the cache is worth and that no answer is older than it may be.
//!
//! ```sh
//! cargo run --example diesel-rest                        # the load, with the cache on and then off, on SQLite
//! cargo run --example diesel-rest -- --serve             # serves until ctrl-c
//! cargo run --features postgres --example diesel-rest -- --database postgres://localhost/blog
//! ```
//!
//! Reading order: [`schema`] (the tables) and [`database`] (connections that know of the cache), [`repository`] (annotated methods that read, and methods that write and say nothing
//! of what to invalidate), [`service`] (the routes). Then what puts them to the test: [`client`] (over HTTP), [`draw`] (chance), [`known`] (what an answer must not fall behind),
//! [`user`] (reads what others write), [`load`], [`report`].

mod args;
mod client;
mod database;
mod draw;
mod known;
mod load;
mod report;
mod repository;
mod schema;
mod service;
mod user;

use std::io::Write;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use args::{Command, Work};
use database::Place;
use repository::{Caching, Posts, Tables};

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let command = match args::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    match run(&mut std::io::stdout(), command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(out: &mut impl Write, command: Command) -> Result<(), Error> {
    let Command::Run { database, work } = command else {
        return Ok(writeln!(out, "{}", args::HELP)?);
    };
    // Is deleted in the end, with what is in it.
    let directory = TempDir::with_prefix("cachex-diesel-rest-")?;
    let place = database.unwrap_or_else(|| Place::Sqlite(directory.path().join("blog.db").display().to_string()));
    let runtime = Runtime::new()?;
    match work {
        Work::Serve { port } => serve(out, &runtime, &place, port),
        Work::Load { requests } => {
            report::beginning(out, &place, requests)?;
            let on = load::run(&runtime, &place, requests, Caching::On)?;
            report::header(out)?;
            report::row(out, "on", &on)?;
            let off = load::run(&runtime, &place, requests, Caching::Off)?;
            report::row(out, "off", &off)?;
            report::end(out, &[on, off])
        }
    }
}

fn serve(out: &mut impl Write, runtime: &Runtime, place: &Place, port: u16) -> Result<(), Error> {
    let posts = Posts::open(place, Tables::Any, Caching::On)?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(|error| format!("port {port} can't be listened on ({error}); choose another: --port N"))?;
        let address = listener.local_addr()?;
        writeln!(out, "posts of {place}, until ctrl-c:\n")?;
        writeln!(out, "  curl http://{address}/posts")?;
        writeln!(out, "  curl http://{address}/posts --json '{{\"title\": \"A post\", \"body\": \"Its text\"}}'")?;
        writeln!(out, "  curl http://{address}/stats")?;
        let until = async {
            // A program that can't be told to end is ended otherwise.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        Ok(service::serve(listener, posts, until).await?)
    })
}
