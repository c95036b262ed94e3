//! Pipeline.
use proc_macro2::TokenStream;
pub(crate) fn expand_invalidates(_options: TokenStream, item: TokenStream) -> TokenStream {
    item
}
pub(crate) fn expand_updates(_options: TokenStream, item: TokenStream) -> TokenStream {
    item
}
