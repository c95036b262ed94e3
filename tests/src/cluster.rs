//! A cluster of `redis-server`s on the loopback.

use crate::redis::{Server, free_port, pause};
use crate::tls::Certificates;

/// Looks whether the nodes agree, with a pause between them.
const ATTEMPTS: usize = 3_000;
const SLOTS: usize = 16384;

/// Masters, and as many replicas, or none; dropped, all are ended.
#[derive(Debug)]
pub struct Cluster {
    /// Masters as they are at the beginning, then their replicas in the same order.
    pub nodes: Vec<Server>,
    /// Where each is for clients.
    ports: Vec<u16>,
    masters: usize,
}

const OPTIONS: [&str; 8] = [
    "--cluster-enabled",
    "yes",
    "--cluster-node-timeout",
    "1000",
    "--cluster-require-full-coverage",
    "no",
    "--repl-diskless-sync-delay",
    "0",
];

impl Cluster {
    /// Starts three masters, each with so many replicas: none or one.
    ///
    /// # Panics
    ///
    /// There is no `redis-server`, or they do not come together.
    #[must_use]
    pub fn start(replicas: usize) -> Self {
        Self::start_with(replicas, None)
    }

    /// Starts three masters that speak TLS, also with one another.
    ///
    /// # Panics
    ///
    /// There is no `redis-server` with TLS, or they do not come together.
    #[must_use]
    pub fn start_over_tls(certificates: &Certificates) -> Self {
        Self::start_with(0, Some(certificates))
    }

    fn start_with(replicas: usize, certificates: Option<&Certificates>) -> Self {
        let masters = 3;
        let (mut nodes, mut ports, mut buses) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..masters * (1 + replicas) {
            let (bus, port) = (free_port(), free_port());
            let mut options = certificates.map_or_else(Vec::new, |files| files.options(port, false));
            if certificates.is_some() {
                options.extend(["--tls-cluster", "yes"].map(str::to_owned));
            }
            options.extend(["--cluster-port".to_owned(), bus.to_string()]);
            options.extend(OPTIONS.map(str::to_owned));
            let node = Server::start_with(&options.iter().map(String::as_str).collect::<Vec<_>>());
            ports.push(if certificates.is_some() { port } else { node.port() });
            buses.push(bus);
            nodes.push(node);
        }
        let cluster = Self { nodes, ports, masters };
        cluster.meet(&buses);
        cluster
    }

    fn meet(&self, buses: &[u16]) {
        let first = &self.nodes[0];
        for (index, node) in self.nodes.iter().enumerate() {
            tell(node, &["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()]);
            if index < self.masters {
                let (from, to) = (SLOTS * index / self.masters, SLOTS * (index + 1) / self.masters - 1);
                tell(node, &["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()]);
            }
            if index > 0 {
                let (port, bus) = (self.ports[index].to_string(), buses[index].to_string());
                tell(first, &["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
            }
        }
        let known = format!("cluster_known_nodes:{}\r", self.nodes.len());
        self.wait("all know one another", |node| has(node, &["CLUSTER", "INFO"], &[&known]));
        for (index, node) in self.nodes.iter().enumerate().skip(self.masters) {
            tell(node, &["CLUSTER", "REPLICATE", &self.id(index - self.masters)]);
        }
        self.wait_until_whole();
        for (index, node) in self.nodes.iter().enumerate() {
            let expected = match index < self.masters {
                true => format!("connected_slaves:{}\r", self.nodes.len() / self.masters - 1),
                false => "master_link_status:up".to_owned(),
            };
            wait("replicas follow", || has(node, &["INFO", "replication"], &[&expected]));
        }
    }

    /// Waits until all nodes are there, and know it.
    ///
    /// # Panics
    ///
    /// That is not so within half a minute.
    pub fn wait_until_whole(&self) {
        let whole = ["cluster_state:ok", "cluster_slots_ok:16384\r"];
        self.wait("the cluster is whole", |node| has(node, &["CLUSTER", "INFO"], &whole));
    }

    /// Returns the URL of the cluster; it names two of its nodes.
    #[must_use]
    pub fn url(&self) -> String {
        let is_tls = self.ports[0] != self.nodes[0].port();
        let scheme = if is_tls { "rediss+cluster" } else { "redis+cluster" };
        format!("{scheme}://127.0.0.1:{},127.0.0.1:{}", self.ports[0], self.ports[1])
    }

    /// Returns the index of the master of a key, as it is at the beginning.
    ///
    /// # Panics
    ///
    /// The node that is asked is gone.
    #[must_use]
    pub fn master_of(&self, key: &str) -> usize {
        self.slot(key) * self.masters / SLOTS
    }

    /// Returns the slot of a key, as a node says.
    ///
    /// # Panics
    ///
    /// No node answers.
    #[must_use]
    pub fn slot(&self, key: &str) -> usize {
        let answers = self.nodes.iter().filter_map(|node| node.command(&["CLUSTER", "KEYSLOT", key]).ok());
        let slot = answers.filter_map(|answer| answer.trim().strip_prefix(':')?.parse().ok()).next();
        slot.expect("a node of the cluster answers")
    }

    /// Returns the number by which the cluster knows a node.
    ///
    /// # Panics
    ///
    /// The node is gone.
    #[must_use]
    pub fn id(&self, index: usize) -> String {
        let answer = self.nodes[index].command(&["CLUSTER", "MYID"]).expect("the node is there");
        answer.lines().nth(1).expect("a text has two lines").to_owned()
    }

    /// Waits until a node is a master with slots, as it says itself.
    ///
    /// # Panics
    ///
    /// That is not so within half a minute.
    pub fn wait_for_promotion(&self, index: usize) {
        let is_master = || {
            let nodes = self.nodes[index].command(&["CLUSTER", "NODES"]).unwrap_or_default();
            let own = nodes.lines().find(|line| line.contains("myself"));
            own.is_some_and(|own| own.contains("master") && own.split(' ').count() > 8)
        };
        wait("the replica is promoted", is_master);
    }

    /// Waits until all other nodes take a node for lost.
    ///
    /// # Panics
    ///
    /// That is not so within half a minute.
    pub fn wait_for_loss(&self, index: usize) {
        let port = format!(":{}@", self.nodes[index].port());
        let is_lost = |node: &Server| {
            let nodes = node.command(&["CLUSTER", "NODES"]).unwrap_or_default();
            nodes.lines().any(|line| line.contains(&port) && line.contains("fail ") && !line.contains("fail? "))
        };
        let mut others = self.nodes.iter().enumerate().filter(|(other, _)| *other != index);
        others.all(|(_, node)| {
            wait("the node is taken for lost", || is_lost(node));
            true
        });
    }

    /// Moves a slot with all of its keys from one master to another, key by key; `between` is called after each step.
    ///
    /// # Panics
    ///
    /// A node refuses.
    pub fn move_slot(&self, slot: usize, from: usize, to: usize, between: impl Fn()) {
        let (text, ids) = (slot.to_string(), (self.id(from), self.id(to)));
        let (source, target) = (&self.nodes[from], &self.nodes[to]);
        tell(target, &["CLUSTER", "SETSLOT", &text, "IMPORTING", &ids.0]);
        tell(source, &["CLUSTER", "SETSLOT", &text, "MIGRATING", &ids.1]);
        let port = target.port().to_string();
        loop {
            between();
            let answer = source.command(&["CLUSTER", "GETKEYSINSLOT", &text, "1"]).expect("the node is there");
            let Some(key) = answer.split("\r\n").nth(2).filter(|key| !key.is_empty()) else { break };
            let moved = source.command(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]).expect("the node is there");
            // It may have expired, or have been removed.
            assert!(moved.starts_with("+OK") || moved.starts_with("+NOKEY"), "{moved}");
        }
        between();
        // In this order: else the source would give up a slot that nobody has.
        for node in [target, source] {
            tell(node, &["CLUSTER", "SETSLOT", &text, "NODE", &ids.1]);
        }
    }

    fn wait(&self, what: &str, is_so: impl Fn(&Server) -> bool) {
        wait(what, || self.nodes.iter().all(&is_so));
    }
}

fn wait(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..ATTEMPTS {
        if is_so() {
            return;
        }
        pause();
    }
    panic!("not so within half a minute: {what}");
}

fn has(node: &Server, question: &[&str], parts: &[&str]) -> bool {
    let answer = node.command(question).unwrap_or_default();
    parts.iter().all(|part| answer.contains(part))
}

fn tell(node: &Server, words: &[&str]) {
    let answer = node.command(words).expect("the node is there");
    assert!(answer.starts_with("+OK"), "{words:?}: {answer}");
}
