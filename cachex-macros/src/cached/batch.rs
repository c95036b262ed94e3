//! `batch`: one argument holds many keys, and each of its elements has an entry of its own.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, Type};

use super::args::Args;
use crate::attribute::arguments::{Argument, Form};
use crate::attribute::function::{Access, Function, Kind};
use crate::attribute::mentions::{has_impl_trait, mentions};
use crate::attribute::ours_at;
use crate::attribute::template::Template;
use crate::diag::{Mistakes, listed};
use crate::runtime::Runtime;

/// The keys of a call.
#[derive(Debug)]
pub(crate) struct Batch {
    span: Span,
    /// Which of the arguments holds the keys.
    position: usize,
    pub(crate) holder: Holder,
    /// One of them, as an argument.
    pub(crate) element: Argument,
    /// Whether the annotation gives the element a name.
    is_named: bool,
}

/// What an argument with keys is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// `&[K]`.
    Slice,
    /// `Vec<K>`.
    Vec,
}

impl Batch {
    /// Finds the argument that holds the keys.
    pub(crate) fn find(args: &Args, function: &Function, mistakes: &mut Mistakes) -> Option<Self> {
        let (span, each) = args.batch.as_ref()?;
        let position = match each {
            Some(each) => named(&each.argument, function, mistakes)?,
            None => only(*span, function, mistakes)?,
        };
        let argument = &function.arguments[position];
        let (holder, ty) = keys(&argument.ty)?;
        if !argument.is_named() {
            mistakes.under(&argument.pattern, "the argument with the keys needs a plain name; name it, such as `ids`");
            return None;
        }
        if has_impl_trait(&ty) {
            mistakes
                .under(&ty, "the keys of a batch need a type with a name; write it, or a parameter: `fn find<K: …>`");
            return None;
        }
        let name = each.as_ref().map_or(&argument.name, |each| &each.element).clone();
        let others = function.arguments.iter().enumerate().filter(|(other, _)| *other != position);
        if others.flat_map(|(_, other)| other.names()).any(|other| *other == name) {
            mistakes.at(name.span(), format!("`{name}` is another argument; give the element a name of its own"));
        }
        let pattern = syn::parse_quote!(#name);
        let element = Argument { name, ty, pattern, form: Form::Name };
        Some(Self { span: *span, position, holder, element, is_named: each.is_some() })
    }

    /// The arguments of a call for one key.
    pub(crate) fn of_one(&self, function: &Function) -> Function {
        let mut of_one = function.clone();
        of_one.arguments[self.position] = self.element.clone();
        of_one
    }

    /// The arguments but the keys.
    pub(crate) fn others<'a>(&self, function: &'a Function) -> impl Iterator<Item = &'a Argument> {
        let position = self.position;
        function.arguments.iter().enumerate().filter(move |(index, _)| *index != position).map(|(_, other)| other)
    }

    /// The argument with the keys.
    pub(crate) fn argument<'a>(&self, function: &'a Function) -> &'a Argument {
        &function.arguments[self.position]
    }

    /// Spells what a method for one key would return.
    pub(crate) fn each(output: &Type, runtime: &Runtime) -> Type {
        let span = ours_at(output.span());
        let results = runtime.private_at("Results", span);
        Type::Verbatim(quote_spanned!(span=> <#output as #results>::Each))
    }

    /// Notes what does not go with it.
    pub(crate) fn check(&self, args: &Args, function: &Function, tags: &[Template], mistakes: &mut Mistakes) {
        self.check_options(args, mistakes);
        self.check_names(args, function, tags, mistakes);
        if args.in_trait.is_some() || function.kind == Kind::Boxed {
            mistakes.at(
                self.span,
                "`batch` needs companions, which can't stand in the implementation of a trait; annotate a method of the type, and call it \
                 there",
            );
        }
        if let Some(receiver) = function.receiver.as_ref().filter(|receiver| receiver.access != Access::Shared) {
            mistakes.at(receiver.span, "`batch` may run the method more than once for a call; take `&self`");
        }
        for other in self.others(function) {
            if let Type::Reference(reference) = &other.ty
                && reference.mutability.is_some()
            {
                mistakes
                    .under(&other.ty, "`batch` may run the method more than once for a call; take a shared reference");
            }
        }
    }

    fn check_options(&self, args: &Args, mistakes: &mut Mistakes) {
        let spans = &args.spans;
        let background = [
            ("soft_ttl", &spans.soft_ttl),
            ("refresh_ahead", &spans.refresh_ahead),
            ("timeout", &spans.timeout),
            ("soft_timeout", &spans.soft_timeout),
        ];
        for (name, span) in background {
            if let Some(span) = span {
                let message = format!(
                    "`{name}` loads in the background, one key at a time, which `batch` does not; remove one of them"
                );
                mistakes.at(span.span(), message);
            }
        }
        if let Some(rule) = &args.cache_err {
            mistakes.under(
                rule,
                "`cache_err` keeps the error of a key, and that of a batch is no single key's; remove one of them",
            );
        }
        if let Some(span) = args.share_err {
            mistakes.at(
                span,
                "`share_err` shares the error of a key, and that of a batch is no single key's; remove one of them",
            );
        }
    }

    fn check_names(&self, args: &Args, function: &Function, tags: &[Template], mistakes: &mut Mistakes) {
        let (all, one) = (self.argument(function).name.to_string(), self.element.name.to_string());
        if let Some(skip) = &args.skip {
            for (_, span) in skip.names.iter().filter(|(name, _)| *name == all || *name == one) {
                mistakes.at(*span, "the keys of a batch can't be skipped; remove them from `skip`, or remove `batch`");
            }
        }
        for tag in tags.iter().filter(|tag| !self.is_named && mentions(tag.mentioned(), &all)) {
            let message =
                format!("`{all}` are all keys, and a tag is made of one: write `batch(id in {all})` and `{{id}}`");
            mistakes.at(tag.span(), message);
        }
        if let Some(key) = args.key.as_ref().filter(|key| !self.is_named || !mentions(key.to_token_stream(), &one)) {
            let message = format!(
                "`key` must say what tells one key from another: write `batch(id in {all})`, and use `id` here"
            );
            mistakes.under(key, message);
        }
        let is_of_keys = |tokens: TokenStream| mentions(tokens.clone(), &all) || mentions(tokens, &one);
        if let Some(cache) = args.cache.as_ref().filter(|cache| is_of_keys(cache.to_token_stream())) {
            mistakes.under(cache, "all keys of a call are in one cache; choose it by another argument, or by `self`");
        }
        if let Some(when) = args.when.as_ref().filter(|when| self.is_named && mentions(when.to_token_stream(), &one)) {
            mistakes.under(when, format!("`when` is asked once for all keys; ask about `{all}`"));
        }
    }
}

/// Finds the argument of that name.
fn named(name: &Ident, function: &Function, mistakes: &mut Mistakes) -> Option<usize> {
    let is_meant = |argument: &Argument| argument.names().contains(&name);
    let Some(position) = function.arguments.iter().position(is_meant) else {
        mistakes.at(name.span(), super::model::no_argument(&name.to_string(), function));
        return None;
    };
    let argument = &function.arguments[position];
    if keys(&argument.ty).is_none() {
        mistakes
            .under(&argument.ty, format!("`{name}` holds the keys of a batch: make it a slice, `&[K]`, or a `Vec<K>`"));
        return None;
    }
    Some(position)
}

/// Finds the only argument that can hold keys.
fn only(span: Span, function: &Function, mistakes: &mut Mistakes) -> Option<usize> {
    let of_keys = |(_, argument): &(usize, &Argument)| keys(&argument.ty).is_some();
    let candidates: Vec<_> = function.arguments.iter().enumerate().filter(of_keys).collect();
    match candidates.as_slice() {
        [(position, _)] => Some(*position),
        [] => {
            let message = "`batch` needs an argument with the keys: a slice, such as `ids: &[u64]`, or a `Vec`";
            mistakes.at(span, message);
            None
        }
        [(_, first), ..] => {
            let names: Vec<_> = candidates.iter().map(|(_, argument)| argument.name.to_string()).collect();
            let names = listed(names.iter().map(String::as_str));
            let first = &first.name;
            mistakes.at(span, format!("each of {names} could hold the keys; say which: `batch(id in {first})`"));
            None
        }
    }
}

/// Returns how a type holds keys, and of which type they are.
fn keys(ty: &Type) -> Option<(Holder, Type)> {
    match ty {
        Type::Paren(inner) => keys(&inner.elem),
        Type::Group(inner) => keys(&inner.elem),
        Type::Reference(reference) if reference.mutability.is_none() => match plain(&reference.elem) {
            Type::Slice(slice) => Some((Holder::Slice, (*slice.elem).clone())),
            _ => None,
        },
        Type::Path(path) => {
            let last = path.path.segments.last().filter(|last| last.ident == "Vec")?;
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            match arguments.args.first() {
                Some(GenericArgument::Type(element)) => Some((Holder::Vec, element.clone())),
                _ => None,
            }
        }
        _ => None,
    }
}

fn plain(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inner) => plain(&inner.elem),
        Type::Group(inner) => plain(&inner.elem),
        ty => ty,
    }
}
