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
        let root = &self.root;
        let name = Ident::new(name, span);
        quote_spanned!(span=> #root::__private::#name)
    }

    /// Spells the question what of a return type is kept, as an expression.
    pub(crate) fn probe(&self, output: &syn::Type) -> TokenStream {
        let [plain, optional, fallible, fallible_optional, probe] =
            ["ProbePlain", "ProbeOptional", "ProbeFallible", "ProbeFallibleOptional", "Probe"]
                .map(|name| self.private(name));
        quote! {
            {
                #[allow(unused_imports)]
                use {#plain as _, #optional as _, #fallible as _, #fallible_optional as _};
                (&&&#probe::<#output>::new()).shape()
            }
        }
    }
}
