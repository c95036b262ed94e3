//! What goes on in the background: notices are looked for, and what has expired is removed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::timeout;

use super::journal::{self, Looked, Reader};
use super::structures::STRUCTURES;
use super::{KINDS, Shared, clock, failed, now_ms, record};
use crate::runtime;
use crate::store::{Listener, StoreError};
use crate::time::stopwatch::Stopwatch;

/// The notices that came.
struct News {
    reader: Reader,
    notices: Vec<Vec<u8>>,
    /// Whether it was begun anew, so that some may be lost.
    is_anew: bool,
}

/// Looks for notices again and again, and tells what there is.
pub(super) async fn keep_looking(shared: Arc<Shared>, listener: Arc<dyn Listener>) {
    let mut standing = Standing { shared: shared.clone(), listener, is_listening: false };
    let mut reader = None;
    loop {
        let (looking, before) = (shared.clone(), reader.take());
        let mut look = pin!(runtime::on_thread(move || looking.look(before)));
        let looked = match timeout(shared.timeout, &mut look).await {
            Ok(looked) => looked,
            Err(_elapsed) => {
                // The disk hangs. Only one look waits for it.
                standing.failed(&failed(&io::ErrorKind::TimedOut.into()));
                look.await
            }
        };
        match looked {
            Ok(news) => reader = Some(standing.heard(news)),
            Err(error) => standing.failed(&failed(&error)),
        }
        runtime::pause(shared.poll_interval).await;
    }
}

struct Standing {
    shared: Arc<Shared>,
    listener: Arc<dyn Listener>,
    is_listening: bool,
}

impl Standing {
    fn heard(&mut self, news: News) -> Reader {
        if !self.shared.is_up.swap(true, Ordering::AcqRel) {
            self.listener.up();
        }
        if news.is_anew && self.is_listening {
            self.listener.missed();
        }
        if news.is_anew || !self.is_listening {
            self.listener.listening();
            self.is_listening = true;
        }
        news.notices.iter().for_each(|notice| self.listener.noticed(notice));
        news.reader
    }

    fn failed(&mut self, error: &StoreError) {
        if self.shared.is_up.swap(false, Ordering::AcqRel) {
            self.listener.down();
        }
        if std::mem::take(&mut self.is_listening) {
            self.listener.missed();
        }
        self.listener.troubled(&error.to_string());
    }
}

impl Shared {
    fn look(&self, reader: Option<Reader>) -> io::Result<News> {
        if let Some(mut reader) = reader
            && let Looked::New(notices) = reader.look(&self.directory)?
        {
            return Ok(News { reader, notices, is_anew: false });
        }
        {
            // What is not there is made, and so it is seen whether that can be done.
            let locked = self.directory.lock(Stopwatch::start())?;
            clock::wind(&locked)?;
            journal::append(&locked, &[])?;
        }
        let reader = Reader::at_end(&self.directory)?.ok_or(io::ErrorKind::NotFound)?;
        Ok(News { reader, notices: Vec::new(), is_anew: true })
    }

    /// Removes what has expired, and what a process that died has left.
    pub(super) fn sweep(&self) -> io::Result<()> {
        self.directory.lock(Stopwatch::start())?.remove_unfinished()?;
        for kind in KINDS {
            let mut over = Vec::new();
            self.directory.each(kind, |path| {
                if is_over(kind, path) {
                    over.push(path.to_owned());
                }
            });
            for path in over {
                let locked = self.directory.lock(Stopwatch::start())?;
                // Another one may be there by now.
                if is_over(kind, &path) {
                    locked.remove(&path)?;
                }
            }
        }
        Ok(())
    }
}

/// Whether a file has expired, or is none of ours. What is not a copy of something is left there: its users are told that it can't be read.
fn is_over(kind: &str, path: &Path) -> bool {
    let mut head = Vec::new();
    match File::open(path).and_then(|file| file.take(64).read_to_end(&mut head)) {
        Ok(_) => record::end(&head).map_or(kind != STRUCTURES, |end| end.is_some_and(|end| end <= now_ms())),
        Err(_unreadable) => false,
    }
}

/// Sweeps again and again.
pub(super) async fn keep_sweeping(shared: Arc<Shared>) {
    loop {
        runtime::pause(shared.sweep_interval).await;
        let sweeping = shared.clone();
        // What could not be removed is tried the next time.
        let _ignored = runtime::on_thread(move || sweeping.sweep()).await;
    }
}
