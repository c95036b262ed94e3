//! A `redis-server` that speaks TLS, with certificates of its own.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::redis::{Server, free_port};

/// Certificates in files: of an authority, of a server on the loopback and of a client, both issued by it.
#[derive(Debug)]
pub struct Certificates {
    directory: PathBuf,
}

impl Certificates {
    /// Makes new ones.
    ///
    /// # Panics
    ///
    /// The directory for temporary files can't be written to.
    #[must_use]
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("cachex-tls-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("the directory for temporary files can be written to");
        let certificates = Self { directory };
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority of tests");
        let authority = CertifiedIssuer::self_signed(params, key()).expect("an authority may sign for itself");
        certificates.write("ca.pem", &authority.pem());
        for name in ["server", "client"] {
            let key = key();
            let names = vec!["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string()];
            let params = CertificateParams::new(names).expect("these are names of hosts");
            let certificate = params.signed_by(&key, &authority).expect("an authority may sign");
            certificates.write(&format!("{name}.pem"), &certificate.pem());
            certificates.write(&format!("{name}.key"), &key.serialize_pem());
        }
        certificates
    }

    /// Returns the path of `ca.pem`, `server.pem`, `server.key`, `client.pem` or `client.key`.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Returns the options of a server that has them and speaks TLS at a port as well.
    pub(crate) fn options(&self, port: u16, asks_clients: bool) -> Vec<String> {
        let mut options = vec!["--tls-port".to_owned(), port.to_string()];
        for (option, file) in
            [("--tls-cert-file", "server.pem"), ("--tls-key-file", "server.key"), ("--tls-ca-cert-file", "ca.pem")]
        {
            options.extend([option.to_owned(), path_text(&self.path(file))]);
        }
        options.extend(["--tls-auth-clients".to_owned(), if asks_clients { "yes" } else { "no" }.to_owned()]);
        options
    }

    /// Writes one more file beside them, and returns its path.
    ///
    /// # Panics
    ///
    /// It can't be written.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("the directory for temporary files can be written to");
        path
    }
}

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.directory);
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key can be made")
}

/// A server with TLS; without, it is reached by its guard alone.
#[derive(Debug)]
pub struct TlsServer {
    /// The server, by its port without TLS.
    pub server: Server,
    port: u16,
}

impl TlsServer {
    /// Starts one that may demand certificates of its clients, with more options.
    ///
    /// # Panics
    ///
    /// There is no `redis-server` with TLS, or it does not start.
    #[must_use]
    pub fn start(certificates: &Certificates, asks_clients: bool, options: &[&str]) -> Self {
        let port = free_port();
        let mut all = certificates.options(port, asks_clients);
        all.extend(options.iter().map(|option| (*option).to_owned()));
        let all: Vec<_> = all.iter().map(String::as_str).collect();
        Self { server: Server::start_with(&all), port }
    }

    /// Returns what follows `rediss://` and a user.
    #[must_use]
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }
}

fn path_text(path: &Path) -> String {
    path.to_str().expect("the directory for temporary files has a name in UTF-8").to_owned()
}
