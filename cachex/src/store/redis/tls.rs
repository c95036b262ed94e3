//! Encrypted connections: files that are set become what the client needs to trust a server, and to be trusted.

use std::path::Path;

use redis::ConnectionAddr;
use redis::RedisError;

use crate::error::Error;

/// What is set of TLS.
#[derive(Clone, Copy, Default)]
pub(crate) struct TlsOptions<'a> {
    /// Who is trusted to vouch for the server; without it, who vouches for the servers of the web.
    pub(crate) ca: Option<&'a Path>,
    pub(crate) certificate: Option<&'a Path>,
    pub(crate) key: Option<&'a Path>,
    /// Whether whoever answers is trusted.
    pub(crate) is_insecure: bool,
}

impl TlsOptions<'_> {
    /// Returns the name of a setting that has no effect without TLS, if one is set.
    pub(super) fn first_set(&self) -> Option<&'static str> {
        let set = [
            ("tls_ca", self.ca.is_some()),
            ("tls_certificate", self.certificate.is_some()),
            ("tls_key", self.key.is_some()),
            ("tls_insecure", self.is_insecure),
        ];
        set.into_iter().find_map(|(name, is_set)| is_set.then_some(name))
    }
}

/// How connections are encrypted: an address with all but the place.
#[derive(Clone)]
pub(super) struct Tls(ConnectionAddr);

impl Tls {
    /// Returns the address of a server that is spoken to like this.
    pub(super) fn at(&self, to_host: &str, to_port: u16) -> ConnectionAddr {
        let mut address = self.0.clone();
        if let ConnectionAddr::TcpTls { host, port, .. } = &mut address {
            to_host.clone_into(host);
            *port = to_port;
        }
        address
    }

    #[cfg(not(feature = "redis-tls"))]
    pub(super) fn read(_options: &TlsOptions<'_>) -> Result<Self, Error> {
        let text = "`redis.url` asks for TLS, which needs the feature `redis-tls` of cachex; add it to the dependency in Cargo.toml";
        Err(Error::configuration(text))
    }

    /// Reads the files.
    #[cfg(feature = "redis-tls")]
    pub(super) fn read(options: &TlsOptions<'_>) -> Result<Self, Error> {
        with_rustls::read(options).map(Self)
    }
}

/// Says what is wrong between us and a server, where it is a matter of certificates.
#[cfg(not(feature = "redis-tls"))]
pub(super) fn trouble(_error: &RedisError) -> Option<String> {
    None
}

#[cfg(feature = "redis-tls")]
pub(super) use with_rustls::trouble;

#[cfg(feature = "redis-tls")]
mod with_rustls {
    use std::error::Error as _;
    use std::io;
    use std::sync::Arc;

    use redis::{Client, ClientTlsConfig, TlsCertificates};
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ClientConfig, RootCertStore};

    use super::{ConnectionAddr, Error, Path, RedisError, TlsOptions};

    pub(super) fn read(options: &TlsOptions<'_>) -> Result<ConnectionAddr, Error> {
        // With none, or with several of which none was chosen, the first connection would panic. One that the program has chosen stays.
        // Break this (drop the line) and the first connection of a program with another provider beside ours panics.
        let _chosen_already = rustls::crypto::ring::default_provider().install_default();
        let ca = options.ca.map(|path| file("tls_ca", path)).transpose()?;
        let mut roots = RootCertStore::empty();
        for certificate in ca.iter().map(|pem| certificates("tls_ca", pem)).collect::<Result<Vec<_>, _>>()?.concat() {
            let text = "`redis.tls_ca` holds a certificate that nobody can be checked with";
            roots.add(certificate).map_err(|error| Error::configuration_from(text, error))?;
        }
        let own = match (options.certificate, options.key) {
            (Some(certificate), Some(key)) => Some(ClientTlsConfig {
                client_cert: file("tls_certificate", certificate)?,
                client_key: file("tls_key", key)?,
            }),
            _ => None,
        };
        if let Some(ClientTlsConfig { client_cert, client_key }) = &own {
            check_pair(client_cert, client_key)?;
        }
        let address =
            ConnectionAddr::TcpTls { host: String::new(), port: 0, insecure: options.is_insecure, tls_params: None };
        let certificates = TlsCertificates { client_tls: own, root_cert: ca };
        let text = "the files of `redis.tls_ca`, `redis.tls_certificate` and `redis.tls_key` can't be used";
        let client = Client::build_with_tls(address, certificates);
        let client = client.map_err(|error| Error::configuration_from(text, error))?;
        Ok(client.get_connection_info().addr().clone())
    }

    fn file(setting: &str, path: &Path) -> Result<Vec<u8>, Error> {
        std::fs::read(path).map_err(|error| {
            let text = format!("`redis.{setting}` can't be read: {}; name a PEM file", path.display());
            Error::configuration_from(text, error)
        })
    }

    fn certificates<'a>(setting: &str, pem: &'a [u8]) -> Result<Vec<CertificateDer<'a>>, Error> {
        let text = || format!("`redis.{setting}` holds no certificate; name a PEM file with `BEGIN CERTIFICATE`");
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let read = read.map_err(|error| Error::configuration_from(text(), error))?;
        if read.is_empty() { Err(Error::configuration(text())) } else { Ok(read) }
    }

    /// Finds out now what else would be found out at each connection.
    fn check_pair(certificate: &[u8], key: &[u8]) -> Result<(), Error> {
        let chain = certificates("tls_certificate", certificate)?;
        let chain = chain.into_iter().map(CertificateDer::into_owned).collect();
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
            let text = "`redis.tls_key` holds no private key; name a PEM file with `BEGIN PRIVATE KEY`";
            Error::configuration_from(text, error)
        })?;
        let config = ClientConfig::builder().with_root_certificates(RootCertStore::empty());
        config.with_client_auth_cert(chain, key).map(drop).map_err(|error| {
            let text = "`redis.tls_key` is not the key of the certificate in `redis.tls_certificate`";
            Error::configuration_from(text, error)
        })
    }

    pub(in crate::store::redis) fn trouble(error: &RedisError) -> Option<String> {
        let inner = error.source()?.downcast_ref::<Arc<dyn std::error::Error + Send + Sync>>()?;
        let error = inner.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref::<rustls::Error>()?;
        Some(match error {
            rustls::Error::InvalidCertificate(why) => format!(
                "the certificate of redis is not accepted: {why}; name the file of who has issued it in `redis.tls_ca`, \
                 and the host as the certificate does in `redis.url`"
            ),
            rustls::Error::AlertReceived(why) => format!(
                "redis ended the encrypted connection: {why:?}; if it wants to know who we are, name the files of \
                 `redis.tls_certificate` and `redis.tls_key`"
            ),
            other => format!("redis can't be spoken to over TLS: {other}; is there TLS at this port?"),
        })
    }
}
