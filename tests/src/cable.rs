//! A socket before that of a server, as a cable that can be cut.

use std::io::copy;
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::folder::Folder;

/// A socket by which one client is connected with a server; dropped, it is cut.
#[derive(Debug)]
pub struct Cable {
    _folder: Folder,
    url: String,
    ends: Arc<Mutex<Vec<UnixStream>>>,
}

impl Cable {
    /// Lays one to the socket of a server in its directory, of which its URL tells.
    pub(crate) fn to(directory: &Path, socket: &str, url: &str) -> Self {
        let folder = Folder::new();
        let listener = UnixListener::bind(folder.path().join(socket)).expect("a folder of ours can have a socket");
        let url = url.replace(&directory.display().to_string(), &folder.path().display().to_string());
        let ends = Arc::new(Mutex::new(Vec::new()));
        let (server, kept) = (directory.join(socket), ends.clone());
        thread::spawn(move || {
            let (Ok((client, _)), Ok(server)) = (listener.accept(), UnixStream::connect(server)) else { return };
            let [Ok(client_too), Ok(server_too), Ok(client_kept), Ok(server_kept)] =
                [&client, &server, &client, &server].map(UnixStream::try_clone)
            else {
                return;
            };
            kept.lock().unwrap_or_else(PoisonError::into_inner).extend([client_kept, server_kept]);
            thread::spawn(move || copy(&mut &client_too, &mut &server_too));
            let _cut = copy(&mut &server, &mut &client);
        });
        Self { _folder: folder, url, ends }
    }

    /// Returns the URL by which the client goes through it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Cuts it. What the server was asked for it does all the same.
    pub fn cut(&self) {
        for end in self.ends.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _gone = end.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.cut();
    }
}
