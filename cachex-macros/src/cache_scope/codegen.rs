//! The impl of `CacheScope`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::{Field, Model};
use crate::cache_key::codegen::at;
use crate::runtime::Runtime;

pub(crate) fn expand(model: &Model) -> TokenStream {
    let Model { runtime, ident, generics, parts, cache } = model;
    let out = Ident::new("out", Span::mixed_site());
    let body = if parts.is_empty() {
        quote!(let _ = #out;)
    } else {
        let (pattern, writes) = (pattern(parts), parts.iter().map(|part| write(part, &out, runtime)));
        quote!(let Self #pattern = self; #(#writes)*)
    };
    let cache = cache.iter().map(|cache| name_cache(cache, runtime));
    let (trait_, writer) = (runtime.private("CacheScope"), runtime.private("KeyWriter"));
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics #trait_ for #ident #ty_generics #where_clause {
            #[inline(always)]
            fn encode_scope(&self, #out: &mut #writer<'_>) {
                #body
            }
            #(#cache)*
        }
    }
}

fn pattern<'a>(fields: impl IntoIterator<Item = &'a Field>) -> TokenStream {
    let parts = fields.into_iter().map(|Field { member, local, .. }| quote!(#member: #local));
    quote!({ #(#parts,)* .. })
}

// Quoted whole at the user's type: if it can't be part of a key there is one error, there.
fn write(part: &Field, out: &Ident, runtime: &Runtime) -> TokenStream {
    let Field { local, ty, .. } = part;
    let span = Span::mixed_site().located_at(ty.span());
    let (trait_, local, out) = (runtime.private_at("CacheKey", span), at(span, local), at(span, out));
    quote_spanned!(span=> #trait_::encode(#local, #out);)
}

fn name_cache(cache: &Field, runtime: &Runtime) -> TokenStream {
    let Field { local, ty, .. } = cache;
    let span = Span::mixed_site().located_at(ty.span());
    let (has_cache, located) = (runtime.private_at("HasCache", span), at(span, local));
    let (option, cache_type, pattern) = (runtime.private("Option"), runtime.private("Cache"), pattern([cache]));
    let found = quote_spanned!(span=> #has_cache::cache(#located));
    quote! {
        #[inline]
        fn cache(&self) -> #option<&#cache_type> {
            let Self #pattern = self;
            #found
        }
    }
}
