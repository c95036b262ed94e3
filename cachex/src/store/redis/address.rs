//! Where Redis is, and as whom it is spoken to: a URL goes in.

use redis::{Client, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisResult};

use super::tls::{Tls, TlsOptions};
use crate::error::Error;

/// What a URL names.
pub(super) enum Address {
    /// One server.
    One(Client),
    /// The servers that know which one is the master of this name.
    Sentinels { at: Vec<Place>, master: String, manner: Manner },
    /// Some nodes of a cluster.
    Cluster { seeds: Vec<Place>, manner: Manner },
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) port: u16,
}

/// How a server is spoken to, wherever it is.
#[derive(Clone)]
pub(super) struct Manner {
    user: RedisConnectionInfo,
    tls: Option<Tls>,
}

impl Manner {
    /// Returns a client for the server at a place.
    pub(super) fn client(&self, place: &Place) -> RedisResult<Client> {
        client(self.address(place), &self.user)
    }

    /// As [`client`](Self::client), as another user.
    pub(super) fn client_as(&self, place: &Place, user: &RedisConnectionInfo) -> RedisResult<Client> {
        client(self.address(place), user)
    }

    pub(super) fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    fn address(&self, place: &Place) -> ConnectionAddr {
        match &self.tls {
            Some(tls) => tls.at(&place.host, place.port),
            None => ConnectionAddr::Tcp(place.host.clone(), place.port),
        }
    }
}

fn client(address: ConnectionAddr, user: &RedisConnectionInfo) -> RedisResult<Client> {
    // Answers are small, and waited for.
    let tcp = redis::io::tcp::TcpSettings::default().set_nodelay(true);
    Client::open(address.into_connection_info()?.set_redis_settings(user.clone()).set_tcp_settings(tcp))
}

/// What is before `://`.
const ONE: [&str; 2] = ["redis", "valkey"];
const ONE_TLS: [&str; 2] = ["rediss", "valkeys"];
const DEFAULT_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// Reads a URL, and what else is set of its connections.
pub(super) fn read(url: &str, tls: &TlsOptions<'_>) -> Result<Address, Error> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (base, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
    let is_tls = ONE_TLS.contains(&base);
    let tls = match (is_tls, tls.first_set()) {
        (true, _) => Some(Tls::read(tls)?),
        (false, None) => None,
        (false, Some(setting)) => {
            let text =
                format!("`redis.{setting}` has no effect without TLS; write `rediss` for `redis` in `redis.url`");
            return Err(Error::configuration(text));
        }
    };
    match kind {
        "sentinel" if is_tls || ONE.contains(&base) => sentinels(rest, tls),
        "cluster" if is_tls || ONE.contains(&base) => cluster(rest, tls),
        _ => one(url, tls),
    }
}

fn one(url: &str, tls: Option<Tls>) -> Result<Address, Error> {
    let wrong = |error| {
        let text = "`redis.url` is not the URL of a Redis server; write for example \"redis://localhost:6379\"";
        Error::configuration_from(text, error)
    };
    // Without the feature, the client does not know the scheme; with it, it would read `#insecure`, which is a setting here.
    let plain = match url.split_once("://") {
        Some((scheme, rest)) if tls.is_some() => format!("{}://{rest}", plain_of(scheme)),
        _ => url.to_owned(),
    };
    let info = plain.into_connection_info().map_err(wrong)?;
    let address = match (info.addr(), tls) {
        (ConnectionAddr::Tcp(host, port), Some(tls)) => tls.at(host, *port),
        (address, _) => address.clone(),
    };
    client(address, info.redis_settings()).map(Address::One).map_err(wrong)
}

/// Returns the scheme without TLS.
fn plain_of(scheme: &str) -> &'static str {
    if scheme.starts_with("valkey") { ONE[1] } else { ONE[0] }
}

fn sentinels(rest: &str, tls: Option<Tls>) -> Result<Address, Error> {
    const EXAMPLE: &str = "redis+sentinel://user:password@one:26379,two:26379,three:26379/master-name/0";
    let Several { places, user, path } = several(rest, SENTINEL_PORT, EXAMPLE)?;
    let (master, database) = path.split_once('/').unwrap_or((path, ""));
    let database = if database.is_empty() { Some(0) } else { database.parse::<u16>().ok() };
    let Some(database) = database.filter(|_| !master.is_empty()) else { return Err(unreadable(EXAMPLE)) };
    let user = user.set_db(i64::from(database));
    Ok(Address::Sentinels { at: places, master: master.to_owned(), manner: Manner { user, tls } })
}

fn cluster(rest: &str, tls: Option<Tls>) -> Result<Address, Error> {
    const EXAMPLE: &str = "redis+cluster://user:password@one:6379,two:6379,three:6379";
    let Several { places, user, path } = several(rest, DEFAULT_PORT, EXAMPLE)?;
    if !["", "0"].contains(&path) {
        let text = "`redis.url` names a database of a cluster, which has none but 0; leave it out, and tell programs apart by \
                    `namespace` or `redis.prefix`";
        return Err(Error::configuration(text));
    }
    Ok(Address::Cluster { seeds: places, manner: Manner { user, tls } })
}

/// What a URL with several hosts says.
struct Several<'a> {
    places: Vec<Place>,
    user: RedisConnectionInfo,
    path: &'a str,
}

fn several<'a>(rest: &'a str, port: u16, example: &str) -> Result<Several<'a>, Error> {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, hosts) = authority.rsplit_once('@').map_or(("", authority), |(user, hosts)| (user, hosts));
    // What the client reads of one it reads of each.
    let read = |url: String| url.into_connection_info().map_err(|_| unreadable(example));
    let info =
        read(if user.is_empty() { "redis://localhost".to_owned() } else { format!("redis://{user}@localhost") })?;
    let place = |host: &str| {
        // The client's own default is that of servers.
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let host = if has_port { host.to_owned() } else { format!("{host}:{port}") };
        match read(format!("redis://{host}"))?.addr() {
            ConnectionAddr::Tcp(host, port) => Ok(Place { host: host.clone(), port: *port }),
            _ => Err(unreadable(example)),
        }
    };
    let places = hosts.split(',').map(place).collect::<Result<Vec<_>, _>>()?;
    Ok(Several { places, user: info.redis_settings().clone(), path: path.trim_end_matches('/') })
}

fn unreadable(example: &str) -> Error {
    Error::configuration(format!("`redis.url` can't be read; write for example \"{example}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: &str) {
        let shown = match read(url, &TlsOptions::default()) {
            Ok(Address::One(client)) => format!("{}", client.get_connection_info().addr()),
            Ok(Address::Sentinels { at, master, manner }) => {
                format!("{} {master} {} {:?}", shown(&at), manner.user.db(), manner.user.username())
            }
            Ok(Address::Cluster { seeds, manner }) => format!("{} {:?}", shown(&seeds), manner.user.username()),
            Err(error) => error.to_string(),
        };
        assert!(shown.contains(expected), "{url}: {shown}");
    }

    fn shown(places: &[Place]) -> String {
        places.iter().map(|place| format!("{}:{}", place.host, place.port)).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn a_url_says_where_redis_is_and_who_asks() {
        check("redis://localhost", "localhost:6379");
        check("redis+unix:///run/redis.sock", "/run/redis.sock");
        check("redis+sentinel://ann:p%40ss@a,b:7,[::1]:8/main/3", "a:26379,b:7,::1:8 main 3 Some(\"ann\")");
        check("redis+sentinel://a/main", "a:26379 main 0 None");
        check("redis+cluster://:secret@a,b:7", "a:6379,b:7 None");
        check("redis+cluster://a/0", "a:6379 None");
    }

    #[test]
    fn what_is_wrong_with_a_url_is_told_with_what_to_write() {
        check("http://localhost", "`redis.url` is not the URL of a Redis server");
        check("redis+sentinel://a", "write for example \"redis+sentinel://user:password@one:26379,");
        check("redis+sentinel://a/main/many", "write for example \"redis+sentinel://");
        check("redis+cluster://", "write for example \"redis+cluster://");
        check("redis+cluster://a,,b", "write for example \"redis+cluster://");
        check("redis+cluster://a/1", "which has none but 0");
    }

    #[test]
    fn what_is_set_of_tls_is_not_left_out_in_silence() {
        let tls = TlsOptions { is_insecure: true, ..TlsOptions::default() };
        let message = read("redis://localhost", &tls).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.starts_with("`redis.tls_insecure` has no effect without TLS"), "{message}");
    }
}
