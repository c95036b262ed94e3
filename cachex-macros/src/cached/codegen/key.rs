//! Which entry: the scope of `self`, then one line for each part.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use super::super::model::Model;
use super::Names;
use crate::attribute::arguments::Argument;
use crate::attribute::{ends, moved_to, ours_at};

/// Spells the lines that write the key, where each argument is a reference.
pub(super) fn of_references(model: &Model, names: &Names) -> TokenStream {
    let scope = scope(model, names, &quote!());
    let parts = match &model.args.key {
        Some(key) => {
            let tokens = key.to_token_stream();
            let bound = model.parts.iter().map(|part| part.bind_borrowed(&tokens, false));
            let written = expression(model, key, names);
            quote!(#(#bound)* #written)
        }
        None => model.parts.iter().map(|part| line(model, part, names)).collect(),
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
            let written = expression(model, key, names);
            quote!({ #(#bound)* #written })
        }
        None => {
            let lines = model.parts.iter().map(|part| {
                let (bound, line) = (part.bind_part(), line(model, part, names));
                quote! {
                    #[allow(clippy::all)]
                    {
                        #bound
                        #line
                    }
                }
            });
            lines.collect()
        }
    };
    quote!(#scope #parts)
}

/// Spells the line that takes the parts of `self`.
fn scope(model: &Model, names: &Names, shared: &TokenStream) -> TokenStream {
    let out = &names.out;
    ask(model, shared, "Parts", &quote!(#out))
}

/// Spells the line that takes the cache of `self`.
pub(super) fn cache_of_self(model: &Model, names: &Names, shared: &TokenStream) -> TokenStream {
    let call = &names.call;
    ask(model, shared, "Cache", &quote!(#call))
}

/// Spells a question to `self`.
fn ask(model: &Model, shared: &TokenStream, what: &str, answer: &TokenStream) -> TokenStream {
    let Some(receiver) = &model.function.receiver else { return TokenStream::new() };
    let span = ours_at(receiver.span);
    let [scope, ask] = ["scope", "Ask"].map(|name| model.runtime.private_at(name, span));
    let what = Ident::new(what, span);
    let this = if shared.is_empty() { Ident::new("self", receiver.span).into_token_stream() } else { shared.clone() };
    quote_spanned!(span=> #scope(#this, #ask::#what(&mut *#answer));)
}

/// One part of the key, from a reference; an error about it shows under the argument's type.
fn line(model: &Model, part: &Argument, names: &Names) -> TokenStream {
    let (first, last) = ends(&part.ty);
    let out = &names.out;
    let write = model.runtime.private_at("part", first);
    let name = moved_to(&part.name, last);
    // Of one hygiene with the name, else the two have no place in common.
    let part = quote_spanned!(first.resolved_at(name.span())=> &*);
    quote_spanned!(first=> #write(#part #name, #out);)
}

fn expression(model: &Model, key: &syn::Expr, names: &Names) -> TokenStream {
    let span = ours_at(key.span());
    let out = &names.out;
    let write = model.runtime.private_at("part", span);
    quote_spanned!(span=> #write(&(#key), #out);)
}
