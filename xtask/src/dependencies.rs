//! What we stand on: licences, sources and the oldest compiler, by what `cargo metadata` says.
//!
//! This is the part of cargo-deny that needs no further tool; `cargo xtask deny` runs all of it. The accepted licences
//! and sources are those of `deny.toml`.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::licence::is_acceptable;
use crate::workspace::{Package, Workspace, release};

/// Checks every crate that we depend on, and says how many there are.
pub(crate) fn check(workspace: &Workspace) -> Result<String, String> {
    let text = std::fs::read_to_string("deny.toml").map_err(|error| format!("`deny.toml` can't be read: {error}"))?;
    let rules = Rules::parse(&text)?;
    let mistakes: Vec<_> = workspace.others.iter().flat_map(|package| rules.mistakes(package)).collect();
    if !mistakes.is_empty() {
        return Err(mistakes.join("\n"));
    }
    Ok(format!(
        "{} crates: licences and sources as in deny.toml, none needs a newer Rust than what stands on it\n{}\n\
         security advisories are not checked here: cargo xtask deny",
        workspace.others.len(),
        doubles(&workspace.others)
    ))
}

/// What `deny.toml` says, as far as it is checked here.
struct Rules {
    licences: Vec<String>,
    sources: Vec<String>,
}

impl Rules {
    fn parse(text: &str) -> Result<Self, String> {
        let table = DeTable::parse(text).map_err(|error| format!("`deny.toml` is not TOML: {error}"))?;
        let strings = |section: &str, key: &str| {
            let list = table.get_ref().get(section).and_then(|section| section.get_ref().get(key));
            let list = list.and_then(|list| list.get_ref().as_array());
            let list = list.ok_or_else(|| format!("`deny.toml` has no list `{section}.{key}`"))?;
            Ok::<_, String>(
                list.iter().map(|item| item.get_ref()).filter_map(DeValue::as_str).map(str::to_owned).collect(),
            )
        };
        Ok(Self { licences: strings("licenses", "allow")?, sources: strings("sources", "allow-registry")? })
    }

    fn mistakes(&self, package: &Package) -> Vec<String> {
        let crate_ = format!("{} {}", package.name, package.version);
        let mut mistakes = Vec::new();
        match &package.licence {
            None => mistakes.push(format!("{crate_} names no licence; do without it")),
            Some(licence) if !is_acceptable(licence, &self.licences) => mistakes
                .push(format!("{crate_} has licence `{licence}`; do without it, or accept the licence in deny.toml")),
            Some(_) => {}
        }
        let source = package.source.as_deref().unwrap_or("a path");
        if !self.sources.iter().any(|known| source.ends_with(known.as_str())) {
            mistakes.push(format!("{crate_} comes from {source}; take it from a registry that deny.toml allows"));
        }
        match (&package.rust_version, &package.oldest) {
            (_, None) => mistakes.push(format!(
                "no crate that stands on {crate_} declares a `rust-version`; add it to their Cargo.toml"
            )),
            (Some(theirs), Some(ours)) if release(theirs) > release(ours) => mistakes.push(format!(
                "{crate_} needs Rust {theirs}, what stands on it promises {ours}; take an older version, or raise that \
                 `rust-version`"
            )),
            _ => {}
        }
        mistakes
    }
}

/// Names the crates that are there in several versions: worth a look, not a mistake.
fn doubles(packages: &[Package]) -> String {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    let doubles = versions.iter().filter(|(_, versions)| versions.len() > 1);
    let doubles: Vec<_> = doubles.map(|(name, versions)| format!("{name} ({})", versions.join(", "))).collect();
    format!("in several versions: {}", if doubles.is_empty() { "none".to_owned() } else { doubles.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "[licenses]\nallow = [\"MIT\"]\n[sources]\nallow-registry = [\"/crates.io-index\"]\n";

    fn check(change: impl FnOnce(&mut Package), expected: &[&str]) {
        let mut package = Package {
            name: "other".to_owned(),
            version: "1.2.3".to_owned(),
            licence: Some("MIT".to_owned()),
            rust_version: Some("1.85".to_owned()),
            oldest: Some("1.90".to_owned()),
            source: Some("registry+https://example.com/crates.io-index".to_owned()),
            features: Vec::new(),
            has_default: false,
            checked: Vec::new(),
        };
        change(&mut package);
        assert_eq!(Rules::parse(RULES).unwrap().mistakes(&package), expected);
    }

    #[test]
    fn a_crate_is_checked_in_each_respect() {
        check(|_| {}, &[]);
        check(|package| package.licence = None, &["other 1.2.3 names no licence; do without it"]);
        let licence = "other 1.2.3 has licence `GPL-3.0`; do without it, or accept the licence in deny.toml";
        check(|package| package.licence = Some("GPL-3.0".to_owned()), &[licence]);
        let source = "other 1.2.3 comes from a path; take it from a registry that deny.toml allows";
        check(|package| package.source = None, &[source]);
        let version = "other 1.2.3 needs Rust 1.90.1, what stands on it promises 1.90; take an older version, or raise \
                       that `rust-version`";
        check(|package| package.rust_version = Some("1.90.1".to_owned()), &[version]);
        let unknown = "no crate that stands on other 1.2.3 declares a `rust-version`; add it to their Cargo.toml";
        check(|package| package.oldest = None, &[unknown]);
        check(|package| package.rust_version = Some("1.90.0".to_owned()), &[]);
    }

    #[test]
    fn rules_without_a_list_are_refused() {
        assert_eq!(Rules::parse("").err().unwrap(), "`deny.toml` has no list `licenses.allow`");
    }
}
