//! Who of a cluster has which slots: an answer to `CLUSTER NODES` goes in.

use std::ops::RangeInclusive;

use super::super::address::Place;
use super::slots::SLOTS;

/// A cluster, as one of its nodes sees it.
#[derive(Debug, Default)]
pub(super) struct Topology {
    /// Masters that are not known to have failed. Those without slots may be about to get some.
    pub(super) masters: Vec<Node>,
    /// Where all nodes are that may be asked.
    pub(super) places: Vec<Place>,
    /// The highest epoch of a configuration: of two views, the one with the higher one is newer.
    pub(super) epoch: u64,
}

/// A master.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) at: Place,
    /// Its names: others may call it by its address or by that of its host.
    pub(super) names: Vec<Place>,
    pub(super) epoch: u64,
    pub(super) slots: Vec<RangeInclusive<u16>>,
}

impl Topology {
    /// Reads the answer of a node that was asked at a host. Certificates speak of names, so these are taken where there are some.
    pub(super) fn read(nodes: &str, asked: &str, wants_names: bool) -> Self {
        let mut topology = Self::default();
        for line in nodes.lines() {
            let Some((node, flags)) = Node::read(line, asked, wants_names) else { continue };
            topology.epoch = topology.epoch.max(node.epoch);
            topology.places.push(node.at.clone());
            // `fail?` is the opinion of one node, `fail` that of most.
            if flags.contains(&"master") && !flags.contains(&"fail") {
                topology.masters.push(node);
            }
        }
        topology
    }
}

impl Node {
    /// Reads a line: the number, the address, flags, the master, two times, the epoch, the state of the link, slots.
    fn read<'a>(line: &'a str, asked: &str, wants_names: bool) -> Option<(Self, Vec<&'a str>)> {
        let mut words = line.split_ascii_whitespace();
        let (id, address, flags) = (words.next()?, words.next()?, words.next()?);
        let epoch = words.nth(3)?.parse().ok()?;
        let slots = words.skip(1).filter_map(range).collect();
        let flags: Vec<_> = flags.split(',').collect();
        if flags.contains(&"noaddr") || flags.contains(&"handshake") {
            return None;
        }
        let (address, rest) = address.split_once('@').unwrap_or((address, ""));
        let (host, port) = address.rsplit_once(':')?;
        let host = if host.is_empty() { asked } else { host };
        let place = |host: &str| Some(Place { host: host.to_owned(), port: port.parse().ok()? });
        // After the port of the bus: the name of the host, if it has one, and further pairs.
        let name = rest.split(',').nth(1).filter(|name| !name.is_empty() && !name.contains('=') && *name != "?");
        let mut names = vec![place(host)?];
        names.extend(name.and_then(place));
        let at = if wants_names { names.last() } else { names.first() };
        Some((Self { id: id.to_owned(), at: at?.clone(), names, epoch, slots }, flags))
    }
}

/// Reads `5` or `5-9`; a slot that is on its way is written `[5->-…]`, and still where it was.
fn range(word: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last && usize::from(last) < SLOTS).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::altered_tests::{alterations, altered_text};

    const NODES: &str = "\
aaa :7001@17001 myself,master - 0 0 1 connected 0-5460 [93->-bbb]
bbb 10.0.0.2:7002@17002,two.example master - 0 1426238317239 7 connected 5461-10922 16000
ccc 10.0.0.3:7003@17003,,shard-id=69bc master,fail - 0 1426238316232 9 disconnected 10923-15999
ddd ::1:7004@17004 slave aaa 0 1426238317741 1 connected
eee :0@0 master,noaddr - 0 0 12 disconnected 1
fff 10.0.0.6:7006@17006 master - 0 0 3 connected";

    #[test]
    fn masters_are_those_that_have_not_failed() {
        let topology = Topology::read(NODES, "localhost", false);
        let masters: Vec<_> = topology.masters.iter().map(|node| (&*node.id, &*node.at.host, node.epoch)).collect();
        assert_eq!(masters, [("aaa", "localhost", 1), ("bbb", "10.0.0.2", 7), ("fff", "10.0.0.6", 3)]);
        assert_eq!(topology.masters[0].slots, [0..=5460]);
        assert_eq!(topology.masters[1].slots, [5461..=10922, 16000..=16000]);
        assert_eq!(topology.epoch, 9);
        assert_eq!(topology.places[3], Place { host: "::1".to_owned(), port: 7004 });
    }

    #[test]
    fn names_of_hosts_are_taken_where_certificates_are_to_fit() {
        let topology = Topology::read(NODES, "localhost", true);
        assert_eq!(topology.masters[1].at.host, "two.example");
        assert_eq!(topology.masters[1].names.len(), 2);
        assert_eq!(topology.masters[0].at.host, "localhost");
    }

    proptest! {
        #[test]
        fn what_is_read_of_an_altered_answer_is_within_bounds(how in alterations(), wants_names: bool) {
            let text = altered_text(NODES, &how);
            let topology = Topology::read(&text, "localhost", wants_names);
            prop_assert!(topology.masters.len() <= topology.places.len());
            for node in &topology.masters {
                prop_assert!(node.epoch <= topology.epoch && !node.names.is_empty());
                prop_assert!(node.slots.iter().all(|range| range.start() <= range.end() && usize::from(*range.end()) < SLOTS));
            }
        }
    }

    #[test]
    fn what_is_not_an_answer_has_no_masters() {
        for text in ["", "ERR unknown", "aaa bbb", "aaa 1:2@3 master - 0 0 x connected 1"] {
            assert!(Topology::read(text, "localhost", false).masters.is_empty(), "{text}");
        }
    }
}
