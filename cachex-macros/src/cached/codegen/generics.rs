//! The generics of the companions: all of the function's, since each may change what the function returns.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics};

use super::super::model::Model;

/// Returns the generics of the companions.
pub(super) fn of_companions(model: &Model) -> Generics {
    model.function.item.sig.generics.clone()
}

/// Spells `::<T, N>`, or nothing if there is nothing to name.
pub(super) fn turbofish(generics: &Generics) -> TokenStream {
    let names: Vec<TokenStream> = generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(param) => Some(param.ident.to_token_stream()),
            GenericParam::Const(param) => Some(param.ident.to_token_stream()),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    if names.is_empty() { TokenStream::new() } else { quote!(::<#(#names),*>) }
}
