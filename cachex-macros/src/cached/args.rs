//! The options of `#[cached]`, as written.

use proc_macro2::{Ident, Span, TokenStream};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitStr, Path};

use super::forms::{self, Choice};
use crate::attribute::options::{self, Each, Given, Item};
use crate::attribute::time_span::TimeSpan;
use crate::diag::Mistakes;

/// Every option, for the nearest valid name.
const OPTIONS: &[&str] = &[
    "batch",
    "ttl",
    "tti",
    "soft_ttl",
    "grace",
    "negative_ttl",
    "timeout",
    "soft_timeout",
    "refresh_ahead",
    "jitter",
    "tags",
    "tags_with",
    "ttl_with",
    "key",
    "skip",
    "when",
    "unless",
    "cache",
    "name",
    "version",
    "local",
    "tiers",
    "codec",
    "compression",
    "single_flight",
    "cache_err",
    "share_err",
    "weight",
    "in_trait",
    "in_impl",
    "crate",
];

/// The options, as written.
#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) batch: Option<(Span, Option<Each>)>,
    pub(crate) spans: TimeSpans,
    pub(crate) jitter: Option<Expr>,
    pub(crate) tags: Vec<LitStr>,
    pub(crate) tags_with: Option<Expr>,
    pub(crate) ttl_with: Option<Expr>,
    pub(crate) key: Option<Expr>,
    pub(crate) skip: Option<Skip>,
    pub(crate) when: Option<Expr>,
    pub(crate) unless: Option<Expr>,
    pub(crate) cache: Option<Expr>,
    pub(crate) name: Option<LitStr>,
    pub(crate) version: u32,
    pub(crate) local: bool,
    pub(crate) tiers: Option<Choice>,
    pub(crate) codec: Option<Choice>,
    pub(crate) compression: Option<Choice>,
    pub(crate) single_flight: Option<(bool, Span)>,
    pub(crate) cache_err: Option<Expr>,
    pub(crate) share_err: Option<Span>,
    pub(crate) weight: Option<Expr>,
    pub(crate) in_trait: Option<Span>,
    pub(crate) in_impl: Option<Span>,
    pub(crate) root: Option<Path>,
}

/// The durations among the options.
#[derive(Debug, Default)]
pub(crate) struct TimeSpans {
    pub(crate) ttl: Option<TimeSpan>,
    pub(crate) tti: Option<TimeSpan>,
    pub(crate) soft_ttl: Option<TimeSpan>,
    pub(crate) grace: Option<TimeSpan>,
    pub(crate) negative_ttl: Option<TimeSpan>,
    pub(crate) timeout: Option<TimeSpan>,
    pub(crate) soft_timeout: Option<TimeSpan>,
    pub(crate) refresh_ahead: Option<TimeSpan>,
}

/// `skip(…)`.
#[derive(Debug)]
pub(crate) struct Skip {
    pub(crate) span: Span,
    /// The arguments; `_` for those without a name.
    pub(crate) names: Vec<(String, Span)>,
}

impl Args {
    /// Reads the options.
    pub(crate) fn parse(tokens: TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut args = Self::default();
        let mut given = Given::default();
        for item in options::parse(tokens, mistakes) {
            match item {
                Item::Named(name, value) => {
                    if given.is_first(&name, mistakes) {
                        args.named(&name, value, mistakes);
                    }
                }
                Item::Each(name, each) if name == "batch" => {
                    if given.is_first(&name, mistakes) {
                        args.batch = Some((name.span(), Some(each)));
                    }
                }
                Item::Each(name, _) => mistakes
                    .at(name.span(), format!("`{name}` does not name elements; that is what `batch(id in ids)` does")),
                Item::Bare(item) => args.bare(item, &mut given, mistakes),
            }
        }
        args
    }

    fn named(&mut self, name: &Ident, value: Expr, mistakes: &mut Mistakes) {
        if let Some(slot) = self.spans.slot(&name.to_string()) {
            *slot = TimeSpan::parse(name, value, mistakes);
            return;
        }
        match name.to_string().as_str() {
            "jitter" => self.jitter = Some(value),
            "tags" => self.tags = options::tags(value, mistakes),
            "tags_with" => self.tags_with = Some(value),
            "ttl_with" => self.ttl_with = Some(value),
            "key" => self.key = Some(value),
            "when" => self.when = Some(value),
            "unless" => self.unless = Some(value),
            "cache" => self.cache = Some(value),
            "cache_err" => self.cache_err = Some(value),
            "weight" => self.weight = Some(value),
            "name" => self.name = method_name(name, &value, mistakes),
            "version" => self.version = version(&value, mistakes),
            "tiers" => self.tiers = Choice::parse(name, &value, forms::TIERS, mistakes),
            "codec" => self.codec = Choice::parse(name, &value, forms::CODECS, mistakes),
            "compression" => self.compression = Choice::parse(name, &value, forms::COMPRESSIONS, mistakes),
            "single_flight" => self.single_flight = single_flight(&value, mistakes),
            "crate" => self.root = options::path(name, value, mistakes),
            "skip" => mistakes.at(name.span(), "`skip` is a list of arguments: write `skip(argument, …)`"),
            "batch" => {
                mistakes.under(value, "`batch` has no value; write `batch`, or `batch(id in ids)` to name an element")
            }
            "local" | "share_err" | "in_trait" | "in_impl" => {
                mistakes.under(value, format!("`{name}` has no value; write `{name}`"));
            }
            _ => options::unknown(name, OPTIONS, mistakes),
        }
    }

    fn bare(&mut self, item: Expr, given: &mut Given, mistakes: &mut Mistakes) {
        if let Expr::Call(call) = &item
            && let Some(name) = options::flag(&call.func)
        {
            if name == "skip" {
                if given.is_first(name, mistakes) {
                    self.skip = Some(skip(name.span(), &call.args, mistakes));
                }
            } else if name == "batch" {
                mistakes.under(&item, "`batch` names an element and the argument with all of them: `batch(id in ids)`");
            } else if OPTIONS.contains(&name.to_string().as_str()) {
                mistakes.at(name.span(), format!("`{name}` takes no list; write `{name} = …`"));
            } else {
                options::unknown(name, OPTIONS, mistakes);
            }
            return;
        }
        let Some(name) = options::flag(&item) else {
            mistakes.under(item, "not an option; write options as `name = value`, such as `ttl = \"5m\"`");
            return;
        };
        if !given.is_first(name, mistakes) {
            return;
        }
        match name.to_string().as_str() {
            "batch" => self.batch = Some((name.span(), None)),
            "local" => self.local = true,
            "share_err" => self.share_err = Some(name.span()),
            "in_trait" => self.in_trait = Some(name.span()),
            "in_impl" => self.in_impl = Some(name.span()),
            "skip" => mistakes.at(name.span(), "`skip` is a list of arguments: write `skip(argument, …)`"),
            known if OPTIONS.contains(&known) => {
                mistakes.at(name.span(), format!("`{name}` needs a value: `{name} = {}`", example(known)));
            }
            _ => options::unknown(name, OPTIONS, mistakes),
        }
    }
}

impl Args {
    /// Whether values are kept as protobuf messages.
    pub(crate) fn keeps_messages(&self) -> bool {
        self.codec.as_ref().is_some_and(|codec| codec.variant == "Protobuf")
    }
}

impl TimeSpans {
    fn slot(&mut self, name: &str) -> Option<&mut Option<TimeSpan>> {
        Some(match name {
            "ttl" => &mut self.ttl,
            "tti" => &mut self.tti,
            "soft_ttl" => &mut self.soft_ttl,
            "grace" => &mut self.grace,
            "negative_ttl" => &mut self.negative_ttl,
            "timeout" => &mut self.timeout,
            "soft_timeout" => &mut self.soft_timeout,
            "refresh_ahead" => &mut self.refresh_ahead,
            _ => return None,
        })
    }
}

/// A value to show for an option that has none.
fn example(name: &str) -> &'static str {
    match name {
        "jitter" => "\"10%\"",
        "tags" => "[\"users\", \"user:{id}\"]",
        "name" => "\"users.find\"",
        "version" => "2",
        "single_flight" => "false",
        "tiers" => "\"remote\"",
        "codec" => "\"json\"",
        "compression" => "\"zstd\"",
        "key" | "when" | "cache" => "expression",
        "tags_with" | "ttl_with" | "unless" | "cache_err" | "weight" | "crate" => "path::to::it",
        _ => "\"5m\"",
    }
}

fn skip<'a>(span: Span, arguments: impl IntoIterator<Item = &'a Expr>, mistakes: &mut Mistakes) -> Skip {
    let mut names: Vec<(String, Span)> = Vec::new();
    let mut is_empty = true;
    for argument in arguments {
        is_empty = false;
        let name = match argument {
            Expr::Infer(_) => "_".to_owned(),
            other => match options::flag(other) {
                Some(name) => name.to_string(),
                None => {
                    mistakes.under(other, "`skip` takes names of arguments: `skip(trace, clock)`");
                    continue;
                }
            },
        };
        if names.iter().any(|(known, _)| *known == name) {
            mistakes.under(argument, format!("`{name}` is skipped twice; remove one of them"));
        } else {
            names.push((name, argument.span()));
        }
    }
    if is_empty {
        mistakes.at(span, "`skip` names no argument; write `skip(argument, …)`, or remove it");
    }
    Skip { span, names }
}

fn method_name(name: &Ident, value: &Expr, mistakes: &mut Mistakes) -> Option<LitStr> {
    let text = options::string(name, value, mistakes)?;
    if text.value().is_empty() {
        mistakes.at(text.span(), "`name` is empty; write a name, or remove it to use the method's path");
        return None;
    }
    Some(text)
}

fn version(value: &Expr, mistakes: &mut Mistakes) -> u32 {
    if let Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) = value
        && let Ok(number) = number.base10_parse()
    {
        return number;
    }
    mistakes.under(value, "`version` is a number from 0 to 4294967295: `version = 2`");
    0
}

fn single_flight(value: &Expr, mistakes: &mut Mistakes) -> Option<(bool, Span)> {
    if let Expr::Lit(ExprLit { lit: Lit::Bool(joined), .. }) = value {
        return Some((joined.value, joined.span()));
    }
    mistakes.under(value, "`single_flight` is `true` or `false`");
    None
}
