//! The syntax between the brackets: `name = value`, flags and calls, separated by commas.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprLit, Lit, LitStr, Path, Token};

use crate::diag::{Mistakes, listed, nearest};

/// One thing that was written between the brackets.
#[derive(Debug)]
pub(crate) enum Item {
    /// `name = value`.
    Named(Ident, Expr),
    /// `name(element in argument)`.
    Each(Ident, Each),
    /// Anything else: a flag, a call.
    Bare(Expr),
}

/// `element in argument`.
#[derive(Debug)]
pub(crate) struct Each {
    pub(crate) element: Ident,
    pub(crate) argument: Ident,
}

/// Reads all items; what can't be read is a mistake, and reading goes on behind the next comma.
pub(crate) fn parse(tokens: TokenStream, mistakes: &mut Mistakes) -> Vec<Item> {
    let mut items = Vec::new();
    let read = |input: ParseStream<'_>| -> syn::Result<()> {
        while !input.is_empty() {
            match item(input) {
                Ok(item) => items.push(item),
                Err(error) => {
                    mistakes.add(error);
                    skip_to_comma(input)?;
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    if let Err(error) = read.parse2(tokens) {
        mistakes.add(error);
    }
    items
}

fn item(input: ParseStream<'_>) -> syn::Result<Item> {
    let is_named =
        input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]) && !input.peek2(Token![=>]);
    if !is_named {
        if is_each(&input.fork()) {
            let name = input.call(Ident::parse_any)?;
            return each.parse2(input.parse::<Group>()?.stream()).map(|each| Item::Each(name, each));
        }
        return input.parse().map(Item::Bare);
    }
    let name = input.call(Ident::parse_any)?;
    let equals = input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(syn::Error::new_spanned(equals, format!("`{name}` has no value; write it behind the `=`")));
    }
    Ok(Item::Named(name, input.parse()?))
}

/// Whether `name(element in argument)` comes.
fn is_each(input: ParseStream<'_>) -> bool {
    input.call(Ident::parse_any).is_ok()
        && input.parse::<Group>().is_ok_and(|group| each.parse2(group.stream()).is_ok())
}

fn each(input: ParseStream<'_>) -> syn::Result<Each> {
    let element = input.parse()?;
    input.parse::<Token![in]>()?;
    Ok(Each { element, argument: input.parse()? })
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// Remembers which options were given, to refuse the second.
#[derive(Debug, Default)]
pub(crate) struct Given(Vec<String>);

impl Given {
    /// Returns whether the option is given for the first time; else it is a mistake.
    pub(crate) fn is_first(&mut self, name: &Ident, mistakes: &mut Mistakes) -> bool {
        let spelled = name.to_string();
        let is_first = !self.0.contains(&spelled);
        if is_first {
            self.0.push(spelled);
        } else {
            mistakes.at(name.span(), format!("`{name}` is given twice; remove one of them"));
        }
        is_first
    }
}

/// Notes an option that does not exist.
pub(crate) fn unknown(name: &Ident, known: &[&str], mistakes: &mut Mistakes) {
    let mend = match nearest(&name.to_string(), known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the options are {}", listed(known.iter().copied())),
    };
    mistakes.at(name.span(), format!("there is no option `{name}`; {mend}"));
}

/// Returns the name of a flag: an expression that is one identifier.
pub(crate) fn flag(item: &Expr) -> Option<&Ident> {
    match item {
        Expr::Path(path) if path.qself.is_none() => path.path.get_ident(),
        _ => None,
    }
}

/// Reads a string literal.
pub(crate) fn string(name: &Ident, value: &Expr, mistakes: &mut Mistakes) -> Option<LitStr> {
    if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = value {
        return Some(text.clone());
    }
    mistakes.under(value, format!("`{name}` is a string literal: `{name} = \"…\"`"));
    None
}

/// Reads a path.
pub(crate) fn path(name: &Ident, value: Expr, mistakes: &mut Mistakes) -> Option<Path> {
    match value {
        Expr::Path(path) if path.qself.is_none() => Some(path.path),
        other => {
            mistakes.under(other, format!("`{name}` is a path: `{name} = path::to::it`"));
            None
        }
    }
}

/// Reads `["tag", "tag:{argument}"]`.
pub(crate) fn tags(value: Expr, mistakes: &mut Mistakes) -> Vec<LitStr> {
    let Expr::Array(array) = value else {
        mistakes.under(value, "`tags` is a list of string literals: `tags = [\"users\", \"user:{id}\"]`");
        return Vec::new();
    };
    if array.elems.is_empty() {
        mistakes.under(&array, "`tags` is empty; name a tag, or remove `tags`");
    }
    let mut tags: Vec<LitStr> = Vec::new();
    for element in array.elems {
        match element {
            Expr::Lit(ExprLit { lit: Lit::Str(tag), .. }) if tags.contains(&tag) => {
                mistakes.at(tag.span(), "this tag is named twice; remove one of them");
            }
            Expr::Lit(ExprLit { lit: Lit::Str(tag), .. }) => tags.push(tag),
            other => mistakes.under(
                other,
                "a tag is a string literal such as `\"user:{id}\"`; for tags made from the value use `tags_with = path`",
            ),
        }
    }
    tags
}
