//! The arguments of the annotated function: their names, whatever their patterns, by value and by reference.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{FnArg, Generics, Pat, PatType, Type, TypeGroup, TypeParen};

use super::mentions::{has_impl_trait, mentions};

/// One argument but `self`.
#[derive(Clone, Debug)]
pub(crate) struct Argument {
    /// The name of the whole argument: the user's, or a fresh one if the user gave a pattern.
    pub(crate) name: Ident,
    /// The type, as written.
    pub(crate) ty: Type,
    /// The pattern, as written.
    pub(crate) pattern: Pat,
    /// What the pattern is to us.
    pub(crate) form: Form,
}

/// The forms of an argument's pattern.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// A name, perhaps with `mut`.
    Name,
    /// `_`.
    Wild,
    /// A pattern whose names can also be bound by reference, by this pattern.
    Borrowable(Box<Pat>, Vec<Ident>),
    /// Any other pattern, with its names.
    Other(Vec<Ident>),
}

impl Argument {
    fn new(position: usize, typed: &PatType) -> Self {
        let fresh = || Ident::new(&format!("argument_{position}"), Span::mixed_site());
        let (name, form) = match &*typed.pat {
            Pat::Ident(ident) if ident.subpat.is_none() && ident.by_ref.is_none() => (ident.ident.clone(), Form::Name),
            Pat::Wild(_) => (fresh(), Form::Wild),
            other => {
                let mut names = Vec::new();
                let form = match borrowable(other, &mut names) {
                    Some(pattern) => Form::Borrowable(Box::new(pattern), names),
                    None => Form::Other(names),
                };
                (fresh(), form)
            }
        };
        Self { name, ty: (*typed.ty).clone(), pattern: (*typed.pat).clone(), form }
    }

    /// Reads the arguments of a signature.
    pub(crate) fn all<'a>(inputs: impl IntoIterator<Item = &'a FnArg>) -> Vec<Self> {
        let typed = inputs.into_iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        });
        typed.enumerate().map(|(position, typed)| Self::new(position, typed)).collect()
    }

    /// The names that the user's code sees.
    pub(crate) fn names(&self) -> Vec<&Ident> {
        match &self.form {
            Form::Name => vec![&self.name],
            Form::Wild => Vec::new(),
            Form::Borrowable(_, names) | Form::Other(names) => names.iter().collect(),
        }
    }

    /// Returns whether the tokens use one of the argument's names.
    pub(crate) fn is_mentioned(&self, tokens: &TokenStream) -> bool {
        self.names().iter().any(|name| mentions(tokens.clone(), &name.to_string()))
    }

    /// Returns whether the argument goes by one name, so that it is declared as the user did.
    pub(crate) fn is_named(&self) -> bool {
        matches!(self.form, Form::Name)
    }

    /// Returns whether the argument is a shared reference to something that the caller chooses the type of.
    pub(crate) fn is_generic_reference(&self, generics: &Generics) -> bool {
        let Type::Reference(reference) = &self.ty else { return false };
        let inner = reference.elem.to_token_stream();
        reference.mutability.is_none()
            && (has_impl_trait(&reference.elem)
                || generics.type_params().any(|param| mentions(inner.clone(), &param.ident.to_string())))
    }

    /// The type of the argument where it is passed by reference; a reference stays as it is.
    pub(crate) fn borrowed_type(&self) -> TokenStream {
        match &self.ty {
            Type::Reference(reference) => {
                let (lifetime, inner) = (&reference.lifetime, &reference.elem);
                quote!(& #lifetime #inner)
            }
            Type::ImplTrait(ty) if ty.bounds.len() > 1 => quote!(&(#ty)),
            ty => quote!(&#ty),
        }
    }

    /// The argument as a reference, of [`borrowed_type`](Self::borrowed_type), where it is there by value.
    pub(crate) fn borrowed(&self) -> TokenStream {
        let name = &self.name;
        match &self.ty {
            Type::Reference(reference) if reference.mutability.is_some() => quote!(&*#name),
            Type::Reference(_) => quote!(#name),
            _ => quote!(&#name),
        }
    }

    /// Makes the name of the whole argument mean a reference, where it is there by value.
    pub(crate) fn bind_part(&self) -> TokenStream {
        let (name, borrowed) = (&self.name, self.borrowed());
        quote!(let #name = #borrowed;)
    }

    /// Makes the user's names mean references, for `tokens` that use them. `is_by_value` says what the argument is now.
    pub(crate) fn bind_borrowed(&self, tokens: &TokenStream, is_by_value: bool) -> TokenStream {
        if !self.is_mentioned(tokens) {
            return TokenStream::new();
        }
        let name = &self.name;
        match &self.form {
            Form::Name if is_by_value => {
                let borrowed = self.borrowed();
                quote!(let #name = #borrowed;)
            }
            Form::Borrowable(pattern, _) => quote! {
                #[allow(unused_variables)]
                let #pattern = &#name;
            },
            _ => TokenStream::new(),
        }
    }

    /// Makes the user's pattern from the argument, at the start of a body that stands where the argument has our name.
    pub(crate) fn bind_pattern(&self) -> TokenStream {
        let (name, pattern) = (&self.name, &self.pattern);
        let is_done = matches!(pattern, Pat::Ident(ident) if ident.mutability.is_none() && self.is_named());
        if is_done { TokenStream::new() } else { quote!(let #pattern = #name;) }
    }

    /// What the argument refers to, if it is a reference.
    pub(crate) fn referred(&self) -> Option<&Type> {
        let Type::Reference(reference) = &self.ty else { return None };
        let mut inner = &*reference.elem;
        while let Type::Paren(TypeParen { elem, .. }) | Type::Group(TypeGroup { elem, .. }) = inner {
            inner = elem;
        }
        Some(inner)
    }

    /// Where an error about the argument's type shows.
    pub(crate) fn type_span(&self) -> Span {
        self.ty.span()
    }
}

/// Turns a pattern into one that binds references when matched with a reference; nothing if it can't be.
fn borrowable(pattern: &Pat, names: &mut Vec<Ident>) -> Option<Pat> {
    let mut pattern = pattern.clone();
    if let Pat::Reference(reference) = pattern {
        pattern = *reference.pat;
    }
    strip(&mut pattern, names).then_some(pattern)
}

/// Removes `mut` and `ref` and notes the names; returns whether the pattern can be matched with a reference.
fn strip(pattern: &mut Pat, names: &mut Vec<Ident>) -> bool {
    match pattern {
        Pat::Ident(ident) => {
            names.push(ident.ident.clone());
            ident.mutability = None;
            ident.by_ref = None;
            match &mut ident.subpat {
                Some((_, inner)) => {
                    strip(inner, names);
                    false
                }
                None => true,
            }
        }
        Pat::Tuple(tuple) => all(tuple.elems.iter_mut(), names),
        Pat::TupleStruct(tuple) => all(tuple.elems.iter_mut(), names),
        Pat::Slice(slice) => all(slice.elems.iter_mut(), names),
        Pat::Struct(fields) => all(fields.fields.iter_mut().map(|field| &mut *field.pat), names),
        Pat::Paren(inner) => strip(&mut inner.pat, names),
        Pat::Wild(_) | Pat::Rest(_) => true,
        _ => false,
    }
}

fn all<'a>(patterns: impl Iterator<Item = &'a mut Pat>, names: &mut Vec<Ident>) -> bool {
    // No short cut: all names are wanted.
    let mut is_borrowable = true;
    for pattern in patterns {
        is_borrowable &= strip(pattern, names);
    }
    is_borrowable
}

/// The argument as it is declared in our function: under one name.
pub(crate) fn declared(input: &FnArg, argument: &Argument) -> TokenStream {
    let FnArg::Typed(typed) = input else { return input.to_token_stream() };
    let (name, ty, attributes) = (&argument.name, &typed.ty, &typed.attrs);
    quote!(#(#attributes)* #name: #ty)
}

/// The name of a companion of the method.
pub(crate) fn companion(method: &Ident, suffix: &str) -> Ident {
    format_ident!("{method}_{suffix}")
}

/// The name of the hidden function that writes the key. It is the first name that rustc misses where companions can't stand, so
/// it says what to write.
pub(crate) fn hidden_call(method: &Ident, is_method: bool) -> Ident {
    hidden(method, if is_method { "_in_a_trait_impl_write_in_trait" } else { "_in_an_impl_write_in_impl" })
}

/// The name of a hidden companion of the method.
pub(crate) fn hidden(method: &Ident, suffix: &str) -> Ident {
    let method = method.unraw();
    Ident::new(&format!("__cachex_{method}{suffix}"), method.span())
}
