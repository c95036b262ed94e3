//! What the type parameters of a derived impl must be able to do.

use std::collections::HashSet;

use proc_macro2::{Ident, Span};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Generics, Type, TypePath, parse_quote, parse_quote_spanned};

use super::model::Field;
use crate::runtime::Runtime;

/// Adds a bound for each type parameter, and each type that belongs to one (`T::Id`), that a key is made of.
///
/// Bounds on the fields' types would be more exact, but a type that contains itself would then never fulfil its own.
pub(crate) fn for_fields(mut generics: Generics, fields: Vec<&Field>, runtime: &Runtime) -> Generics {
    let mut needs = Needs::of(&generics);
    for field in fields.into_iter().filter(|field| field.with.is_none()) {
        needs.visit_type(&field.ty);
    }
    for ty in needs.found {
        require(&mut generics, &ty, "CacheKey", runtime);
    }
    generics
}

/// Adds the bound `ty: bound`, to be reported at the type.
pub(crate) fn require(generics: &mut Generics, ty: &Type, bound: &str, runtime: &Runtime) {
    let span = Span::mixed_site().located_at(ty.span());
    let bound = runtime.private_at(bound, span);
    generics.make_where_clause().predicates.push(parse_quote_spanned!(span=> #ty: #bound));
}

/// Returns whether a type depends on the parameters of `generics`.
pub(crate) fn is_generic(ty: &Type, generics: &Generics) -> bool {
    struct Search(HashSet<Ident>, bool);
    impl Visit<'_> for Search {
        fn visit_ident(&mut self, ident: &Ident) {
            self.1 |= self.0.contains(ident);
        }
    }
    let mut search = Search(parameters(generics), false);
    search.visit_type(ty);
    search.1
}

fn parameters(generics: &Generics) -> HashSet<Ident> {
    generics.type_params().map(|param| param.ident.clone()).collect()
}

/// The types among a field's type that need to be parts of keys.
struct Needs {
    parameters: HashSet<Ident>,
    found: Vec<Type>,
}

impl Needs {
    fn of(generics: &Generics) -> Self {
        Self { parameters: parameters(generics), found: Vec::new() }
    }

    fn add(&mut self, ty: Type) {
        if !self.found.contains(&ty) {
            self.found.push(ty);
        }
    }
}

impl<'ast> Visit<'ast> for Needs {
    fn visit_type_path(&mut self, path: &'ast TypePath) {
        // `PhantomData` is written without its type.
        if path.path.segments.last().is_some_and(|last| last.ident == "PhantomData") {
            return;
        }
        let belongs_to_a_parameter = match &path.qself {
            Some(owner) => matches!(&*owner.ty, Type::Path(owner) if self.is_parameter(owner)),
            None => self.is_parameter(path),
        };
        if belongs_to_a_parameter {
            self.add(parse_quote!(#path));
        } else {
            visit::visit_type_path(self, path);
        }
    }
}

impl Needs {
    fn is_parameter(&self, path: &TypePath) -> bool {
        path.path.leading_colon.is_none()
            && path.path.segments.first().is_some_and(|first| self.parameters.contains(&first.ident))
    }
}
