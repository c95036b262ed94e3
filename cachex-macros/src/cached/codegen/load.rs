//! The user's body as a loader: called beside, or written inside; in this call, or outliving it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Block, Type};

use super::super::model::{Model, Placement};
use super::Names;
use super::generics::turbofish;
use super::method::callee;
use crate::attribute::arguments::{Argument, companion};
use crate::attribute::function::{Access, Kind, SelfArgument};
use crate::attribute::ours_at;
use crate::attribute::replace_self::replace_self;

/// Spells the expression that makes the load: a future, or a closure for blocking functions.
pub(super) fn load(model: &Model, names: &Names) -> TokenStream {
    let carried = model.detached_by.map(|_| carry(model, names));
    let (before, inside) = carried.unwrap_or_default();
    let body = match model.placement {
        Placement::Inline => inline(model, names),
        Placement::Module | Placement::Associated => beside(model, names),
    };
    let output = &model.function.output;
    let is_inline = model.placement == Placement::Inline;
    match (model.function.is_async(), is_inline, model.detached_by) {
        (true, false, None) => body,
        (true, true, _) => {
            let typed = model.runtime.private("typed");
            quote!(#before #typed::<#output, _>(async move { #inside #body }))
        }
        (true, false, Some(_)) => quote!(#before async move { #inside #body.await }),
        (false, true, _) => quote!(#before move || -> #output { #inside #body }),
        (false, false, _) => quote!(#before move || { #inside #body }),
    }
}

/// Calls the function beside, which has the body.
fn beside(model: &Model, names: &Names) -> TokenStream {
    let sig = &model.function.item.sig;
    let uncached = callee(model, &companion(&sig.ident, "uncached"), &turbofish(&sig.generics));
    let receiver =
        model.function.receiver.as_ref().map(|receiver| {
            if model.detached_by.is_some() { names.this.to_token_stream() } else { self_token(receiver) }
        });
    let arguments = model.function.arguments.iter().map(|argument| argument.name.to_token_stream());
    let arguments = receiver.into_iter().chain(arguments);
    quote!(#uncached(#(#arguments),*))
}

/// Writes the body here.
fn inline(model: &Model, names: &Names) -> TokenStream {
    let function = &model.function;
    let mut block: Block = match function.boxed_body() {
        Some(boxed) if function.kind == Kind::Boxed => boxed.block.clone(),
        _ => (*function.item.block).clone(),
    };
    if model.detached_by.is_some() && function.receiver.is_some() {
        replace_self(&mut block, &names.this);
    }
    let patterns = function.arguments.iter().map(Argument::bind_pattern);
    let statements = &block.stmts;
    quote!(#(#patterns)* #(#statements)*)
}

/// Spells what a load takes with it that outlives the call: clones made before, and references to them made inside.
fn carry(model: &Model, names: &Names) -> (TokenStream, TokenStream) {
    let (mut before, mut inside) = (TokenStream::new(), TokenStream::new());
    if let Some(receiver) = &model.function.receiver {
        let span = ours_at(receiver.span);
        let (this, self_) = (&names.this, self_token(receiver));
        if receiver.access == Access::Owned {
            before.extend(quote_spanned!(span=> let #this = #self_;));
        } else {
            let detach = model.runtime.private_at("detach", span);
            before.extend(quote_spanned!(span=> let #this = #detach(#self_);));
            inside.extend(quote_spanned!(span=> let #this = &#this;));
        }
    }
    for argument in &model.function.arguments {
        let Some(ty) = argument.referred() else { continue };
        let span = ours_at(argument.type_span());
        let name = &argument.name;
        // A type without a name is `Sized`, so it is cloned as it is.
        if matches!(ty, Type::ImplTrait(_)) {
            let detach = model.runtime.private_at("detach", span);
            before.extend(quote_spanned!(span=> let #name = #detach(#name);));
            inside.extend(quote_spanned!(span=> let #name = &#name;));
        } else {
            let detach = model.runtime.private_at("detach_ref", span);
            let borrow = model.runtime.private_at("Borrow", span);
            before.extend(quote_spanned!(span=> let #name = #detach(#name);));
            inside.extend(quote_spanned!(span=> let #name = #borrow::<#ty>::borrow(&#name);));
        }
    }
    (before, inside)
}

fn self_token(receiver: &SelfArgument) -> TokenStream {
    proc_macro2::Ident::new("self", receiver.span).into_token_stream()
}
