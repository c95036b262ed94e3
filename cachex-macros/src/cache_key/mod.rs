//! `derive(CacheKey)`: a type's fields become parts of a key.
//!
//! Reading order: [`args`] (what the attributes say), [`model`] (what is written of the type), [`bounds`] (what its type
//! parameters must be able to do), [`codegen`] (the impl).

mod args;
pub(crate) mod bounds;
pub(crate) mod codegen;
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
    // Written in spite of mistakes, so that uses of the type don't fail as well.
    let mut tokens = codegen::expand(&model);
    tokens.extend(mistakes.into_tokens());
    tokens
}
