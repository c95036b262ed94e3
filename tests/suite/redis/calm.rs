//! That nobody connects with servers again and again.

use std::time::Instant;

use cachex_tests::redis::Server;

/// How often servers were connected with since it began.
pub(super) struct Calm {
    connections: u64,
    began_at: Instant,
}

impl Calm {
    /// Begins before a fault, with the servers that outlive it.
    #[expect(clippy::disallowed_methods, reason = "connections live in real time")]
    pub(super) fn begin<'a>(servers: impl IntoIterator<Item = &'a Server>) -> Self {
        Self { connections: count(servers), began_at: Instant::now() }
    }

    /// Checks how often those servers were connected with since by all who keep up so many connections: eight attempts of each may come within the
    /// first seconds, and then one a second.
    pub(super) fn end<'a>(&self, servers: impl IntoIterator<Item = &'a Server>, kept_up: u64) {
        let (made, seconds) = (count(servers) - self.connections, self.began_at.elapsed().as_secs());
        assert!(made <= kept_up * (8 + seconds), "{made} connections in {seconds} s");
    }
}

fn count<'a>(servers: impl IntoIterator<Item = &'a Server>) -> u64 {
    servers.into_iter().map(Server::connections).sum()
}
