//! What `#[scope]` says.

use proc_macro2::Span;
use syn::{Attribute, Path};

use crate::diag::Mistakes;
use crate::settings::{Setting, Written, read};

/// What a field is to the type's methods.
#[derive(Debug)]
pub(crate) enum Role {
    /// It changes nothing of what they return.
    None,
    /// A part of every key.
    Part,
    /// The cache they use; the place of the mark.
    Cache(Span),
}

/// Reads the attributes of a type: where the runtime is, if it goes by another name.
pub(crate) fn of_type(attrs: &[Attribute], mistakes: &mut Mistakes) -> Option<Path> {
    let mut root = None;
    for written in read(attrs, "scope", mistakes) {
        match written {
            Written::Bare(span) => {
                mistakes
                    .at(span, "`#[scope]` marks a field; move it to each field that changes what the methods return");
            }
            Written::Setting(setting) if setting.is("crate") => {
                if root.is_some() {
                    twice(&setting, mistakes);
                }
                root = setting.path(mistakes).or(root);
            }
            Written::Setting(setting) if setting.is("cache") => {
                mistakes
                    .at(setting.name.span(), "`cache` marks a field; move it to the field that is the cache to use");
            }
            Written::Setting(setting) => setting.unknown(&["crate"], mistakes),
        }
    }
    root
}

/// Reads the attributes of a field.
pub(crate) fn of_field(attrs: &[Attribute], mistakes: &mut Mistakes) -> Role {
    let (mut part, mut cache) = (None, None);
    for written in read(attrs, "scope", mistakes) {
        match written {
            Written::Bare(span) if part.is_some() => mistakes.at(span, "`#[scope]` is given twice; remove one of them"),
            Written::Bare(span) => part = Some(span),
            Written::Setting(setting) if setting.is("cache") => {
                setting.flag(mistakes);
                if cache.is_some() {
                    twice(&setting, mistakes);
                }
                cache = Some(setting.name.span());
            }
            Written::Setting(setting) if setting.is("crate") => {
                mistakes.at(setting.name.span(), "`crate` is an option of the type; move it above the type");
            }
            Written::Setting(setting) => setting.unknown(&["cache"], mistakes),
        }
    }
    match (part, cache) {
        (Some(part), Some(cache)) => {
            mistakes.at(part, "a field is a part of the key or the cache to use, not both; remove one of the marks");
            Role::Cache(cache)
        }
        (Some(_), None) => Role::Part,
        (None, Some(cache)) => Role::Cache(cache),
        (None, None) => Role::None,
    }
}

fn twice(setting: &Setting, mistakes: &mut Mistakes) {
    mistakes.at(setting.name.span(), format!("`{}` is given twice; remove one of them", setting.name));
}
