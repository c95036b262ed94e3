//! The impl of `CacheKey`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::model::{Body, Field, Model, Variant};
use crate::runtime::Runtime;

/// Fields of a struct whose key is put in place where it is written.
const SMALL: usize = 8;

pub(crate) fn expand(model: &Model) -> TokenStream {
    let Model { runtime, ident, generics, body } = model;
    let out = Ident::new("out", Span::mixed_site());
    let body = match body {
        Body::Newtype(field) => {
            let (pattern, write) = (pattern(std::slice::from_ref(&**field)), write(field, &out, runtime));
            quote!(let Self #pattern = self; #write)
        }
        Body::Struct(fields) => write_struct(fields, &out, runtime),
        Body::Enum(variants) if variants.is_empty() => quote!(let _ = #out; match *self {}),
        Body::Enum(variants) => {
            let arms = variants.iter().map(|variant| arm(variant, &out, runtime));
            quote!(match self { #(#arms)* })
        }
        Body::Refused => quote!(let _ = #out;),
    };
    // Put in place where it is called, or the writer would have to lie in memory. A large one is left to the compiler.
    let is_small =
        matches!(&model.body, Body::Newtype(_)) || matches!(&model.body, Body::Struct(fields) if fields.len() <= SMALL);
    let inline = if is_small { quote!(#[inline(always)]) } else { quote!(#[inline]) };
    let (trait_, writer) = (runtime.private("CacheKey"), runtime.private("KeyWriter"));
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics #trait_ for #ident #ty_generics #where_clause {
            #inline
            fn encode(&self, #out: &mut #writer<'_>) {
                #body
            }
        }
    }
}

fn write_struct(fields: &[Field], out: &Ident, runtime: &Runtime) -> TokenStream {
    let key_fields = runtime.private("KeyFields");
    let names = fields.iter().map(Field::name);
    let pattern = pattern(fields);
    let writes = fields.iter().map(|field| write(field, out, runtime));
    quote! {
        let Self #pattern = self;
        #out.write_struct(const { #key_fields::new(&[#(#names),*]) });
        #(#writes)*
    }
}

fn arm(variant: &Variant, out: &Ident, runtime: &Runtime) -> TokenStream {
    let Variant { ident, fields } = variant;
    let (name, count, pattern) = (ident.unraw().to_string(), fields.len(), pattern(fields));
    let writes = fields.iter().map(|field| write(field, out, runtime));
    quote! {
        Self::#ident #pattern => {
            #out.write_variant(#name, #count);
            #(#writes)*
        }
    }
}

// Braces fit structs and variants of every kind.
fn pattern(fields: &[Field]) -> TokenStream {
    let parts = fields.iter().map(|Field { member, local, .. }| quote!(#member: #local));
    quote!({ #(#parts,)* .. })
}

// Quoted whole at the user's tokens: if the type can't be part of a key there is one error, there.
fn write(field: &Field, out: &Ident, runtime: &Runtime) -> TokenStream {
    let Field { local, ty, with, .. } = field;
    let span = Span::mixed_site().located_at(with.as_ref().map_or(ty.span(), Spanned::span));
    let (trait_, local, out) = (runtime.private_at("CacheKey", span), at(span, local), at(span, out));
    match with {
        None => quote_spanned!(span=> #trait_::encode(#local, #out);),
        Some(path) => quote_spanned!(span=> #trait_::encode(&#path(#local), #out);),
    }
}

/// Returns a local variable, to be reported at `span`.
pub(crate) fn at(span: Span, local: &Ident) -> Ident {
    Ident::new(&local.to_string(), span)
}
