//! `derive(CacheScope)`: what of `self` belongs to the keys of a type's methods.
//!
//! Reading order: [`args`] (what the attributes say), [`model`] (which fields are parts, and which is the cache), [`codegen`]
//! (the impl).

mod args;
mod codegen;
mod model;

use proc_macro2::TokenStream;

use crate::diag::Mistakes;

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let input = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut mistakes = Mistakes::new();
    let model = model::read(input, &mut mistakes);
    // Written in spite of mistakes, so that the type's methods don't fail as well.
    let mut tokens = codegen::expand(&model);
    tokens.extend(mistakes.into_tokens());
    tokens
}
