//! What the options of `#[cached]` mean for this function: checked, with every default filled in.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Expr, Type};

use super::args::{Args, Skip};
use super::batch::Batch;
use super::forms;
use super::rules::{self, Spread};
use crate::attribute::arguments::{Argument, Form};
use crate::attribute::function::{Access, Function, Kind};
use crate::attribute::mentions::{borrows, mentions, names_self_in};
use crate::attribute::spell::spell;
use crate::attribute::template::Template;
use crate::diag::{Mistakes, listed, nearest};
use crate::runtime::Runtime;

/// An annotated function and what is to become of it.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) function: Function,
    pub(crate) args: Args,
    pub(crate) runtime: Runtime,
    pub(crate) spread: Option<Spread>,
    /// The tags that are made of arguments.
    pub(crate) tags: Vec<Template>,
    /// The tags that are named as they are, each once.
    pub(crate) constant_tags: Vec<Literal>,
    /// The arguments that companions take: all that say which entry it is.
    pub(crate) parts: Vec<Argument>,
    /// What a call for one of these gives: what the function returns, unless it is for many keys.
    pub(crate) each: Type,
    /// The argument that holds many keys, if there is one.
    pub(crate) batch: Option<Batch>,
    pub(crate) placement: Placement,
    /// The option by which loads may outlive their calls, if one is given.
    pub(crate) detached_by: Option<&'static str>,
    /// The signature, as text.
    pub(crate) signature: String,
    /// The options, as text.
    pub(crate) options: String,
}

/// Where companions can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Beside a free function.
    Module,
    /// Beside a method, called through `Self`.
    Associated,
    /// Nowhere: everything is inside the function.
    Inline,
}

impl Model {
    /// Checks the options against each other and against the function.
    pub(crate) fn new(mut args: Args, function: Function, options: TokenStream, mistakes: &mut Mistakes) -> Self {
        let spread = args.jitter.take().and_then(|jitter| rules::spread(jitter, mistakes));
        rules::check(&args, spread.as_ref(), mistakes);
        forms::check(&args, mistakes);
        let batch = Batch::find(&args, &function, mistakes);
        // What tags and keys are made of.
        let of_one = batch.as_ref().map(|batch| batch.of_one(&function));
        let of_one = of_one.as_ref().unwrap_or(&function);
        let tags: Vec<Template> =
            args.tags.iter().filter_map(|literal| Template::parse(literal, of_one, mistakes)).collect();
        check_output(&function, mistakes);
        let skipped = skipped(args.skip.as_ref(), &function, mistakes);
        check_skip(&args, &tags, &skipped, mistakes);
        let parts = parts(&args, of_one, &tags, &skipped);
        if let Some(batch) = &batch {
            batch.check(&args, &function, &tags, mistakes);
        }
        let constant_tags = constants(&tags);
        let tags = tags.into_iter().filter(|tag| tag.constant().is_none()).collect();
        if args.key.is_none() {
            check_wild(&parts, mistakes);
        }
        let detached_by = detached_by(&args);
        if let Some(option) = detached_by {
            check_detached(option, &function, mistakes);
        }
        let runtime = args.root.as_ref().map_or_else(Runtime::new, Runtime::at);
        let each = match &batch {
            Some(_) => Batch::each(&function.output, &runtime),
            None => function.output.clone(),
        };
        let placement = placement(&args, &function, mistakes);
        let signature = spell(function.item.sig.to_token_stream());
        Self {
            function,
            args,
            runtime,
            spread,
            tags,
            constant_tags,
            parts,
            each,
            batch,
            placement,
            detached_by,
            signature,
            options: spell(options),
        }
    }
}

fn placement(args: &Args, function: &Function, mistakes: &mut Mistakes) -> Placement {
    if let (Some(_), Some(span)) = (args.in_trait, args.in_impl) {
        mistakes.at(
            span,
            "`in_trait` and `in_impl` contradict each other; `in_impl` is for associated functions of a type",
        );
    }
    if let (Some(span), Some(_)) = (args.in_impl, &function.receiver) {
        mistakes.at(span, "`in_impl` is for functions without `self`; remove it");
    }
    let item = &function.item;
    let names_self = || mentions(item.sig.to_token_stream(), "Self") || names_self_in(&item.block);
    if args.in_trait.is_some() || function.kind == Kind::Boxed {
        Placement::Inline
    } else if function.receiver.is_some() || args.in_impl.is_some() || names_self() {
        Placement::Associated
    } else {
        Placement::Module
    }
}

fn check_output(function: &Function, mistakes: &mut Mistakes) {
    let output = &function.output;
    let nothing = match output {
        Type::Verbatim(_) => Some(function.item.sig.ident.to_token_stream()),
        Type::Never(_) => Some(output.to_token_stream()),
        Type::Tuple(tuple) if tuple.elems.is_empty() => Some(output.to_token_stream()),
        _ => None,
    };
    if let Some(place) = nothing {
        let name = &function.item.sig.ident;
        mistakes.under(place, format!("`{name}` returns nothing to keep; return a value, or remove `#[cached]`"));
    } else if borrows(output) {
        mistakes.under(
            output,
            "a kept value can't borrow from the call; return an owned value, such as `String` or `Arc<str>`",
        );
    }
}

/// Returns which arguments are skipped, by position.
fn skipped(skip: Option<&Skip>, function: &Function, mistakes: &mut Mistakes) -> Vec<bool> {
    let mut skipped = vec![false; function.arguments.len()];
    for (name, span) in skip.iter().flat_map(|skip| &skip.names) {
        let mut found = false;
        for (position, argument) in function.arguments.iter().enumerate() {
            let is_meant = match &argument.form {
                Form::Wild => name == "_",
                Form::Name => argument.name == name,
                Form::Borrowable(..) | Form::Other(_) => false,
            };
            skipped[position] |= is_meant;
            found |= is_meant;
        }
        if !found {
            mistakes.at(*span, no_argument(name, function));
        }
    }
    skipped
}

pub(super) fn no_argument(name: &str, function: &Function) -> String {
    let is_bound = function.arguments.iter().any(|argument| argument.names().iter().any(|bound| *bound == name));
    if is_bound {
        return format!("`{name}` is a part of an argument; bind the argument to a plain name to skip it");
    }
    if name == "self" {
        return "`self` can't be skipped here; `#[derive(CacheScope)]` says which of its fields count".into();
    }
    let known: Vec<String> = function.arguments.iter().flat_map(Argument::names).map(ToString::to_string).collect();
    let names = || known.iter().map(String::as_str);
    match nearest(name, names()) {
        Some(near) => format!("there is no argument `{name}`; did you mean `{near}`?"),
        None if known.is_empty() => format!("there is no argument `{name}`; this function has none"),
        None => format!("there is no argument `{name}`; there is {}", listed(names())),
    }
    .replace("`_`", "`_` without a name")
}

/// Returns the tags that name no argument, each once.
fn constants(tags: &[Template]) -> Vec<Literal> {
    let mut constants: Vec<Literal> = Vec::new();
    for tag in tags.iter().filter_map(Template::constant) {
        if constants.iter().all(|known| known.to_string() != tag.to_string()) {
            constants.push(tag);
        }
    }
    constants
}

fn check_skip(args: &Args, tags: &[Template], skipped: &[bool], mistakes: &mut Mistakes) {
    if let (Some(skip), Some(_)) = (&args.skip, &args.key) {
        mistakes.at(skip.span, "`key` replaces all arguments, so `skip` has no effect; remove `skip`");
        return;
    }
    let names = args.skip.iter().flat_map(|skip| &skip.names).filter(|_| skipped.contains(&true));
    for (name, _) in names {
        for tag in tags.iter().filter(|tag| mentions(tag.mentioned(), name)) {
            mistakes.at(
                tag.span(),
                format!(
                    "`{name}` is skipped, so one entry serves all its values and this tag would be the first caller's; remove \
                     it from the tag, or from `skip`"
                ),
            );
        }
    }
}

fn check_wild(parts: &[Argument], mistakes: &mut Mistakes) {
    for argument in parts.iter().filter(|argument| matches!(argument.form, Form::Wild)) {
        mistakes.under(
            &argument.pattern,
            "an argument that is part of the key needs a name; name it, or leave it out with `skip(_)`",
        );
    }
}

/// Picks the arguments that say which entry it is.
fn parts(args: &Args, function: &Function, tags: &[Template], skipped: &[bool]) -> Vec<Argument> {
    let arguments = function.arguments.iter();
    let Some(key) = &args.key else {
        return arguments
            .zip(skipped)
            .filter(|(_, is_skipped)| !**is_skipped)
            .map(|(argument, _)| argument.clone())
            .collect();
    };
    let cache = &args.cache;
    let mut used = quote!(#key #cache);
    used.extend(tags.iter().map(Template::mentioned));
    arguments.filter(|argument| argument.is_mentioned(&used)).cloned().collect()
}

fn detached_by(args: &Args) -> Option<&'static str> {
    let spans = &args.spans;
    let by = [
        ("soft_ttl", &spans.soft_ttl),
        ("refresh_ahead", &spans.refresh_ahead),
        ("timeout", &spans.timeout),
        ("soft_timeout", &spans.soft_timeout),
    ];
    by.into_iter().find(|(_, span)| span.is_some()).map(|(name, _)| name)
}

fn check_detached(option: &str, function: &Function, mistakes: &mut Mistakes) {
    if let Some(receiver) = &function.receiver
        && receiver.access == Access::Exclusive
    {
        mistakes.at(receiver.span, exclusive(option, "&self"));
    }
    for argument in &function.arguments {
        let (is_exclusive, inner) = match &argument.ty {
            Type::Reference(reference) => (reference.mutability.is_some(), &*reference.elem),
            ty => (false, ty),
        };
        if is_exclusive {
            mistakes.under(&argument.ty, exclusive(option, &spell(argument.borrowed_type())));
        } else if borrows(inner) {
            mistakes.under(
                &argument.ty,
                format!(
                    "`{option}` loads in the background, which can't hold what this type borrows; take an owned value, or \
                     remove `{option}`"
                ),
            );
        }
    }
}

fn exclusive(option: &str, what: &str) -> String {
    format!("`{option}` loads in the background, which can't hold a `&mut`; take `{what}`, or remove `{option}`")
}

impl Model {
    /// The expression that names the cache, and whether it uses arguments.
    pub(crate) fn cache(&self) -> Option<(&Expr, bool)> {
        let cache = self.args.cache.as_ref()?;
        let tokens = cache.to_token_stream();
        Some((cache, self.function.arguments.iter().any(|argument| argument.is_mentioned(&tokens))))
    }

    /// Where errors about the returned type show.
    pub(crate) fn output_span(&self) -> Span {
        syn::spanned::Spanned::span(&self.function.output)
    }
}
