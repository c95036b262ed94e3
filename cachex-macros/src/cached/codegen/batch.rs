//! The annotated function for many keys, with a call of the cache in place of its body.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::super::batch::{Batch, Holder};
use super::super::model::{Model, Placement};
use super::generics::{of_companions, turbofish};
use super::method::{cache, callee, when};
use super::{Names, rules};
use crate::attribute::arguments::{Argument, companion, hidden, hidden_call};
use crate::attribute::template::Template;
use crate::attribute::{ends, local, ours_at};

/// Spells the one call of the runtime, and what it needs.
pub(super) fn call(model: &Model, names: &Names, batch: &Batch) -> TokenStream {
    let runtime = &model.runtime;
    let span = ours_at(model.output_span());
    let Names { call, shape, out, tags, .. } = names;
    let call_type = runtime.private("Call");
    let (cache, when, probed) = (cache(model, names, true), when(model, names), rules::shape(model, names));
    let (keep, value_rules) = (rules::keep(model, names), rules::value_rules(model, names));
    let begin = hidden_call(&model.function.item.sig.ident, model.placement != Placement::Module);
    let begun = beside(model, &begin, &[], &quote!(&mut #call));
    let element = &batch.element.name;
    let parts = parts(model, batch);
    let key = beside(model, &hidden(&model.function.item.sig.ident, "_parts"), &parts, &quote!(#out));
    let named = named(model, names, batch);
    let (keys, load) = (keys(model, batch), load(model, batch));
    let is_async = model.function.is_async();
    let run = runtime.private_at(if is_async { "cached_batch_async" } else { "cached_batch" }, span);
    let awaited = is_async.then(|| quote_spanned!(span=> .await));
    let run = quote_spanned! {span=>
        #run(#call, #keys, (#shape, #keep, #value_rules), |#element, #out| #key, |#element, #tags| { #named }, #load) #awaited
    };
    quote! {
        let mut #call = #call_type::new();
        #cache
        #begun;
        #when
        #probed
        #run
    }
}

/// Spells the arguments of the companion that writes the key, where the element is there by reference and the others are as declared.
fn parts(model: &Model, batch: &Batch) -> Vec<TokenStream> {
    let of_one = |part: &Argument| part.name == batch.element.name;
    let parts = model.parts.iter();
    parts.map(|part| if of_one(part) { part.name.to_token_stream() } else { part.borrowed() }).collect()
}

/// Calls a hidden companion.
fn beside(model: &Model, name: &Ident, parts: &[TokenStream], more: &TokenStream) -> TokenStream {
    let helper = callee(model, name, &turbofish(&of_companions(model)));
    let receiver = model.function.receiver.as_ref().map(|receiver| {
        let shared = &receiver.shared;
        quote!(#shared,)
    });
    quote!(#helper(#receiver #(#parts,)* #more))
}

/// Spells the lines that name the tags made of the arguments and of an element.
fn named(model: &Model, names: &Names, batch: &Batch) -> TokenStream {
    let (tags, element) = (&names.tags, &batch.element.name);
    if model.tags.is_empty() {
        return quote!(let _ = (#element, #tags););
    }
    let mentioned: TokenStream = model.tags.iter().map(Template::mentioned).collect();
    let bound = batch.others(&model.function).map(|other| other.bind_borrowed(&mentioned, true));
    let lines = rules::tags(model, names);
    quote!(let _ = #element; #(#bound)* #lines)
}

/// Spells the keys of the call. An error about their type shows there.
fn keys(model: &Model, batch: &Batch) -> TokenStream {
    let (first, last) = ends(&batch.element.ty);
    let elements = model.runtime.private_from("elements", first, last);
    let name = &batch.argument(&model.function).name;
    match batch.holder {
        Holder::Slice => quote_spanned!(first=> #elements(#name)),
        Holder::Vec => quote_spanned!(first=> #elements(&#name)),
    }
}

/// Spells the closure that runs the body for some of the keys.
fn load(model: &Model, batch: &Batch) -> TokenStream {
    let sig = &model.function.item.sig;
    let uncached = callee(model, &companion(&sig.ident, "uncached"), &turbofish(&sig.generics));
    let receiver = model.function.receiver.as_ref().map(|receiver| {
        let self_ = Ident::new("self", receiver.span);
        quote!(#self_,)
    });
    let some = local("some");
    let keys = batch.argument(&model.function);
    let arguments = model.function.arguments.iter().map(|argument| {
        let name = &argument.name;
        match (argument.name == keys.name, batch.holder) {
            (true, Holder::Slice) => quote!(&#some),
            (true, Holder::Vec) => quote!(#some),
            (false, _) => quote!(#name),
        }
    });
    let again = batch.others(&model.function).filter(|other| !matches!(other.ty, Type::Reference(_))).map(|other| {
        let (name, span) = (&other.name, ours_at(other.ty.span()));
        let again = model.runtime.private_at("again", span);
        quote_spanned!(span=> let #name = #again(&#name);)
    });
    let called = quote!(#uncached(#receiver #(#arguments),*));
    if model.function.is_async() {
        return quote!(|#some| { #(#again)* async move { #called.await } });
    }
    quote!(|#some| { #(#again)* #called })
}
