//! What `#[key(…)]` says.

use syn::{Attribute, Path};

use crate::diag::Mistakes;
use crate::settings::{Setting, Written, read};

/// How a field gets into the key.
#[derive(Debug, Default)]
pub(crate) enum How {
    /// By its own `CacheKey`.
    #[default]
    Itself,
    /// Not at all.
    Skip,
    /// By what a function makes of it.
    With(Path),
}

/// Reads the attributes of a type: where the runtime is, if it goes by another name.
pub(crate) fn of_type(attrs: &[Attribute], mistakes: &mut Mistakes) -> Option<Path> {
    let mut root = None;
    for setting in settings(attrs, "crate = path", mistakes) {
        if setting.is("crate") {
            if root.is_some() {
                twice(&setting, mistakes);
            }
            root = setting.path(mistakes).or(root);
        } else if setting.is("skip") || setting.is("with") {
            mistakes
                .at(setting.name.span(), format!("`{}` is an option of a field; move it to the field", setting.name));
        } else {
            setting.unknown(&["crate"], mistakes);
        }
    }
    root
}

/// Refuses attributes of a variant.
pub(crate) fn of_variant(attrs: &[Attribute], mistakes: &mut Mistakes) {
    for setting in settings(attrs, "skip", mistakes) {
        mistakes.at(
            setting.name.span(),
            "a variant has no options: which variant it is always belongs to the key; move this to a field, or remove it",
        );
    }
}

/// Reads the attributes of a field.
pub(crate) fn of_field(attrs: &[Attribute], mistakes: &mut Mistakes) -> How {
    let (mut is_skipped, mut with) = (false, None);
    for setting in settings(attrs, "skip", mistakes) {
        if setting.is("skip") {
            setting.flag(mistakes);
            if std::mem::replace(&mut is_skipped, true) {
                twice(&setting, mistakes);
            }
        } else if setting.is("with") {
            if with.is_some() {
                twice(&setting, mistakes);
            }
            let span = setting.name.span();
            with = setting.path(mistakes).map(|path| (span, path)).or(with);
        } else if setting.is("crate") {
            mistakes.at(setting.name.span(), "`crate` is an option of the type; move it above the type");
        } else {
            setting.unknown(&["skip", "with"], mistakes);
        }
    }
    match with {
        Some((span, _)) if is_skipped => {
            mistakes.at(span, "`with` has no effect on a field that is left out; remove it, or remove `skip`");
            How::Skip
        }
        Some((_, path)) => How::With(path),
        None if is_skipped => How::Skip,
        None => How::Itself,
    }
}

fn settings(attrs: &[Attribute], example: &str, mistakes: &mut Mistakes) -> Vec<Setting> {
    let mut settings = Vec::new();
    for written in read(attrs, "key", mistakes) {
        match written {
            Written::Setting(setting) => settings.push(setting),
            Written::Bare(span) => mistakes.at(
                span,
                format!("`#[key]` says nothing: a field is in the key unless left out; remove it, or write `#[key({example})]`"),
            ),
        }
    }
    settings
}

fn twice(setting: &Setting, mistakes: &mut Mistakes) {
    mistakes.at(setting.name.span(), format!("`{}` is given twice; remove one of them", setting.name));
}
