//! The generics of the companions: those of the function, less what only skipped arguments name.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, WherePredicate};

use super::super::model::Model;
use crate::attribute::mentions::mentions;

/// Returns the generics of the companions.
pub(super) fn of_companions(model: &Model) -> Generics {
    let mut generics = model.function.item.sig.generics.clone();
    let mut used: TokenStream = model.parts.iter().map(|part| part.ty.to_token_stream()).collect();
    model.function.output.to_tokens(&mut used);
    let all: TokenStream = model.function.arguments.iter().map(|argument| argument.ty.to_token_stream()).collect();
    let is_dropped = |param: &GenericParam| match param {
        GenericParam::Type(param) => {
            let name = param.ident.to_string();
            mentions(all.clone(), &name) && !mentions(used.clone(), &name)
        }
        GenericParam::Lifetime(_) | GenericParam::Const(_) => false,
    };
    let dropped: Vec<String> = generics.params.iter().filter(|param| is_dropped(param)).map(name).collect();
    if dropped.is_empty() {
        return generics;
    }
    generics.params = generics.params.into_iter().filter(|param| !dropped.contains(&name(param))).collect();
    if let Some(clause) = &mut generics.where_clause {
        let predicates = std::mem::take(&mut clause.predicates);
        let names_dropped =
            |predicate: &WherePredicate| dropped.iter().any(|dropped| mentions(predicate.to_token_stream(), dropped));
        clause.predicates = predicates.into_iter().filter(|predicate| !names_dropped(predicate)).collect();
    }
    generics
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

fn name(param: &GenericParam) -> String {
    match param {
        GenericParam::Type(param) => param.ident.to_string(),
        GenericParam::Const(param) => param.ident.to_string(),
        GenericParam::Lifetime(param) => param.lifetime.to_string(),
    }
}
