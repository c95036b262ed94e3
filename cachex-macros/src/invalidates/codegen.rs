//! The tokens of `#[invalidates]` and `#[updates]`: effects noted before the body, done after it.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Block, Expr};

use super::args::Entry;
use super::model::Model;
use crate::attribute::arguments::hidden;
use crate::attribute::function::Kind;
use crate::attribute::{local, moved_to, ours_at};

/// Spells the function with its effects.
pub(crate) fn expand(model: &Model) -> TokenStream {
    let function = &model.function;
    let mut item = function.item.clone();
    match (function.kind, function.boxed_body()) {
        (Kind::Boxed, Some(inner)) => {
            let wrapped = wrapped(model, &inner.block);
            replace_boxed(&mut item.block, syn::parse_quote!({ #wrapped }));
        }
        _ => {
            let wrapped = wrapped(model, &item.block);
            *item.block = syn::parse_quote!({ #wrapped });
        }
    }
    item.into_token_stream()
}

fn replace_boxed(body: &mut Block, inner: Block) {
    if let [syn::Stmt::Expr(Expr::Call(call), None)] = body.stmts.as_mut_slice()
        && let Some(Expr::Async(block)) = call.args.first_mut()
    {
        block.block = inner;
    }
}

/// Spells the effects and the one call of the runtime.
fn wrapped(model: &Model, body: &Block) -> TokenStream {
    let function = &model.function;
    let effects = local("effects");
    let noted = noted(model, &effects);
    let output = &function.output;
    let subject = match &model.updated {
        Some(entry) => updated(model, entry),
        None => model.runtime.probe(output),
    };
    let statements = &body.stmts;
    let body = if function.is_async() {
        let typed = model.runtime.private("typed");
        quote!(#typed::<#output, _>(async move { #(#statements)* }))
    } else {
        quote!(move || -> #output { #(#statements)* })
    };
    let name = match (model.updated.is_some(), function.is_async()) {
        (false, false) => "invalidates",
        (false, true) => "invalidates_async",
        (true, false) => "updates",
        (true, true) => "updates_async",
    };
    let run = model.runtime.private(name);
    // One type is given, so that another is one mistake: at the entry.
    let run = if model.updated.is_some() { quote!(#run::<#output, _>) } else { run };
    let subject_name = match &model.updated {
        Some(entry) => Ident::new("subject", ours_at(entry.name().span())),
        None => local("subject"),
    };
    let awaited = function.is_async().then(|| quote!(.await));
    quote! {
        #noted
        let #subject_name = #subject;
        #run(#effects, #subject_name, #body)#awaited
    }
}

/// Spells the lines that note what is to be invalidated.
fn noted(model: &Model, effects: &Ident) -> TokenStream {
    let effects_type = model.runtime.private("Effects");
    let is_noted = model.args.cache.is_some()
        || model.function.receiver.is_some()
        || !model.tags.is_empty()
        || !model.args.entries.is_empty();
    if !is_noted {
        return quote!(let #effects = #effects_type::new(););
    }
    let cache = match (&model.args.cache, &model.function.receiver) {
        (Some(cache), _) => quote_spanned!(ours_at(cache.span())=> #effects.cache(&(#cache));),
        (None, Some(receiver)) => {
            let shared = &receiver.shared;
            quote_spanned!(ours_at(receiver.span)=> #effects.scope(#shared);)
        }
        (None, None) => TokenStream::new(),
    };
    let tags = model.tags.iter().map(|tag| {
        let value = tag.tokens(&model.runtime);
        quote_spanned!(ours_at(tag.span())=> #effects.tag(#value);)
    });
    let keys = model.args.entries.iter().map(|entry| {
        let entry = called(model, entry, |method| hidden(method, "_entry"));
        quote!(#effects.entry(#entry);)
    });
    quote! {
        let mut #effects = #effects_type::new();
        #cache
        #(#tags)*
        #(#keys)*
    }
}

/// Spells the entry that gets the value: its type is that of the method, which the body's must be too.
fn updated(model: &Model, entry: &Entry) -> TokenStream {
    called(model, entry, |method| hidden(method, "_update"))
}

/// Spells a call of a companion in place of the call that names an entry.
fn called(model: &Model, entry: &Entry, companion: impl FnOnce(&Ident) -> Ident) -> TokenStream {
    match entry {
        Entry::Path(path, call) => {
            let mut path = path.clone();
            let is_self = path.path.segments.len() == 2 && path.path.segments[0].ident == "Self";
            if let Some(last) = path.path.segments.last_mut() {
                last.ident = moved_to(&companion(&last.ident), last.ident.span());
            }
            let receiver = model.function.receiver.as_ref().filter(|_| is_self);
            let receiver = receiver.map(|receiver| receiver.shared.clone());
            let arguments = receiver.into_iter().chain(call.args.iter().map(borrowed));
            quote_spanned!(call.paren_token.span.join()=> #path(#(#arguments),*))
        }
        Entry::Method(call) => {
            let (receiver, turbofish) = (&call.receiver, &call.turbofish);
            let method = companion(&call.method);
            let arguments = call.args.iter().map(borrowed);
            quote_spanned!(call.paren_token.span.join()=> #receiver.#method #turbofish(#(#arguments),*))
        }
    }
}

fn borrowed(argument: &Expr) -> TokenStream {
    quote_spanned!(ours_at(argument.span())=> &(#argument))
}
