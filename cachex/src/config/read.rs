//! A tree goes in, settings or all mistakes in it come out.

use std::collections::BTreeMap;

use super::schema::{self, Setting};
use super::tree::{Node, Place, Value};
use super::{FileSettings, MemcachedSettings, RedisSettings, Section, Settings, check};
use crate::error::{Error, nearest};
use crate::policy::MethodSettings;

/// All that is wrong in the sources, each with its place.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<(Place, String)>);

impl Mistakes {
    pub(super) fn add(&mut self, place: Place, text: String) {
        self.0.push((place, text));
    }

    /// Turns the mistakes into one error, a line for each in the order of the places.
    pub(super) fn into_result(mut self) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort();
        let lines: Vec<_> = self.0.iter().map(|(place, text)| format!("{place}{text}")).collect();
        Err(Error::configuration(lines.join("\n")))
    }
}

/// Reads settings; mistakes that were found before are reported with those found here.
pub(super) fn settings(tree: &Node, mut mistakes: Mistakes) -> Result<Settings, Error> {
    let mut settings = Settings::default();
    let Some(table) = table(tree, "the configuration", &mut mistakes) else {
        mistakes.into_result()?;
        return Ok(settings);
    };
    for (key, node) in table {
        match key.as_str() {
            "memory" => section(key, node, schema::MEMORY, &mut settings.memory, &mut mistakes),
            "redis" if !node.value.is_nothing() => {
                let redis = settings.redis.get_or_insert_with(|| RedisSettings::new(""));
                section(key, node, schema::REDIS, redis, &mut mistakes);
            }
            "file" if !node.value.is_nothing() => {
                let file = settings.file.get_or_insert_with(|| FileSettings::new(""));
                section(key, node, schema::FILE, file, &mut mistakes);
            }
            "memcached" if !node.value.is_nothing() => {
                let memcached = settings.memcached.get_or_insert_with(|| MemcachedSettings::new([""; 0]));
                section(key, node, schema::MEMCACHED, memcached, &mut mistakes);
            }
            "redis" | "file" | "memcached" => {}
            "remote" => section(key, node, schema::REMOTE, &mut settings.remote, &mut mistakes),
            "defaults" => section(key, node, schema::METHOD, &mut settings.defaults, &mut mistakes),
            "methods" => methods(node, &mut settings, &mut mistakes),
            key => setting("", key, node, schema::ROOT, &mut settings, &mut mistakes),
        }
    }
    for (path, text) in check::mistakes(&settings) {
        let place = tree.place_of(&path).clone();
        mistakes.add(place, format!("`{}` {text}", written(&path)));
    }
    mistakes.into_result()?;
    Ok(settings)
}

fn methods(node: &Node, settings: &mut Settings, mistakes: &mut Mistakes) {
    let Some(methods) = table(node, "`methods`", mistakes) else { return };
    for (name, node) in methods {
        let mut method = MethodSettings::new();
        section(&written(&["methods", name]), node, schema::METHOD, &mut method, mistakes);
        settings.methods.insert(name.clone(), method);
        settings.places.0.insert(name.clone(), places(node));
    }
}

/// Collects where each setting of a method is written, without those that say nothing.
fn places(node: &Node) -> Section {
    let settings = match &node.value {
        Value::Table(table) => table.iter().filter(|(_, node)| !node.value.is_nothing()).collect(),
        _ => Vec::new(),
    };
    let settings = settings.into_iter().map(|(key, node)| (key.clone(), node.place.clone())).collect();
    Section { whole: node.place.clone(), settings }
}

fn section<T>(name: &str, node: &Node, known: &[Setting<T>], into: &mut T, mistakes: &mut Mistakes) {
    let Some(table) = table(node, &format!("`{name}`"), mistakes) else { return };
    for (key, node) in table {
        setting(name, key, node, known, into, mistakes);
    }
}

fn setting<T>(section: &str, key: &str, node: &Node, known: &[Setting<T>], into: &mut T, mistakes: &mut Mistakes) {
    let path = join(section, key);
    let text = match known.iter().find(|setting| setting.name == key) {
        Some(_) if node.value.is_nothing() && !is_store(&path, &node.value) => return,
        Some(setting) => match (setting.read)(&node.value, into) {
            Ok(()) => return,
            Err(text) => format!("`{path}` {text}"),
        },
        None => match meant(section, key, known.iter().map(|setting| setting.name)) {
            Some(meant) => format!("unknown key `{path}`; did you mean `{meant}`?"),
            None => format!("unknown key `{path}`; remove it"),
        },
    };
    mistakes.add(node.place.clone(), text);
}

/// Whether `null` is the name of a store, and not a way to say nothing.
fn is_store(path: &str, value: &Value) -> bool {
    path == "remote.store" && *value == Value::Plain("null".to_owned())
}

/// Returns the key that was meant by an unknown one: one with a near name here, or else one of its name elsewhere.
fn meant<'a>(section: &str, key: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let sections: &[&str] = if section.is_empty() { &schema::SECTIONS } else { &[] };
    if let Some(name) = nearest(key, known.chain(sections.iter().copied())) {
        return Some(join(section, name));
    }
    let leaf = key.rsplit('.').next().unwrap_or(key);
    schema::paths().find(|path| path.rsplit('.').next() == Some(leaf))
}

/// Returns the keys of a table; what is no table is a mistake, and nothing at all is a table without keys.
fn table<'a>(node: &'a Node, name: &str, mistakes: &mut Mistakes) -> Option<&'a BTreeMap<String, Node>> {
    static EMPTY: BTreeMap<String, Node> = BTreeMap::new();
    match &node.value {
        Value::Table(table) => Some(table),
        value if value.is_nothing() => Some(&EMPTY),
        other => {
            mistakes.add(
                node.place.clone(),
                format!("{name} is not a table of settings: {}; write its keys under it", other.kind()),
            );
            None
        }
    }
}

fn join(section: &str, key: &str) -> String {
    let key = quoted(key);
    if section.is_empty() { key } else { format!("{section}.{key}") }
}

/// Writes a path as it stands in TOML.
pub(super) fn written(path: &[&str]) -> String {
    let keys: Vec<_> = path.iter().map(|key| quoted(key)).collect();
    keys.join(".")
}

fn quoted(key: &str) -> String {
    let is_bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_bare { key.to_owned() } else { format!("\"{key}\"") }
}
