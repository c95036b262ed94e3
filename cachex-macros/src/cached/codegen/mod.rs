//! The tokens of `#[cached]`: the function itself, and its companions.
//!
//! Reading order: [`method`] (the function), [`key`] (which entry), [`site`] (the static half), [`load`] (the user's body as a
//! loader), [`batch`] (the same for many keys), [`rules`] (what needs the value), [`companions`], [`generics`].

mod batch;
mod companions;
mod generics;
mod key;
mod load;
mod method;
mod rules;
mod site;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Attribute;

use super::model::{Model, Placement};
use crate::attribute::{local, ours_at};

/// The locals of an expansion.
pub(super) struct Names {
    pub(super) call: Ident,
    pub(super) written: Ident,
    pub(super) out: Ident,
    pub(super) cache: Ident,
    pub(super) found: Ident,
    pub(super) shape: Ident,
    pub(super) tags: Ident,
    pub(super) this: Ident,
    pub(super) kept: Ident,
    pub(super) value: Ident,
}

impl Names {
    fn new(model: &Model) -> Self {
        Self {
            call: local("call"),
            written: local("written"),
            out: local("out"),
            cache: local("cache"),
            found: local("found"),
            // What is wrong with the shape shows under the return type.
            shape: Ident::new("shape", ours_at(model.output_span())),
            tags: local("tags"),
            this: local("this"),
            kept: local("kept"),
            value: local("value"),
        }
    }
}

/// Spells everything that replaces the annotated item.
pub(crate) fn expand(model: &Model) -> TokenStream {
    let names = Names::new(model);
    let method = method::expand(model, &names);
    if model.placement == Placement::Inline {
        return method;
    }
    let companions = companions::expand(model, &names);
    quote!(#method #companions)
}

/// The attributes that decide whether the item exists.
pub(super) fn conditions(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr"))
}

/// Returns whether an attribute sets the level of lints.
pub(super) fn is_lint_level(attribute: &Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid"].iter().any(|level| attribute.path().is_ident(level))
}
