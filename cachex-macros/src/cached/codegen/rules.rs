//! What needs the return type or the value: the shape, how values are kept, the rules by value.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::super::model::Model;
use super::Names;
use crate::attribute::{local, ours_at};

/// Spells the line that asks what of the return value is kept.
pub(super) fn shape(model: &Model, names: &Names) -> TokenStream {
    let shape = &names.shape;
    let probed = model.runtime.probe(&model.function.output);
    match &model.args.cache_err {
        Some(path) => {
            let span = ours_at(model.output_span());
            let keep_errors = model.runtime.private_at("keep_errors", span);
            quote_spanned!(span=> let #shape = #keep_errors(#probed, #path);)
        }
        None => quote!(let #shape = #probed;),
    }
}

/// Spells how values are kept.
pub(super) fn keep(model: &Model) -> TokenStream {
    let name = if model.args.local { "Local" } else { "Portable" };
    model.runtime.private_at(name, ours_at(model.output_span()))
}

/// Spells the rules that need the value.
pub(super) fn hooks(model: &Model, names: &Names) -> TokenStream {
    let args = &model.args;
    let span = ours_at(model.output_span());
    let shape = &names.shape;
    let hooks = model.runtime.private("Hooks");
    let ttl = args.ttl_with.as_ref().map(|path| quote_spanned!(ours_at(path.span())=> .ttl_with(#path)));
    let tags = args.tags_with.as_ref().map(|path| {
        let (value, tags) = (local("value"), local("tags"));
        let extend = model.runtime.private_at("Extend", ours_at(path.span()));
        quote_spanned!(ours_at(path.span())=> .tags_with(|#value, #tags| #extend::extend(#tags, (#path)(#value))))
    });
    let unless = args.unless.as_ref().map(|path| quote_spanned!(ours_at(path.span())=> .unless(#path)));
    let weight = args.weight.as_ref().map(|path| quote_spanned!(ours_at(path.span())=> .weight(#path)));
    let timed_out = args.spans.timeout.as_ref().map(|_| quote_spanned!(span=> .timed_out()));
    let share_err = args.share_err.map(|_| quote_spanned!(span=> .share_err()));
    quote!(#hooks::new(#shape) #ttl #tags #unless #weight #timed_out #share_err)
}

/// Spells the lines that name the tags known from the arguments.
pub(super) fn tags(model: &Model, names: &Names) -> TokenStream {
    let tags = &names.tags;
    let lines = model.tags.iter().map(|tag| {
        let value = tag.tokens(&model.runtime);
        quote_spanned!(ours_at(tag.span())=> #tags.add(#value);)
    });
    lines.collect()
}
