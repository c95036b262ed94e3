//! The options of `#[invalidates]` and `#[updates]`, as written.

use proc_macro2::{Ident, TokenStream};
use syn::{Expr, ExprCall, ExprMethodCall, ExprPath, LitStr, Path};

use super::model::Effect;
use crate::attribute::options::{self, Given, Item};
use crate::diag::Mistakes;

/// Every option, for the nearest valid name.
const OPTIONS: &[&str] = &["tags", "cache", "crate"];

/// The options, as written.
#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) entries: Vec<Entry>,
    pub(crate) tags: Vec<LitStr>,
    pub(crate) cache: Option<Expr>,
    pub(crate) root: Option<Path>,
}

/// An entry, named as a call of its cached method.
#[derive(Debug)]
pub(crate) enum Entry {
    /// `Self::find(id)`, `find(id)`, `module::find(id)`.
    Path(ExprPath, ExprCall),
    /// `self.find(id)`.
    Method(ExprMethodCall),
}

impl Entry {
    /// The name of the cached method.
    pub(crate) fn name(&self) -> &Ident {
        match self {
            Self::Path(path, _) => &path.path.segments.last().expect("a path has a segment").ident,
            Self::Method(call) => &call.method,
        }
    }
}

impl Args {
    /// Reads the options.
    pub(crate) fn parse(effect: Effect, tokens: TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut args = Self::default();
        let mut given = Given::default();
        for item in options::parse(tokens, mistakes) {
            match item {
                Item::Named(name, value) => {
                    if given.is_first(&name, mistakes) {
                        args.named(&name, value, mistakes);
                    }
                }
                Item::Each(name, _) => mistakes.at(
                    name.span(),
                    format!("`{name}` is no list of keys; name an entry, as in `Self::find(id)`, or `tags = […]`"),
                ),
                Item::Bare(item) => args.entry(effect, item, mistakes),
            }
        }
        args
    }

    fn named(&mut self, name: &Ident, value: Expr, mistakes: &mut Mistakes) {
        match name.to_string().as_str() {
            "tags" => self.tags = options::tags(value, mistakes),
            "cache" => self.cache = Some(value),
            "crate" => self.root = options::path(name, value, mistakes),
            _ => options::unknown(name, OPTIONS, mistakes),
        }
    }

    fn entry(&mut self, effect: Effect, item: Expr, mistakes: &mut Mistakes) {
        match item {
            Expr::MethodCall(call) => self.entries.push(Entry::Method(call)),
            Expr::Call(call) => match &*call.func {
                Expr::Path(path) if options::flag(&call.func).is_some_and(|name| name == "tags") => {
                    mistakes.under(path, "tags are a list: write `tags = [\"users\", \"user:{id}\"]`")
                }
                Expr::Path(path) => self.entries.push(Entry::Path(path.clone(), call)),
                other => mistakes.under(other, "an entry is named by a call of its method: `Self::find(id)`"),
            },
            other => bare(effect, other, mistakes),
        }
    }
}

fn bare(effect: Effect, item: Expr, mistakes: &mut Mistakes) {
    if let Some(name) = options::flag(&item)
        && OPTIONS.contains(&name.to_string().as_str())
    {
        mistakes.at(name.span(), format!("`{name}` needs a value: `{name} = …`"));
        return;
    }
    let message = match (&item, effect) {
        (Expr::Lit(_), Effect::Invalidates) => "a tag is named in `tags`: write `tags = [\"…\"]`",
        (Expr::Path(_), Effect::Invalidates) => {
            "name the entry with its arguments: `Self::find(id)`; to invalidate all entries of a method give them a tag"
        }
        _ => "name the entry with its arguments: `Self::find(id)`",
    };
    mistakes.under(item, message);
}
