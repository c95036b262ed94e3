//! Who uses which name: a look at tokens, also those inside macros and format strings.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Block, Item, Lifetime, Type, TypeFnPtr, TypeReference};

/// Returns whether the tokens use the name, as an identifier or as `{name` inside a string.
pub(crate) fn mentions(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Literal(literal) => in_format(&literal.to_string(), name),
        TokenTree::Punct(_) => false,
    })
}

fn in_format(literal: &str, name: &str) -> bool {
    let mut rest = literal;
    while let Some(at) = rest.find('{') {
        rest = &rest[at + 1..];
        let Some(after) = rest.trim_start().strip_prefix(name) else { continue };
        if !after.starts_with(|next: char| next.is_alphanumeric() || next == '_') {
            return true;
        }
    }
    false
}

/// Returns whether a body names the `Self` of its own surroundings, and not that of an item inside.
pub(crate) fn names_self_in(block: &Block) -> bool {
    let mut found = NamesSelf(false);
    found.visit_block(block);
    found.0
}

struct NamesSelf(bool);

impl<'ast> Visit<'ast> for NamesSelf {
    fn visit_ident(&mut self, ident: &'ast Ident) {
        self.0 |= ident == "Self";
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.0 |= mentions(called.tokens.clone(), "Self");
    }

    fn visit_item(&mut self, _: &'ast Item) {}
}

/// Returns whether a type borrows for less than `'static`.
pub(crate) fn borrows(ty: &Type) -> bool {
    let mut found = Borrows(false);
    found.visit_type(ty);
    found.0
}

struct Borrows(bool);

impl<'ast> Visit<'ast> for Borrows {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        self.0 |= reference.lifetime.is_none();
        syn::visit::visit_type_reference(self, reference);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        self.0 |= lifetime.ident != "static";
    }

    // The lifetimes of `fn(&str)` are its own.
    fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments(&mut self, _: &'ast syn::ParenthesizedGenericArguments) {}
}

/// Returns whether a type has an `impl Trait` inside.
pub(crate) fn has_impl_trait(ty: &Type) -> bool {
    struct Found(bool);
    impl<'ast> Visit<'ast> for Found {
        fn visit_type_impl_trait(&mut self, _: &'ast syn::TypeImplTrait) {
            self.0 = true;
        }
    }
    let mut found = Found(false);
    found.visit_type(ty);
    found.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_macros_and_format_strings() {
        assert!(mentions(quote::quote!(format!("{id}")), "id"));
        assert!(mentions(quote::quote!(vec![(id, 1)]), "id"));
        assert!(!mentions(quote::quote!(format!("{idea} id")), "id"));
    }

    #[test]
    fn only_static_references_do_not_borrow() {
        assert!(borrows(&syn::parse_quote!(Option<&str>)));
        assert!(borrows(&syn::parse_quote!(Filter<'_>)));
        assert!(!borrows(&syn::parse_quote!(&'static str)));
        assert!(!borrows(&syn::parse_quote!(Box<dyn Fn(&str) -> u8>)));
    }
}
