//! What the attributes share: from the tokens of an attribute and its item to options, a function and its arguments.
//!
//! Reading order: [`options`] (the syntax between the brackets), [`time_span`] (durations), [`function`] and [`arguments`] (the
//! annotated item), [`template`] (tags), [`mentions`] (who uses which name), [`replace_self`] (bodies that outlive the call),
//! [`spell`] (tokens as text).

pub(crate) mod arguments;
pub(crate) mod function;
pub(crate) mod mentions;
pub(crate) mod options;
pub(crate) mod replace_self;
pub(crate) mod spell;
pub(crate) mod template;
pub(crate) mod time_span;

use proc_macro2::{Ident, Span};
use quote::ToTokens;

/// Makes the name of a local that no name of the user's can meet.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Returns the place of `span` with our own hygiene: errors show there, names do not leak.
pub(crate) fn ours_at(span: Span) -> Span {
    span.resolved_at(Span::mixed_site())
}

/// Returns the places of the first and of the last token: an expression from one to the other shows under all.
pub(crate) fn ends(tokens: impl ToTokens) -> (Span, Span) {
    let mut spans = tokens.into_token_stream().into_iter().map(|token| ours_at(token.span()));
    let first = spans.next().unwrap_or_else(Span::mixed_site);
    (first, spans.last().unwrap_or(first))
}

/// Returns the same name, so that errors about it show at `span`.
pub(crate) fn moved_to(name: &Ident, span: Span) -> Ident {
    let mut name = name.clone();
    name.set_span(span.resolved_at(name.span()));
    name
}
