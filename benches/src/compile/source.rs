//! The generated crates.

/// Whether the methods are annotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Annotated,
}

/// How many methods a type has.
const METHODS_OF_A_TYPE: usize = 20;

/// A method: its options, its signature without the name, and its body.
struct Shape {
    options: &'static str,
    prefix: &'static str,
    signature: &'static str,
    body: &'static str,
}

/// The methods there are, in turns.
const SHAPES: [Shape; 5] = [
    Shape {
        options: r#"ttl = "5m", tags = ["users", "user:{id}"]"#,
        prefix: "async fn",
        signature: "(&self, id: u64) -> Result<Option<String>, Error>",
        body: "Ok((id > self.0).then(|| id.to_string()))",
    },
    Shape {
        options: r#"ttl = "1m", tags = ["users"]"#,
        prefix: "fn",
        signature: "(&self, text: &str, limit: u32) -> Result<Vec<String>, Error>",
        body: "text.split(' ').take(limit as usize).map(|word| Ok(word.to_owned())).collect()",
    },
    Shape { options: r#"ttl = "30s""#, prefix: "async fn", signature: "(&self) -> u64", body: "self.0 + 1" },
    Shape {
        options: r#"ttl = "1h", negative_ttl = "10s", tags = ["prices", "price:{id}:{currency}"]"#,
        prefix: "fn",
        signature: "(&self, id: u64, currency: &str) -> Result<Option<Arc<str>>, Error>",
        body: "if currency.is_empty() { Err(Error) } else { Ok(Some(format!(\"{id}{currency}{}\", self.0).into())) }",
    },
    Shape {
        options: r#"ttl = "10m", tags = ["pages"]"#,
        prefix: "async fn",
        signature: "(&self, filter: &[u64], page: Option<u32>) -> Result<Arc<[u64]>, Error>",
        body: "Ok(filter.iter().map(|id| id + self.0).skip(page.unwrap_or(0) as usize).collect())",
    },
];

/// Writes the crate's only file.
pub(crate) fn library(style: Style, methods: usize) -> String {
    let mut source = "\
#![allow(dead_code)]
use std::sync::Arc;

#[derive(Debug, Clone)]
pub struct Error;
"
    .to_owned();
    for first in (0..methods).step_by(METHODS_OF_A_TYPE) {
        let number = first / METHODS_OF_A_TYPE;
        if style == Style::Annotated {
            source.push_str("\n#[derive(cachex::CacheScope)]");
        }
        source.push_str(&format!("\npub struct Type{number}(u64);\n\nimpl Type{number} {{\n"));
        for index in first..methods.min(first + METHODS_OF_A_TYPE) {
            source.push_str(&method(style, index));
        }
        source.push_str("}\n");
    }
    source
}

fn method(style: Style, index: usize) -> String {
    let Shape { options, prefix, signature, body } = &SHAPES[index % SHAPES.len()];
    let attribute = match style {
        Style::Plain => String::new(),
        Style::Annotated => format!("    #[cachex::cached({options})]\n"),
    };
    format!("{attribute}    pub {prefix} method{index}{signature} {{\n        {body}\n    }}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_methods_as_asked_for_and_all_annotated_or_none() {
        let (plain, annotated) = (library(Style::Plain, 45), library(Style::Annotated, 45));
        assert_eq!(plain.matches("fn method").count(), 45);
        assert_eq!(plain.matches("pub struct Type").count(), 3);
        assert_eq!(plain.matches("cachex").count(), 0);
        assert_eq!(annotated.matches("#[cachex::cached").count(), 45);
        let without: Vec<_> = annotated.lines().filter(|line| !line.trim_start().starts_with("#[cachex")).collect();
        let without_derives: Vec<_> = without.into_iter().filter(|line| !line.contains("CacheScope")).collect();
        assert_eq!(without_derives, plain.lines().collect::<Vec<_>>());
    }
}
