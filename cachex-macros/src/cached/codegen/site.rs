//! The static half of a call: facts and policy, registered before the program starts.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::super::forms::Choice;
use super::super::model::Model;
use super::super::rules::{self, Spread};
use super::Names;
use crate::attribute::ours_at;

/// Spells the call site and the start of the call.
pub(super) fn start(model: &Model, names: &Names) -> TokenStream {
    let runtime = &model.runtime;
    let [site, call_site, registered, inventory, name_of, option, file, line, str] =
        ["Site", "CallSite", "Registered", "inventory", "type_name_of_val", "Option", "file", "line", "str"]
            .map(|name| runtime.private(name));
    let call = &names.call;
    let method = model.function.item.sig.ident.to_string();
    let (signature, options, version) = (&model.signature, &model.options, model.args.version);
    let name = match &model.args.name {
        Some(name) => quote!(#option::Some(#name)),
        None => quote!(#option::None),
    };
    let policy = policy(model);
    let constants = &model.constant_tags;
    // A block: the names of its items are not seen by the rest of the body.
    quote! {
        {
            fn here() -> &'static #str {
                #name_of(&here)
            }
            static SITE: #call_site = #call_site::new(#site {
                method: #method,
                here,
                name: #name,
                version: #version,
                signature: #signature,
                options: #options,
                file: #file!(),
                line: #line!(),
                policy: #policy,
                tags: &[#(#constants),*],
            });
            #inventory::submit! { #registered(&SITE) }
            #call.start(&SITE, &|| ());
        }
    }
}

fn policy(model: &Model) -> TokenStream {
    let runtime = &model.runtime;
    let spans = &model.args.spans;
    let policy = runtime.private("Policy");
    let given = [
        (&spans.ttl, quote!(ttl)),
        (&spans.tti, quote!(tti)),
        (&spans.soft_ttl, quote!(soft_ttl)),
        (&spans.refresh_ahead, quote!(refresh_ahead)),
        (&spans.grace, quote!(grace)),
        (&spans.negative_ttl, quote!(negative_ttl)),
        (&spans.timeout, quote!(timeout)),
        (&spans.soft_timeout, quote!(soft_timeout)),
    ];
    let calls = given.into_iter().filter_map(|(span, setter)| {
        let span = span.as_ref()?.tokens(runtime);
        Some(quote!(.#setter(#span)))
    });
    let jitter = model.spread.as_ref().map(|spread| jitter(model, spread));
    let single_flight = model.args.single_flight.map(|(joined, _)| quote!(.single_flight(#joined)));
    // Durations known now have been checked here already.
    let checked = rules::has_expressions(spans).then(|| {
        let expression = [&spans.soft_ttl, &spans.refresh_ahead, &spans.soft_timeout, &spans.ttl, &spans.timeout];
        let at = expression.into_iter().flatten().find(|span| span.known().is_none());
        let span = ours_at(at.map_or_else(|| model.output_span(), |span| span.span()));
        (span, runtime.private_at("Policy", span))
    });
    let forms = forms(model);
    let made = quote!(#policy::new() #(#calls)* #jitter #single_flight #forms);
    match checked {
        Some((span, policy)) => quote_spanned!(span=> #policy::checked(#made)),
        None => made,
    }
}

/// Spells where entries are kept, and in which form.
fn forms(model: &Model) -> TokenStream {
    let args = &model.args;
    let choice = |choice: &Choice, ty: &str| {
        let span = ours_at(choice.span());
        let (ty, variant) = (model.runtime.private_at(ty, span), Ident::new(choice.variant, span));
        quote_spanned!(span=> #ty::#variant)
    };
    let tiers = args.tiers.as_ref().map(|tiers| {
        let tiers = choice(tiers, "Tiers");
        quote!(.tiers(#tiers))
    });
    // Whether this build has it is known to the runtime.
    let codec = args.codec.as_ref().map(|codec| {
        let (span, value) = (ours_at(codec.span()), choice(codec, "Codec"));
        quote_spanned!(span=> .codec(#value.needed()))
    });
    let compression = args.compression.as_ref().map(|compression| {
        let (span, value) = (ours_at(compression.span()), choice(compression, "Compression"));
        quote_spanned!(span=> .compression(#value.needed()))
    });
    let values = if args.local {
        quote!(.local())
    } else if args.keeps_messages() {
        quote!(.message())
    } else {
        TokenStream::new()
    };
    quote!(#tiers #codec #compression #values)
}

fn jitter(model: &Model, spread: &Spread) -> TokenStream {
    let jitter = model.runtime.private("Jitter");
    match spread {
        Spread::Share(share, _) => quote!(.jitter(#jitter::Share(#share))),
        Spread::Span(span) => {
            let span = span.tokens(&model.runtime);
            quote!(.jitter(#jitter::Span(#span)))
        }
        Spread::Expression(expression) => quote_spanned!(expression.span()=> .jitter(#expression)),
    }
}
