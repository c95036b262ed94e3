//! What things are called in Redis.

use std::io::Write;

use redis::{RedisWrite, ToRedisArgs};

use crate::store::Group;

/// The names of one namespace.
///
/// Groups, the clock and the channel have one hash tag, so that a script can act on all of them also in a cluster; a value and the
/// lease of its key have another.
#[derive(Debug)]
pub(super) struct Names {
    /// The prefix and the namespace.
    root: Box<str>,
}

impl Names {
    pub(super) fn new(prefix: &str, namespace: &str) -> Self {
        // Braces say what is hashed: there must be no others. And the last colon says where the namespace begins.
        let prefix = prefix.replace('%', "%25").replace('{', "%7b").replace('}', "%7d");
        let namespace = namespace.replace('%', "%25").replace('{', "%7b").replace('}', "%7d").replace(':', "%3a");
        Self { root: format!("{prefix}:{namespace}").into() }
    }

    /// Names the value of a key, which has no braces.
    pub(super) fn value(&self, key: &str) -> String {
        self.value_in_parts(key).0.concat()
    }

    /// The same, to be written into a command.
    pub(super) fn value_in_parts<'a>(&'a self, key: &'a str) -> Parts<'a> {
        Parts([&self.root, ":v:{", key, "}"])
    }

    /// Names the lease of a key.
    pub(super) fn lease(&self, key: &str) -> String {
        format!("{}:l:{{{key}}}", self.root)
    }

    /// Names what says that somebody waits for a key.
    pub(super) fn waiters(&self, key: &str) -> String {
        format!("{}:w:{{{key}}}", self.root)
    }

    /// Names the structure of a key.
    pub(super) fn structure(&self, key: &str) -> String {
        format!("{}:s:{{{key}}}", self.root)
    }

    /// Names the lock of a key, and its last token.
    pub(super) fn lock(&self, key: &str) -> [String; 2] {
        [format!("{}:x:{{{key}}}", self.root), format!("{}:n:{{{key}}}", self.root)]
    }

    /// Names the note that an update of a key is under way.
    pub(super) fn update(&self, key: &str) -> String {
        format!("{}:u:{{{key}}}", self.root)
    }

    /// Names what is noted of a key in the index.
    pub(super) fn note(&self, key: &str) -> String {
        format!("{}:i:{{{key}}}", self.root)
    }

    /// Returns the pattern of all names that [`note`](Self::note) gives.
    pub(super) fn of_notes(&self) -> String {
        format!("{}:i:{{*}}", escaped(&self.root))
    }

    /// Returns the place of a tag in the index, which has no braces: another one for each tag.
    pub(super) fn place_of_tag(&self, tag: &str) -> String {
        format!("t:{}", tag.replace('%', "%25").replace('{', "%7b").replace('}', "%7d"))
    }

    /// Returns the place of all tags in the index.
    pub(super) fn place_of_tags(&self) -> String {
        "tags".to_owned()
    }

    /// Names the sorted set at a place of the index. It is in the slot of a key of that name.
    pub(super) fn members(&self, place: &str) -> String {
        format!("{}:j:{{{place}}}", self.root)
    }

    /// Returns the pattern of all that [`key`](Self::key) knows.
    pub(super) fn of_keys(&self) -> String {
        format!("{}:[vlu]:{{*}}", escaped(&self.root))
    }

    /// Returns the key that something belongs to, by its name: a value, a lease, or the note of an update.
    pub(super) fn key<'a>(&self, name: &'a str) -> Option<&'a str> {
        let (kind, key) = name.strip_prefix(&*self.root)?.strip_prefix(':')?.split_once(":{")?;
        matches!(kind, "v" | "l" | "u").then(|| key.strip_suffix('}')).flatten()
    }

    /// Names the clock of a group.
    pub(super) fn group(&self, group: &Group) -> String {
        self.group_in_parts(group).0.concat()
    }

    /// The same, to be written into a command.
    pub(super) fn group_in_parts<'a>(&'a self, group: &'a Group) -> Parts<'a> {
        Parts(["{", &self.root, "}:g:", group.as_str()])
    }

    /// Names the clock.
    pub(super) fn clock(&self) -> String {
        format!("{{{}}}:clock", self.root)
    }

    /// Names what is noted of servers.
    pub(super) fn servers(&self) -> String {
        format!("{{{}}}:servers", self.root)
    }

    /// Names the channel of notices.
    pub(super) fn channel(&self) -> String {
        format!("{}:notices", self.root)
    }
}

/// A name that is put together where it is written: on the path of every hit.
pub(super) struct Parts<'a>([&'a str; 4]);

impl ToRedisArgs for Parts<'_> {
    fn write_redis_args<W: RedisWrite + ?Sized>(&self, out: &mut W) {
        let mut argument = out.writer_for_next_arg();
        for part in self.0 {
            argument.write_all(part.as_bytes()).expect("a command takes all that is written to it");
        }
    }
}

/// Writes text as a pattern that it alone fits.
fn escaped(text: &str) -> String {
    let escape = |c: char| matches!(c, '*' | '?' | '[' | ']' | '\\').then_some('\\').into_iter().chain([c]);
    text.chars().flat_map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_its_names() {
        let names = Names::new("cx", "sh*p");
        for name in [names.value("k:{#1"), names.lease("k:{#1"), names.update("k:{#1")] {
            assert_eq!(names.key(&name), Some("k:{#1"));
        }
        assert_eq!(names.key(&names.waiters("k")), None);
        assert_eq!(names.key(&Names::new("cx", "shop").value("k")), None);
        assert_eq!(names.of_keys(), r"cx:sh\*p:[vlu]:{*}");
    }

    #[test]
    fn no_two_namespaces_have_one_name() {
        let pairs =
            [("cx", "a{"), ("cx", "a}"), ("cx", "a_"), ("cx", "a%7b"), ("cx", "a:b"), ("cx:a", "b"), ("cx:a:b", "")];
        let names: std::collections::BTreeSet<_> =
            pairs.iter().map(|(prefix, namespace)| Names::new(prefix, namespace).clock()).collect();
        assert_eq!(names.len(), pairs.len());
    }

    #[test]
    fn what_one_script_acts_on_has_one_hash_tag() {
        let names = Names::new("cx", "sh{o}p");
        let tag = |name: String| {
            name.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag.to_owned())
        };
        assert_eq!(tag(names.clock()), Some("cx:sh%7bo%7dp".to_owned()));
        assert_eq!(tag(names.group(&Group::tag("a{b}"))), tag(names.clock()));
        assert_eq!(tag(names.value("k")), Some("k".to_owned()));
        assert_eq!(tag(names.lease("k")), tag(names.waiters("k")));
        let [holder, token] = names.lock("k");
        assert_eq!([tag(holder), tag(token)], [Some("k".to_owned()), Some("k".to_owned())]);
        assert_eq!(tag(names.lease("k")), tag(names.update("k")));
        assert_eq!(tag(names.note("k")), tag(names.value("k")));
    }

    /// Commands are routed by the value of a key: what the index has of a tag must be where the key of its place would be.
    #[test]
    fn what_the_index_has_of_a_tag_is_in_the_slot_it_is_asked_for() {
        use super::super::cluster::slot;
        let names = Names::new("cx", "shop");
        let tags = ["users", "", "a{b}", "a%7bb%7d", "}", "{}"];
        for tag in tags {
            let place = names.place_of_tag(tag);
            assert_eq!(slot(&names.members(&place)), slot(&names.value(&place)), "{tag}");
        }
        let places: std::collections::BTreeSet<_> = tags.iter().map(|tag| names.place_of_tag(tag)).collect();
        assert!(places.len() == tags.len() && !places.contains(&names.place_of_tags()));
    }
}
