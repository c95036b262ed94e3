//! Where entries are kept and in which form: the options that are one of some names.

use proc_macro2::{Ident, Span};
use syn::{Expr, LitStr};

use super::args::Args;
use crate::attribute::options;
use crate::diag::{Mistakes, listed, nearest};

/// One of the names of a type of the runtime.
#[derive(Debug)]
pub(crate) struct Choice {
    /// The variant that the name stands for.
    pub(crate) variant: &'static str,
    pub(crate) literal: LitStr,
}

type Names = [(&'static str, &'static str)];

/// The names of `Tiers`.
pub(crate) const TIERS: &Names = &[("both", "Both"), ("memory", "Memory"), ("remote", "Remote")];
/// The names of `Codec`.
pub(crate) const CODECS: &Names =
    &[("postcard", "Postcard"), ("msgpack", "MessagePack"), ("json", "Json"), ("protobuf", "Protobuf")];
/// The names of `Compression`.
pub(crate) const COMPRESSIONS: &Names = &[("off", "Off"), ("lz4", "Lz4"), ("zstd", "Zstd"), ("gzip", "Gzip")];

impl Choice {
    /// Reads one of `names`.
    pub(crate) fn parse(name: &Ident, value: &Expr, names: &'static Names, mistakes: &mut Mistakes) -> Option<Self> {
        let literal = options::string(name, value, mistakes)?;
        let written = literal.value();
        if let Some((_, variant)) = names.iter().find(|(known, _)| *known == written) {
            return Some(Self { variant, literal });
        }
        let known = || names.iter().map(|(known, _)| *known);
        let mend = match nearest(&written, known()) {
            Some(near) => format!("did you mean `\"{near}\"`?"),
            None => format!("there is {}", listed(known())),
        };
        mistakes.at(literal.span(), format!("`{written}` is no `{name}`; {mend}"));
        None
    }

    pub(crate) fn span(&self) -> Span {
        self.literal.span()
    }
}

/// Notes the choices that contradict each other or can have no effect.
pub(crate) fn check(args: &Args, mistakes: &mut Mistakes) {
    if args.local {
        if let Some(tiers) = args.tiers.as_ref().filter(|tiers| tiers.variant != "Memory") {
            let name = tiers.literal.value();
            mistakes.at(
                tiers.span(),
                format!("`local` keeps values in memory only, which is not `\"{name}\"`; remove one of them"),
            );
        }
        for (name, choice) in [("codec", &args.codec), ("compression", &args.compression)] {
            if let Some(choice) = choice {
                mistakes.at(
                    choice.span(),
                    format!(
                        "`local` keeps values in memory as they are, so `{name}` has no effect; remove one of them"
                    ),
                );
            }
        }
    }
}
