//! Stores: whether they keep their contract, and what each has of its own.

mod conforming;
mod files;
mod flawed;
mod memcached;
mod panicking;
mod rings;
mod swapped;
mod updates;

use std::time::Duration;

use cachex::store::{Listener, Store};
use cachex::{FileSettings, MemcachedSettings};
use cachex_tests::folder::Folder;

/// Sets a directory up so that nothing fails because the machine is slow.
pub(crate) fn directory(folder: &Folder) -> FileSettings {
    let mut settings = FileSettings::new(folder.path());
    settings.timeout = Duration::from_secs(20);
    settings.poll_interval = Duration::from_millis(10);
    settings
}

fn files(folder: &Folder) -> Box<dyn Store> {
    directory(folder).open("tests").unwrap()
}

/// As [`directory`], for servers.
fn servers<'a>(servers: impl IntoIterator<Item = &'a cachex_tests::memcached::Server>) -> MemcachedSettings {
    let mut settings = MemcachedSettings::new(servers.into_iter().map(cachex_tests::memcached::Server::url));
    settings.timeout = Duration::from_secs(10);
    settings.ping_interval = Duration::from_millis(100);
    settings
}

/// Who is told of a store, and does nothing.
struct Deaf;

impl Listener for Deaf {
    fn up(&self) {}
    fn down(&self) {}
    fn replaced(&self) {}
    fn troubled(&self, _why: &str) {}
    fn listening(&self) {}
    fn missed(&self) {}
    fn noticed(&self, _notice: &[u8]) {}
}

fn passes(checked: Result<(), cachex::store::conformance::Broken>) {
    if let Err(broken) = checked {
        panic!("{broken}");
    }
}
