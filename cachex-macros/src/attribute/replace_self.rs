//! Gives a body another `self`: a load that outlives its call has a clone of it.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use syn::visit_mut::VisitMut;
use syn::{Block, Item, Macro, Path};

/// Replaces `self` by the local `name` in a body, but not in items inside, which have their own.
pub(crate) fn replace_self(body: &mut Block, name: &Ident) {
    Replace { name }.visit_block_mut(body);
}

struct Replace<'a> {
    name: &'a Ident,
}

impl Replace<'_> {
    fn ident(&self, old: &Ident) -> Ident {
        super::moved_to(self.name, old.span())
    }

    fn tokens(&self, tokens: TokenStream) -> TokenStream {
        tokens
            .into_iter()
            .map(|token| match token {
                TokenTree::Ident(ident) if ident == "self" => TokenTree::Ident(self.ident(&ident)),
                TokenTree::Group(group) => {
                    let mut replaced = Group::new(group.delimiter(), self.tokens(group.stream()));
                    replaced.set_span(group.span());
                    TokenTree::Group(replaced)
                }
                other => other,
            })
            .collect()
    }
}

impl VisitMut for Replace<'_> {
    fn visit_path_mut(&mut self, path: &mut Path) {
        // `self::name` is a path of the module.
        if path.segments.len() > 1 || path.leading_colon.is_some() {
            return syn::visit_mut::visit_path_mut(self, path);
        }
        for segment in &mut path.segments {
            if segment.ident == "self" {
                segment.ident = self.ident(&segment.ident);
            }
            self.visit_path_arguments_mut(&mut segment.arguments);
        }
    }

    fn visit_macro_mut(&mut self, macro_: &mut Macro) {
        macro_.tokens = self.tokens(std::mem::take(&mut macro_.tokens));
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
}
