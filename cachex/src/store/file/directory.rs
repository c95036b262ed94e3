//! A directory that processes share: one lock, and files that are replaced as a whole.
//!
//! Whoever changes something holds the lock, which belongs to an open file: the system gives it back when a process dies, wherever it was. A file is
//! written beside its place and then renamed, so whoever reads sees the old one or the new one, without the lock. What a dead
//! process leaves is one file at the place where the next one writes before it renames.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, TryLockError as GateError};
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_128;

use crate::time::stopwatch::Stopwatch;

const LOCK: &str = "lock";
const UNFINISHED: &str = "unfinished";
const SHORTEST_NAP: Duration = Duration::from_micros(20);
const LONGEST_NAP: Duration = Duration::from_millis(1);

/// The modes of what is made, on Unix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Modes {
    pub(crate) directory: u32,
    pub(crate) file: u32,
}

/// A directory that processes share.
#[derive(Debug)]
pub(crate) struct Directory {
    root: PathBuf,
    modes: Modes,
    /// For how long the lock is waited for, from when something was asked for.
    limit: Duration,
    /// The lock among the threads of this process that have this very directory: cheaper to ask than the system.
    gate: Mutex<()>,
}

/// The right to change what is in a directory; dropped, it is given back.
#[derive(Debug)]
pub(crate) struct Locked<'a> {
    directory: &'a Directory,
    // In this order: the file is closed, and with it unlocked, before the gate opens.
    _file: File,
    _gate: MutexGuard<'a, ()>,
}

impl Directory {
    pub(crate) fn new(root: PathBuf, modes: Modes, limit: Duration) -> Self {
        Self { root, modes, limit, gate: Mutex::new(()) }
    }

    /// Names the file of something: in a folder of its kind, and in one of 256 in that, by a digest of its key. The key belongs into the file: two may have one
    /// digest.
    pub(crate) fn place(&self, kind: &str, key: &[u8]) -> PathBuf {
        let digest = format!("{:032x}", xxh3_128(key));
        self.root.join(kind).join(&digest[..2]).join(&digest[2..])
    }

    /// Names a file of which there is one.
    pub(crate) fn single(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Reads a file as it is now; nothing if it is not there.
    pub(crate) fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        match fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the lock. `since` is when what it is for was asked for: after the limit from then on it is not taken, for nobody waits any more, and what is
    /// asked for later must not be overtaken.
    ///
    /// # Errors
    ///
    /// Others had it all the time ([`ErrorKind::TimedOut`]), or the directory can't be written to.
    pub(crate) fn lock(&self, since: Stopwatch) -> io::Result<Locked<'_>> {
        let mut nap = SHORTEST_NAP;
        loop {
            if since.elapsed() >= self.limit {
                return Err(io::Error::new(ErrorKind::TimedOut, "others have the lock"));
            }
            if let Some(gate) = self.gate() {
                let file = self.lock_file()?;
                match file.try_lock() {
                    Ok(()) if self.is_in_place(&file) => {
                        return Ok(Locked { directory: self, _file: file, _gate: gate });
                    }
                    Ok(()) | Err(TryLockError::WouldBlock) => {}
                    Err(TryLockError::Error(error)) => return Err(error),
                }
            }
            sleep(nap);
            nap = (nap * 2).min(LONGEST_NAP);
        }
    }

    fn gate(&self) -> Option<MutexGuard<'_, ()>> {
        match self.gate.try_lock() {
            Ok(gate) => Some(gate),
            Err(GateError::Poisoned(gate)) => Some(gate.into_inner()),
            Err(GateError::WouldBlock) => None,
        }
    }

    fn lock_file(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let path = self.single(LOCK);
        match self.modes.open(&options, &path) {
            Err(error) if is_absent(&error) => {
                self.make_folder(&self.root)?;
                self.modes.open(&options, &path)
            }
            opened => opened,
        }
    }

    /// Whether a lock is still that of the directory: somebody may have removed all of it, and others have another one.
    #[cfg(unix)]
    fn is_in_place(&self, file: &File) -> bool {
        use std::os::unix::fs::MetadataExt;
        let id = |data: fs::Metadata| (data.dev(), data.ino());
        let (ours, there) = (file.metadata().map(id), fs::metadata(self.single(LOCK)).map(id));
        matches!((ours, there), (Ok(ours), Ok(there)) if ours == there)
    }

    #[cfg(not(unix))]
    fn is_in_place(&self, _file: &File) -> bool {
        true
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt;
            builder.mode(self.modes.directory);
        }
        builder.create(path)
    }
}

impl Locked<'_> {
    /// Puts bytes into the place of a file, whatever is there: all of them, or none.
    pub(crate) fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let unfinished = self.directory.single(UNFINISHED);
        remove(&unfinished)?;
        let mut file = self.directory.modes.open(OpenOptions::new().write(true).create_new(true), &unfinished)?;
        file.write_all(bytes)?;
        drop(file);
        match fs::rename(&unfinished, path) {
            Err(error) if is_absent(&error) => {
                if let Some(folder) = path.parent() {
                    self.directory.make_folder(folder)?;
                }
                fs::rename(&unfinished, path)
            }
            renamed => renamed,
        }
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        remove(path)
    }

    /// Removes what was not finished by a process that is no more.
    pub(crate) fn remove_unfinished(&self) -> io::Result<()> {
        remove(&self.directory.single(UNFINISHED))
    }

    /// Reads a file; nothing if it is not there.
    pub(crate) fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.directory.read(path)
    }

    /// Opens a file that is written to where it is.
    pub(crate) fn open(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(path)
    }

    pub(crate) fn directory(&self) -> &Directory {
        self.directory
    }
}

impl Directory {
    /// Calls `look` with each file of a kind. What can't be read is passed over.
    pub(crate) fn each(&self, kind: &str, mut look: impl FnMut(&Path)) {
        let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        for folder in entries(&self.root.join(kind)) {
            // Files of others may be there: ours have names of a known form.
            let is_ours = |name: Option<&OsStr>, len| {
                name.and_then(OsStr::to_str)
                    .is_some_and(|name| name.len() == len && name.bytes().all(|b| b.is_ascii_hexdigit()))
            };
            if is_ours(folder.file_name(), 2) {
                entries(&folder).filter(|path| is_ours(path.file_name(), 30)).for_each(|path| look(&path));
            }
        }
    }
}

impl Modes {
    fn open(self, options: &OpenOptions, path: &Path) -> io::Result<File> {
        #[cfg_attr(not(unix), expect(unused_mut, reason = "modes are of Unix"))]
        let mut options = options.clone();
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(self.file);
        }
        options.open(path)
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if !is_absent(&error) => Err(error),
        _ => Ok(()),
    }
}

fn is_absent(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

#[expect(clippy::disallowed_methods, reason = "another process has the lock, and lives in real time")]
fn sleep(span: Duration) {
    std::thread::sleep(span);
}
