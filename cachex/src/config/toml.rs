//! TOML as a source: text goes in, a tree comes out.

use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::read::Mistakes;
use super::tree::{Node, Place, Value};

/// Reads a TOML document; of one that is no TOML only that is reported, since the rest could be misread.
pub(super) fn tree(source: &Arc<str>, text: &str, mistakes: &mut Mistakes) -> Node {
    let lines = Lines { source, text };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        mistakes.add(lines.place(at), format!("is not TOML here: {}", error.message().replace('\n', "; ")));
    }
    if errors.is_empty() {
        Node { place: Place::whole(source), value: lines.table(table.get_ref()) }
    } else {
        Node::empty()
    }
}

struct Lines<'a> {
    source: &'a Arc<str>,
    text: &'a str,
}

impl Lines<'_> {
    fn place(&self, at: usize) -> Place {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        Place::line(self.source, 1 + before.iter().filter(|byte| **byte == b'\n').count())
    }

    fn table(&self, table: &DeTable<'_>) -> Value {
        let nodes = table.iter().map(|(key, value)| {
            let node = Node { place: self.place(key.span().start), value: self.value(value.get_ref()) };
            (key.get_ref().to_string(), node)
        });
        Value::Table(nodes.collect())
    }

    fn value(&self, value: &DeValue<'_>) -> Value {
        match value {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::Number(number),
                Err(_) => Value::Other("a number too large"),
            },
            DeValue::Float(_) => Value::Other("a number with a fraction"),
            DeValue::Boolean(flag) => Value::Flag(*flag),
            DeValue::Datetime(_) => Value::Other("a date"),
            DeValue::Array(_) => Value::Other("a list"),
            DeValue::Table(table) => self.table(table),
        }
    }
}
