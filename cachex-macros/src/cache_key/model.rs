//! What of a type is written into a key.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Generics, Member, Type};

use super::args::{self, How};
use super::bounds;
use crate::diag::Mistakes;
use crate::runtime::Runtime;

/// A type whose key is derived.
pub(crate) struct Model {
    pub(crate) runtime: Runtime,
    pub(crate) ident: Ident,
    /// With the bounds that the impl needs.
    pub(crate) generics: Generics,
    pub(crate) body: Body,
}

/// What the type consists of.
pub(crate) enum Body {
    /// A tuple struct of one field, which is written as the field alone.
    Newtype(Box<Field>),
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
    /// A union, which was refused.
    Refused,
}

pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) fields: Vec<Field>,
}

/// A field that is part of the key.
pub(crate) struct Field {
    pub(crate) member: Member,
    /// What the field is called in generated code.
    pub(crate) local: Ident,
    pub(crate) ty: Type,
    pub(crate) with: Option<syn::Path>,
}

pub(crate) fn read(input: DeriveInput, mistakes: &mut Mistakes) -> Model {
    let runtime = args::of_type(&input.attrs, mistakes).map_or_else(Runtime::new, |path| Runtime::at(&path));
    let body = match input.data {
        Data::Struct(data) => {
            let is_newtype = matches!(&data.fields, syn::Fields::Unnamed(fields) if fields.unnamed.len() == 1);
            let mut fields = kept(data.fields, mistakes);
            match fields.pop() {
                Some(field) if is_newtype => Body::Newtype(Box::new(field)),
                last => {
                    fields.extend(last);
                    Body::Struct(fields)
                }
            }
        }
        Data::Enum(data) => {
            Body::Enum(data.variants.into_iter().map(|variant| read_variant(variant, mistakes)).collect())
        }
        Data::Union(data) => {
            mistakes.at(
                data.union_token.span,
                "a union does not say which of its fields is meant; use an enum, or implement `cachex::CacheKey` by hand",
            );
            Body::Refused
        }
    };
    let generics = bounds::for_fields(input.generics, body.fields(), &runtime);
    Model { runtime, ident: input.ident, generics, body }
}

fn read_variant(variant: syn::Variant, mistakes: &mut Mistakes) -> Variant {
    args::of_variant(&variant.attrs, mistakes);
    Variant { ident: variant.ident, fields: kept(variant.fields, mistakes) }
}

fn kept(fields: syn::Fields, mistakes: &mut Mistakes) -> Vec<Field> {
    let members: Vec<Member> = fields.members().collect();
    let mut kept = Vec::new();
    for (member, field) in members.into_iter().zip(fields) {
        let with = match args::of_field(&field.attrs, mistakes) {
            How::Skip => continue,
            How::With(path) => Some(path),
            How::Itself => None,
        };
        let local = format_ident!("field_{}", kept.len(), span = Span::mixed_site());
        kept.push(Field { member, local, ty: field.ty, with });
    }
    kept
}

impl Body {
    fn fields(&self) -> Vec<&Field> {
        match self {
            Body::Newtype(field) => vec![field],
            Body::Struct(fields) => fields.iter().collect(),
            Body::Enum(variants) => variants.iter().flat_map(|variant| &variant.fields).collect(),
            Body::Refused => Vec::new(),
        }
    }
}

impl Field {
    /// Returns the name that goes into the fingerprint: the field's own, or its place.
    pub(crate) fn name(&self) -> String {
        match &self.member {
            Member::Named(ident) => ident.unraw().to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        }
    }
}
