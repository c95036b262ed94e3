//! The only file that spells paths of the runtime.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

/// Spells paths of the runtime crate, which may go by another name in the user's program.
#[derive(Clone, Debug)]
pub(crate) struct Runtime {
    root: TokenStream,
}

impl Runtime {
    /// The runtime under its own name.
    pub(crate) fn new() -> Self {
        Self { root: quote!(::cachex) }
    }

    /// The runtime under the path given by `crate = …`.
    pub(crate) fn at(path: &syn::Path) -> Self {
        Self { root: quote!(#path) }
    }

    /// Spells a name of the private module.
    pub(crate) fn private(&self, name: &str) -> TokenStream {
        self.private_at(name, Span::mixed_site())
    }

    /// As [`private`](Self::private), so that an error about the name shows at `span`.
    pub(crate) fn private_at(&self, name: &str, span: Span) -> TokenStream {
        self.private_from(name, span, span)
    }

    /// As [`private_at`](Self::private_at), so that an error shows under all that is from `first` to `last`.
    pub(crate) fn private_from(&self, name: &str, first: Span, last: Span) -> TokenStream {
        let root = self.root.clone().into_iter().map(|mut token| {
            token.set_span(first.resolved_at(token.span()));
            token
        });
        let name = Ident::new(name, last);
        quote_spanned!(first=> #(#root)*::__private::#name)
    }

    /// Spells the question what of a return type is kept, as an expression.
    pub(crate) fn probe(&self, output: &syn::Type) -> TokenStream {
        let [shapes, probe] = ["shapes", "Probe"].map(|name| self.private(name));
        quote! {
            {
                use #shapes::*;
                (&&&#probe::<#output>::new()).shape()
            }
        }
    }
}
