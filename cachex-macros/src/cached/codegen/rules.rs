//! What needs the return type or the value: the shape, how values are kept, the rules by value.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use super::super::model::Model;
use super::Names;
use crate::attribute::{ends, ours_at};

/// Spells the line that asks what of the return value is kept.
pub(super) fn shape(model: &Model, names: &Names) -> TokenStream {
    let shape = &names.shape;
    let probed = model.runtime.probe(&model.each);
    match &model.args.cache_err {
        Some(path) => {
            let rule = rule(path);
            let span = ours_at(model.output_span());
            let keep_errors = model.runtime.private_at("keep_errors", span);
            quote_spanned! {span=>
                let #shape = #probed;
                let #shape = #keep_errors(#shape).by(#rule);
            }
        }
        None => quote!(let #shape = #probed;),
    }
}

/// Spells how values are kept. An error about it shows under the return type, once: in each place it is the same error.
pub(super) fn keep(model: &Model, names: &Names) -> TokenStream {
    let (first, last) = ends(&model.function.output);
    let shape = &names.shape;
    let kept = model.runtime.private_at("kept", first);
    if model.args.keeps_messages() {
        let way = model.runtime.private_from("protobuf", first, last);
        return quote_spanned!(first=> #kept(#shape, #way()));
    }
    let way = model.runtime.private_from(if model.args.local { "Local" } else { "Portable" }, first, last);
    quote_spanned!(first=> #kept(#shape, #way))
}

/// Spells the rules that need the value.
pub(super) fn value_rules(model: &Model, names: &Names) -> TokenStream {
    let args = &model.args;
    let span = ours_at(model.output_span());
    let shape = &names.shape;
    let value_rules = model.runtime.private_at("ValueRules", span);
    let ttl = args.ttl_with.as_ref().map(|path| {
        let rule = rule(path);
        quote_spanned!(ours_at(path.span())=> .ttl_with(#rule))
    });
    let tags = args.tags_with.as_ref().map(|path| {
        let rule = rule(path);
        let [value, tags] = ["value", "tags"].map(|name| Ident::new(name, ours_at(path.span())));
        let extend = model.runtime.private_at("Extend", ours_at(path.span()));
        quote_spanned!(ours_at(path.span())=> .tags_with(|#value, #tags| #extend::extend(#tags, (#rule)(#value))))
    });
    let unless = args.unless.as_ref().map(|path| {
        let rule = rule(path);
        quote_spanned!(ours_at(path.span())=> .unless(#rule))
    });
    let weight = args.weight.as_ref().map(|path| {
        let rule = rule(path);
        quote_spanned!(ours_at(path.span())=> .weight(#rule))
    });
    let timed_out = args.spans.timeout.as_ref().map(|_| quote_spanned!(span=> .timed_out()));
    let share_err = args.share_err.map(|_| quote_spanned!(span=> .share_err()));
    quote_spanned!(span=> #value_rules::new(#shape) #ttl #tags #unless #weight #timed_out #share_err)
}

/// Spells the lines that name the tags made of the arguments; what the annotation names as it is, is known of the method.
pub(super) fn tags(model: &Model, names: &Names) -> TokenStream {
    let tags = &names.tags;
    let lines = model.tags.iter().map(|tag| {
        let value = tag.tokens(&model.runtime);
        quote_spanned!(ours_at(tag.span())=> #tags.add(#value);)
    });
    lines.collect()
}

/// Spells a rule as a function of what it is shown: a path is called, so that a `&Vec<T>` can be its `&[T]`.
fn rule(path: &Expr) -> TokenStream {
    if let Expr::Closure(_) = path {
        return path.to_token_stream();
    }
    let value = Ident::new("value", ours_at(path.span()));
    let called = if matches!(path, Expr::Path(_)) { quote!(#path) } else { quote!((#path)) };
    quote_spanned!(ours_at(path.span())=> |#value| #called(#value))
}
