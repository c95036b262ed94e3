//! Which fields belong to the keys of a type's methods, and which is their cache.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::{Data, DeriveInput, Generics, Member, Type};

use super::args::{self, Role};
use crate::cache_key::bounds;
use crate::diag::Mistakes;
use crate::runtime::Runtime;

/// A type whose scope is derived.
pub(crate) struct Model {
    pub(crate) runtime: Runtime,
    pub(crate) ident: Ident,
    /// With the bounds that the impl needs.
    pub(crate) generics: Generics,
    /// The fields that are parts of the key, in their order.
    pub(crate) parts: Vec<Field>,
    pub(crate) cache: Option<Field>,
}

pub(crate) struct Field {
    pub(crate) member: Member,
    /// What the field is called in generated code.
    pub(crate) local: Ident,
    pub(crate) ty: Type,
}

pub(crate) fn read(input: DeriveInput, mistakes: &mut Mistakes) -> Model {
    let runtime = args::of_type(&input.attrs, mistakes).map_or_else(Runtime::new, |path| Runtime::at(&path));
    let mut model = Model { runtime, ident: input.ident, generics: input.generics, parts: Vec::new(), cache: None };
    match input.data {
        Data::Struct(data) => model.add_fields(data.fields, mistakes),
        Data::Enum(data) => mistakes.at(
            data.enum_token.span,
            "`CacheScope` is derived for structs; for an enum implement `cachex::CacheScope` by hand, or make it a `#[scope]` \
             field of a struct that has the methods",
        ),
        Data::Union(data) => mistakes.at(
            data.union_token.span,
            "`CacheScope` is derived for structs; a union does not say which of its fields is meant: implement \
             `cachex::CacheScope` by hand",
        ),
    }
    model.add_bounds();
    model
}

impl Model {
    fn add_fields(&mut self, fields: syn::Fields, mistakes: &mut Mistakes) {
        let members: Vec<Member> = fields.members().collect();
        for (at, (member, field)) in members.into_iter().zip(fields).enumerate() {
            let role = args::of_field(&field.attrs, mistakes);
            let local = format_ident!("field_{at}", span = Span::mixed_site());
            let field = Field { member, local, ty: field.ty };
            match role {
                Role::None => {}
                Role::Part => self.parts.push(field),
                Role::Cache(span) if self.cache.is_some() => {
                    mistakes.at(
                        span,
                        "another field is the cache already, and the methods use one; remove one of the marks",
                    );
                }
                Role::Cache(_) => self.cache = Some(field),
            }
        }
    }

    // A bound on a type without parameters would be either no news or a second error beside the one at the field.
    fn add_bounds(&mut self) {
        let Self { runtime, generics, parts, cache, .. } = self;
        for (field, bound) in
            parts.iter().map(|part| (part, "CacheKey")).chain(cache.iter().map(|cache| (cache, "HasCache")))
        {
            if bounds::is_generic(&field.ty, generics) {
                bounds::require(generics, &field.ty, bound, runtime);
            }
        }
    }
}
