//! Which entry: the scope of `self`, then one line for each part.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use super::super::model::Model;
use super::Names;
use crate::attribute::{moved_to, ours_at};

/// Spells the lines that write the key, where each argument is a reference.
pub(super) fn of_references(model: &Model, names: &Names) -> TokenStream {
    let scope = scope(model, names, &quote!());
    let parts = match &model.args.key {
        Some(key) => {
            let tokens = key.to_token_stream();
            let bound = model.parts.iter().map(|part| part.bind_borrowed(&tokens, false));
            let written = expression(key, names);
            quote!(#(#bound)* #written)
        }
        None => model.parts.iter().map(|part| line(part.type_span(), &part.name, &quote!(), names)).collect(),
    };
    quote!(#scope #parts)
}

/// Spells the same inside the function, where each argument is there by value.
pub(super) fn of_values(model: &Model, names: &Names) -> TokenStream {
    let shared = model.function.receiver.as_ref().map(|receiver| receiver.shared.clone());
    let scope = scope(model, names, &shared.unwrap_or_default());
    let parts = match &model.args.key {
        Some(key) => {
            let tokens = key.to_token_stream();
            let bound = model.parts.iter().map(|part| part.bind_borrowed(&tokens, true));
            let written = expression(key, names);
            quote!({ #(#bound)* #written })
        }
        None => {
            let lines = model.parts.iter().map(|part| {
                let sign = if matches!(part.ty, syn::Type::Reference(_)) { quote!() } else { quote!(&) };
                line(part.type_span(), &part.name, &sign, names)
            });
            lines.collect()
        }
    };
    quote!(#scope #parts)
}

fn scope(model: &Model, names: &Names, shared: &TokenStream) -> TokenStream {
    let Some(receiver) = &model.function.receiver else { return TokenStream::new() };
    let call = &names.call;
    let span = ours_at(receiver.span);
    let this = if shared.is_empty() { Ident::new("self", receiver.span).into_token_stream() } else { shared.clone() };
    quote_spanned!(span=> #call.scope(#this);)
}

fn line(at: proc_macro2::Span, name: &Ident, sign: &TokenStream, names: &Names) -> TokenStream {
    let span = ours_at(at);
    let call = &names.call;
    let name = moved_to(name, at);
    quote_spanned!(span=> #call.part(#sign #name);)
}

fn expression(key: &syn::Expr, names: &Names) -> TokenStream {
    let span = ours_at(key.span());
    let call = &names.call;
    quote_spanned!(span=> #call.part(&(#key));)
}
