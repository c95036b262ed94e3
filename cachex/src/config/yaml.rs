//! YAML as a source: text goes in, a tree comes out.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::read::Mistakes;
use super::tree::{Node, Place, Value};

/// The deepest nesting that is read: settings need three.
const DEEPEST: usize = 16;

/// Reads a YAML document. Anchors, aliases and tags are refused: settings have no use for them, and aliases make small
/// files large.
pub(super) fn tree(source: &Arc<str>, text: &str, mistakes: &mut Mistakes) -> Node {
    let mut document = Document { source, events: Parser::new_from_str(text), mistakes, depth: 0 };
    match document.read() {
        Ok(value @ Value::Table(_)) => Node { place: Place::whole(source), value },
        Ok(other) => {
            let text = format!("is not a table of settings: {}; write for example `namespace: shop`", other.kind());
            mistakes.add(Place::whole(source), text);
            Node::empty()
        }
        Err(error) => {
            let place = Place::line(source, error.marker().line());
            mistakes.add(place, format!("is not YAML here: {}", error.info()));
            Node::empty()
        }
    }
}

struct Document<'a, 'm> {
    source: &'a Arc<str>,
    events: Parser<'a, StrInput<'a>>,
    mistakes: &'m mut Mistakes,
    depth: usize,
}

impl<'a> Document<'a, '_> {
    /// Reads the first document; a second one is a mistake.
    fn read(&mut self) -> Result<Value, ScanError> {
        let mut root = None;
        while let Some(event) = self.events.next() {
            let (event, span) = event?;
            match event {
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd => {}
                event if root.is_none() => root = Some(self.value(event, span)?),
                event => {
                    self.mistakes.add(self.place(span), "is a second document; write one document".to_owned());
                    self.value(event, span)?;
                }
            }
        }
        Ok(match root {
            None => Value::Table(BTreeMap::new()),
            Some(value) if value.is_nothing() => Value::Table(BTreeMap::new()),
            Some(value) => value,
        })
    }

    fn place(&self, span: Span) -> Place {
        Place::line(self.source, span.start.line())
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), ScanError> {
        match self.events.next() {
            Some(event) => event,
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// Reads the value that an event begins.
    fn value(&mut self, event: Event<'a>, span: Span) -> Result<Value, ScanError> {
        let (anchor, tag) = match &event {
            Event::Scalar(_, _, anchor, tag) | Event::MappingStart(anchor, tag) | Event::SequenceStart(anchor, tag) => {
                (*anchor, tag.is_some())
            }
            _ => (0, false),
        };
        if anchor != 0 {
            self.mistakes.add(self.place(span), "has an anchor; write the value where it is used".to_owned());
        }
        if tag {
            self.mistakes.add(self.place(span), "has a tag; remove it".to_owned());
        }
        match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) => Ok(Value::Plain(text.into_owned())),
            Event::Scalar(text, ..) => Ok(Value::Text(text.into_owned())),
            Event::MappingStart(..) => self.nested(Self::table),
            Event::SequenceStart(..) => self.nested(Self::list),
            _ => Ok(Value::Other("an alias")),
        }
    }

    /// Reads what lies deeper, up to a limit: the stack has one as well.
    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, ScanError>) -> Result<Value, ScanError> {
        if self.depth == DEEPEST {
            let mut open = 1;
            while open > 0 {
                match self.next()?.0 {
                    Event::MappingStart(..) | Event::SequenceStart(..) => open += 1,
                    Event::MappingEnd | Event::SequenceEnd => open -= 1,
                    Event::StreamEnd => break,
                    _ => {}
                }
            }
            return Ok(Value::Other("nested too deeply"));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn list(&mut self) -> Result<Value, ScanError> {
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, _) => return Ok(Value::Other("a list")),
                (event, span) => drop(self.value(event, span)?),
            }
        }
    }

    fn table(&mut self) -> Result<Value, ScanError> {
        let mut table = BTreeMap::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                return Ok(Value::Table(table));
            }
            let key = self.value(event, span)?;
            let (event, value_span) = self.next()?;
            let value = self.value(event, value_span)?;
            let place = self.place(span);
            match key {
                Value::Text(key) | Value::Plain(key) => match table.entry(key) {
                    Entry::Vacant(free) => {
                        free.insert(Node { place, value });
                    }
                    Entry::Occupied(first) => {
                        self.mistakes.add(place, format!("gives `{}` twice; remove one", first.key()));
                    }
                },
                other => self.mistakes.add(place, format!("has {} as a key; write a name", other.kind())),
            }
        }
    }
}
