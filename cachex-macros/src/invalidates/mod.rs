//! `#[invalidates]` and `#[updates]`: from a writing method to one that tells the cache what it changed.
//!
//! Reading order: [`args`] (the options as written), [`model`] (what they mean, checked), [`codegen`].

mod args;
mod codegen;
mod model;

use proc_macro2::TokenStream;

use crate::attribute::function::Function;
use crate::diag::Mistakes;
use args::Args;
use model::{Effect, Model};

/// Expands `#[invalidates]`.
pub(crate) fn expand_invalidates(options: TokenStream, item: TokenStream) -> TokenStream {
    expand(Effect::Invalidates, options, item)
}

/// Expands `#[updates]`.
pub(crate) fn expand_updates(options: TokenStream, item: TokenStream) -> TokenStream {
    expand(Effect::Updates, options, item)
}

fn expand(effect: Effect, options: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let args = Args::parse(effect, options, &mut mistakes);
    let function = Function::parse(effect.name(), item.clone(), &mut mistakes);
    let model = function.map(|function| Model::new(effect, args, function, &mut mistakes));
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
