//! `#[cached]`: from an annotated function to a call of the cache, and the companions of the method.
//!
//! Reading order: [`args`] (the options as written), [`model`] (what they mean, checked), [`rules`] (which durations fit
//! together), [`forms`] (where values are kept, and how), [`batch`] (many keys in one call), [`codegen`].

mod args;
mod batch;
mod codegen;
mod forms;
mod model;
mod rules;

use proc_macro2::TokenStream;

use crate::attribute::function::Function;
use crate::diag::Mistakes;
use args::Args;
use model::Model;

/// Expands the attribute; with mistakes, to them and the item as it was.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let args = Args::parse(options.clone(), &mut mistakes);
    let function = Function::parse("cached", item.clone(), &mut mistakes);
    let model = function.map(|function| Model::new(args, function, options, &mut mistakes));
    match model {
        Some(model) if mistakes.is_empty() => {
            let expanded = codegen::expand(&model);
            crate::debug::print(&model.function.item.sig.ident, &expanded);
            expanded
        }
        _ => {
            let mut tokens = mistakes.into_tokens();
            tokens.extend(item);
            tokens
        }
    }
}
