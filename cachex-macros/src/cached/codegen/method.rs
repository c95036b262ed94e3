//! The annotated function, with a call of the cache in place of its body.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Meta};

use super::super::model::{Model, Placement};
use super::generics::{of_companions, turbofish};
use super::{Names, batch, is_lint_level, key, load, rules, site};
use crate::attribute::arguments::{declared, hidden, hidden_call};
use crate::attribute::function::{Access, Kind};
use crate::attribute::ours_at;
use crate::attribute::template::bind_names;

/// Spells the function.
pub(super) fn expand(model: &Model, names: &Names) -> TokenStream {
    let function = &model.function;
    let item = &function.item;
    let attributes = item.attrs.iter().map(|attribute| softened(model, attribute));
    let (vis, sig) = (&item.vis, &item.sig);
    let (asyncness, abi, token, name, output) = (&sig.asyncness, &sig.abi, sig.fn_token, &sig.ident, &sig.output);
    let (generics, clause) = (&sig.generics, &sig.generics.where_clause);
    let mut arguments = function.arguments.iter();
    let inputs = sig.inputs.iter().map(|input| match input {
        syn::FnArg::Receiver(receiver) => unmut(model, receiver),
        syn::FnArg::Typed(_) => arguments.next().map(|argument| declared(input, argument)).unwrap_or_default(),
    });
    let body = match &model.batch {
        Some(batch) => batch::call(model, names, batch),
        None => {
            let called = call(model, names);
            match function.kind {
                Kind::Blocking => called,
                Kind::Async => awaited(model, called),
                Kind::Boxed => boxed(model, called),
            }
        }
    };
    quote! {
        #(#attributes)*
        #vis #asyncness #abi #token #name #generics (#(#inputs),*) #output #clause {
            #body
        }
    }
}

/// Spells the look-up and the one call of the runtime that goes on from there, and what they need.
fn call(model: &Model, names: &Names) -> TokenStream {
    let runtime = &model.runtime;
    let span = ours_at(model.output_span());
    let Names { call, shape, found, kept, .. } = names;
    let cache = cache(model, names, true);
    let begun = begun(model, names);
    let when = when(model, names);
    let probed = rules::shape(model, names);
    let (keep, value_rules) = (rules::keep(model, names), rules::value_rules(model, names));
    let find = find(model, names, &keep);
    let begin = begin(model, names);
    let run = runtime.private_at(
        match (model.detached_by.is_some(), model.function.is_async()) {
            (false, false) => "cached",
            (false, true) => "cached_async",
            (true, false) => "cached_detached",
            (true, true) => "cached_detached_async",
        },
        span,
    );
    let call_type = runtime.private("Call");
    let new = quote!(let mut #call = #call_type::new(););
    let own = is_moved(model).then(|| {
        let option = runtime.private("Option");
        quote! {
            let mut #kept = #option::None;
            let #call = #call.keep_cache(&#found, &mut #kept);
        }
    });
    let run = quote_spanned!(span=> #run(#call, #found, #shape, #keep, move || #value_rules, #begin));
    quote!(#new #cache #begun #when #probed #find #own #run)
}

/// Spells the lines that tell the call what is called, on which cache.
fn begun(model: &Model, names: &Names) -> TokenStream {
    let call = &names.call;
    if model.placement == Placement::Inline {
        let start = site::start(model, names);
        let cache = key::cache_of_self(model, names, &shared(model));
        // As in `#cache`: the load takes `self`, from which the cache is borrowed until then.
        return quote!(#start { let #call = &mut #call; #cache });
    }
    beside(
        model,
        &hidden_call(&model.function.item.sig.ident, model.placement != Placement::Module),
        &quote!(&mut #call),
    )
}

/// Spells the lines that write the key.
fn key(model: &Model, names: &Names) -> TokenStream {
    if model.placement == Placement::Inline {
        return key::of_values(model, names);
    }
    let out = &names.out;
    beside(model, &hidden(&model.function.item.sig.ident, "_parts"), &quote!(#out))
}

/// Calls a hidden companion with references to the arguments, and `more`.
fn beside(model: &Model, name: &Ident, more: &TokenStream) -> TokenStream {
    let helper = callee(model, name, &turbofish(&of_companions(model)));
    let receiver = model.function.receiver.as_ref().map(|receiver| {
        let shared = &receiver.shared;
        quote!(#shared,)
    });
    let parts = model.parts.iter().map(|part| part.borrowed());
    quote!(#helper(#receiver #(#parts,)* #more);)
}

/// Spells the look-up. What writes the key is asked for it more than once; an expression for it is evaluated once.
fn find(model: &Model, names: &Names, keep: &TokenStream) -> TokenStream {
    let Names { call, written, out, found, .. } = names;
    let key = key(model, names);
    let span = ours_at(model.output_span());
    if model.args.key.is_none() {
        return quote_spanned!(span=> let #found = #call.find(#keep, #[inline(always)] |#out| { #key }););
    }
    quote_spanned! {span=>
        let #written = #call.written(|#out| { #key });
        let #found = #written.find(#keep);
        let #written = #written.parts();
    }
}

/// Spells the closure that is run on a miss: it writes the key, and returns what names the tags and makes the load.
fn begin(model: &Model, names: &Names) -> TokenStream {
    let Names { written, out, .. } = names;
    let prepare = prepare(model, names);
    let key = match model.args.key {
        None => key(model, names),
        Some(_) => quote!(#written.copy_to(#out);),
    };
    quote!(move |#out| { #key #prepare })
}

fn shared(model: &Model) -> TokenStream {
    model.function.receiver.as_ref().map(|receiver| receiver.shared.clone()).unwrap_or_default()
}

/// Returns whether the load takes `self` away, so that the call must not hold it.
fn is_moved(model: &Model) -> bool {
    model.function.receiver.as_ref().is_some_and(|receiver| receiver.access != Access::Shared)
}

/// Spells the lines that name the cache, if the annotation does. `is_by_value` says what the arguments are there.
pub(super) fn cache(model: &Model, names: &Names, is_by_value: bool) -> TokenStream {
    let Some((expression, uses_arguments)) = model.cache() else { return TokenStream::new() };
    let Names { call, cache, .. } = names;
    let span = ours_at(expression.span());
    if uses_arguments || is_by_value && is_moved(model) {
        // The load takes the arguments, and the call still needs the cache.
        let own = model.runtime.private_at("own_cache", span);
        let tokens = expression.to_token_stream();
        let bound = model.parts.iter().map(|argument| argument.bind_borrowed(&tokens, is_by_value));
        return quote_spanned! {span=>
            let #cache = { #(#bound)* #own(&(#expression)) };
            #call.cache(&#cache);
        };
    }
    quote_spanned! {span=>
        let #cache = &(#expression);
        #call.cache(#cache);
    }
}

pub(super) fn when(model: &Model, names: &Names) -> TokenStream {
    let Some(condition) = &model.args.when else { return TokenStream::new() };
    let call = &names.call;
    let tokens = condition.to_token_stream();
    let patterns = model.function.arguments.iter().filter(|argument| !argument.is_named());
    let bound = patterns.map(|argument| argument.bind_borrowed(&tokens, true));
    quote_spanned!(ours_at(condition.span())=> { #(#bound)* #call.when(#condition); })
}

/// Spells the closure that is run on a miss: tags, then the load.
fn prepare(model: &Model, names: &Names) -> TokenStream {
    let load = load::load(model, names);
    if model.tags.is_empty() {
        return quote!(move |_| { #load });
    }
    let tags = &names.tags;
    let bound = bind_names(&model.tags, &model.function.arguments, true);
    let lines = rules::tags(model, names);
    quote!(move |#tags| { { #bound #lines } #load })
}

/// Spells the path of a companion: beside the function, or through `Self`.
pub(super) fn callee(model: &Model, name: &Ident, turbofish: &TokenStream) -> TokenStream {
    if model.placement == Placement::Module { quote!(#name #turbofish) } else { quote!(Self::#name #turbofish) }
}

/// Spells the end of an async body: the call, and the await that is left of it if it is no hit.
fn awaited(model: &Model, called: TokenStream) -> TokenStream {
    let span = ours_at(model.output_span());
    let runtime = &model.runtime;
    let (first, result) = (runtime.private_at("first", span), runtime.private_at("Result", span));
    quote_spanned! {span=>
        match #first(move || { #called }) {
            #result::Ok(value) => value,
            #result::Err(load) => load.await,
        }
    }
}

fn boxed(model: &Model, called: TokenStream) -> TokenStream {
    let mut body = (*model.function.item.block).clone();
    let awaited = awaited(model, called);
    let inner = syn::parse_quote!({ #awaited });
    if let [syn::Stmt::Expr(syn::Expr::Call(call), None)] = body.stmts.as_mut_slice()
        && let Some(syn::Expr::Async(block)) = call.args.first_mut()
    {
        block.block = inner;
    }
    let statements = &body.stmts;
    quote!(#(#statements)*)
}

/// An expectation about the body would not be met by the call that replaces it.
fn softened(model: &Model, attribute: &Attribute) -> TokenStream {
    if model.placement != Placement::Inline
        && is_lint_level(attribute)
        && attribute.path().is_ident("expect")
        && let Meta::List(list) = &attribute.meta
    {
        let lints = &list.tokens;
        return quote!(#[allow(#lints)]);
    }
    attribute.to_token_stream()
}

/// `mut self` is for the body only, which stands elsewhere.
fn unmut(model: &Model, receiver: &syn::Receiver) -> TokenStream {
    let mut receiver = receiver.clone();
    if !matches!(receiver.kind, syn::ReceiverKind::Reference(..)) && model.placement != Placement::Inline {
        receiver.mutability = None;
    }
    receiver.to_token_stream()
}
