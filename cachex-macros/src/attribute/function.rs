//! The annotated item: a function or method, sync, async, or what `async_trait` made of an async one.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{
    Expr, ExprAsync, FnArg, GenericArgument, ItemFn, PathArguments, Receiver, ReceiverKind, ReturnType, Safety, Stmt,
    Type, TypeParamBound,
};

use super::arguments::Argument;
use super::mentions::has_impl_trait;
use crate::diag::Mistakes;

/// The annotated function.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// As written.
    pub(crate) item: ItemFn,
    /// `self`, if it has one.
    pub(crate) receiver: Option<SelfArgument>,
    /// The other arguments.
    pub(crate) arguments: Vec<Argument>,
    /// What a call gives in the end.
    pub(crate) output: Type,
    /// How it gives it.
    pub(crate) kind: Kind,
}

/// How a function gives its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By returning.
    Blocking,
    /// By an `async fn`.
    Async,
    /// By a boxed future, as `async_trait` writes it.
    Boxed,
}

/// `self`, as declared.
#[derive(Clone, Debug)]
pub(crate) struct SelfArgument {
    /// The token `self`.
    pub(crate) span: Span,
    /// How the method holds it.
    pub(crate) access: Access,
    /// `&*self`: an expression of type `&Self`.
    pub(crate) shared: TokenStream,
}

/// How a method holds its `self`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// `&self`.
    Shared,
    /// `&mut self`, also behind `Pin`.
    Exclusive,
    /// `self`, `self: Arc<Self>`.
    Owned,
}

impl Function {
    /// Reads the annotated item; what is no function with a body is a mistake.
    pub(crate) fn parse(attribute: &str, tokens: TokenStream, mistakes: &mut Mistakes) -> Option<Self> {
        let item: ItemFn = match syn::parse2(tokens.clone()) {
            Ok(item) => item,
            Err(error) => {
                mistakes.add(not_a_function(attribute, tokens, error));
                return None;
            }
        };
        let kind = if item.sig.asyncness.is_some() { Kind::Async } else { Kind::Blocking };
        let output = match &item.sig.output {
            ReturnType::Type(_, ty) => (**ty).clone(),
            ReturnType::Default => Type::Verbatim(quote_spanned!(item.sig.ident.span()=> ())),
        };
        let (kind, output) = match future_output(&output) {
            Some(inner) if kind == Kind::Blocking => (Kind::Boxed, inner),
            _ => (kind, output),
        };
        let function = Self {
            receiver: item.sig.receiver().map(SelfArgument::new),
            arguments: Argument::all(&item.sig.inputs),
            output,
            kind,
            item,
        };
        function.check(attribute, mistakes);
        Some(function)
    }

    fn check(&self, attribute: &str, mistakes: &mut Mistakes) {
        let sig = &self.item.sig;
        for other in &self.item.attrs {
            let name = other.path().segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
            let is_ours = ["cached", "invalidates", "updates"].contains(&name.as_str());
            // A write may invalidate and update; one that is kept would not be done again.
            if is_ours && (attribute == "cached" || name == "cached") {
                mistakes.under(
                    other,
                    format!("`#[{attribute}]` and `#[{name}]` on one function: a read that is kept can't be a write; part them into two functions"),
                );
            }
        }
        if let Some(token) = sig.constness {
            mistakes
                .under(token, format!("`#[{attribute}]` needs a cache, which a `const fn` has not; remove `const`"));
        }
        if let Safety::Unsafe(token) = sig.safety {
            mistakes.under(
                token,
                format!(
                    "`#[{attribute}]` can't keep the promises of an `unsafe fn`; annotate a safe function that calls it"
                ),
            );
        }
        if let Some(token) = &sig.variadic {
            mistakes.under(token, "a variadic function has no list of arguments; write them out");
        }
        for input in &sig.inputs {
            let attributes = match input {
                FnArg::Typed(typed) => &typed.attrs,
                FnArg::Receiver(receiver) => &receiver.attrs,
            };
            for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")) {
                mistakes.under(attribute, "an argument can't be conditional here; put `#[cfg]` on two whole functions");
            }
        }
        if has_impl_trait(&self.output) {
            let mend = if sig.asyncness.is_none() && is_future(&self.output) {
                "write it as an `async fn`"
            } else {
                "name the type, such as `Vec<…>` or `Arc<…>`"
            };
            let problem = match attribute {
                "cached" => "`impl Trait` has no name by which its value could be kept",
                _ => "`impl Trait` does not tell whether the call succeeded",
            };
            mistakes.under(&self.output, format!("{problem}; {mend}"));
        }
        if self.kind == Kind::Boxed && self.boxed_body().is_none() {
            mistakes.under(&sig.output, "a boxed future can't be taken apart here; write it as an `async fn`");
        }
    }

    /// The body of a [`Kind::Boxed`] function: the block in `Box::pin(async move { … })`.
    pub(crate) fn boxed_body(&self) -> Option<&ExprAsync> {
        let [Stmt::Expr(Expr::Call(call), None)] = self.item.block.stmts.as_slice() else { return None };
        let Expr::Path(callee) = &*call.func else { return None };
        let is_box_pin = callee.path.segments.iter().rev().map(|segment| &segment.ident).take(2).eq(["pin", "Box"]);
        match call.args.first() {
            Some(Expr::Async(block)) if is_box_pin && call.args.len() == 1 => Some(block),
            _ => None,
        }
    }

    /// Returns whether the caller awaits the result.
    pub(crate) fn is_async(&self) -> bool {
        self.kind != Kind::Blocking
    }

    /// The names that options may use, `self` included.
    pub(crate) fn names(&self) -> Vec<String> {
        let receiver = self.receiver.iter().map(|_| "self".to_owned());
        let arguments = self.arguments.iter().flat_map(Argument::names).map(ToString::to_string);
        receiver.chain(arguments).collect()
    }
}

impl SelfArgument {
    fn new(receiver: &Receiver) -> Self {
        let span = receiver.self_token.span;
        let (access, dereferences) = match &receiver.kind {
            ReceiverKind::Typed(_, ty) => access(ty),
            ReceiverKind::Reference(_, _, Some(_)) => (Access::Exclusive, 1),
            ReceiverKind::Reference(_, _, None) => (Access::Shared, 1),
            _ => (Access::Owned, 0),
        };
        let token = receiver.self_token;
        let shared = match (access, dereferences) {
            (Access::Shared, 1) => quote_spanned!(span=> #token),
            (_, dereferences) => {
                let stars = (0..dereferences).map(|_| quote_spanned!(span=> *));
                quote_spanned!(span=> &#(#stars)*#token)
            }
        };
        Self { span, access, shared }
    }
}

/// Looks through references and smart pointers for `Self`: how it is held, and how many times to dereference.
fn access(ty: &Type) -> (Access, usize) {
    match ty {
        Type::Reference(reference) => {
            let (_, inner) = access(&reference.elem);
            let access = if reference.mutability.is_some() { Access::Exclusive } else { Access::Shared };
            (access, inner + 1)
        }
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else { return (Access::Owned, 0) };
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return (Access::Owned, 0) };
            match arguments.args.first() {
                // `Pin` dereferences through its pointer at once.
                Some(GenericArgument::Type(inner)) if last.ident == "Pin" => match access(inner) {
                    (Access::Shared, depth) => (Access::Owned, depth),
                    other => other,
                },
                Some(GenericArgument::Type(inner)) => (Access::Owned, access(inner).1 + 1),
                _ => (Access::Owned, 0),
            }
        }
        _ => (Access::Owned, 0),
    }
}

/// The `R` of `Pin<Box<dyn Future<Output = R> + …>>`.
fn future_output(ty: &Type) -> Option<Type> {
    let boxed = only_argument(ty, "Pin")?;
    let Type::TraitObject(object) = only_argument(boxed, "Box")? else { return None };
    object.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last().filter(|last| last.ident == "Future")?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(output) if output.ident == "Output" => Some(output.ty.clone()),
            _ => None,
        })
    })
}

fn only_argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) => Some(inner),
        _ => None,
    }
}

fn is_future(ty: &Type) -> bool {
    let Type::ImplTrait(ty) = ty else { return false };
    ty.bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|last| last.ident == "Future"),
        _ => false,
    })
}

fn not_a_function(attribute: &str, tokens: TokenStream, error: syn::Error) -> syn::Error {
    if let Ok(method) = syn::parse2::<syn::TraitItemFn>(tokens.clone()) {
        let message = "a method without a body has nothing to run; annotate the method where it is implemented";
        return syn::Error::new(method.sig.ident.span(), format!("`#[{attribute}]`: {message}"));
    }
    match syn::parse2::<syn::Item>(tokens.clone()) {
        Ok(syn::Item::Fn(_)) | Err(_) => error,
        Ok(_) => {
            let first = tokens.into_iter().next().map_or_else(Span::call_site, |token| token.span());
            syn::Error::new(first.span(), format!("`#[{attribute}]` belongs on a function or method"))
        }
    }
}
