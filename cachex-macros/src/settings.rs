//! The syntax of what stands in the attributes of the derives: `#[name]`, `#[name(flag, option = path)]`.

use proc_macro2::{Ident, Span, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Meta, Path, Token};

use crate::diag::{Mistakes, listed, nearest};

/// One attribute of a derive.
#[derive(Debug)]
pub(crate) enum Written {
    /// `#[name]`.
    Bare(Span),
    /// One of the settings in `#[name(…)]`.
    Setting(Setting),
}

/// One setting: a name, and the path behind its `=`.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: Ident,
    value: Option<Expr>,
}

impl Setting {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// Notes a mistake if something stands behind the name.
    pub(crate) fn flag(&self, mistakes: &mut Mistakes) {
        if let Some(value) = &self.value {
            mistakes.under(value, format!("`{0}` takes no value; write `{0}` alone", self.name));
        }
    }

    /// Returns the path behind the name; else notes a mistake.
    pub(crate) fn path(self, mistakes: &mut Mistakes) -> Option<Path> {
        let name = self.name;
        match self.value {
            Some(Expr::Path(value)) if value.qself.is_none() => return Some(value.path),
            Some(value) => mistakes.under(value, format!("`{name}` is a path: write `{name} = path::to::it`")),
            None => mistakes.at(name.span(), format!("`{name}` has no value: write `{name} = path::to::it`")),
        }
        None
    }

    /// Notes that there is no such setting here.
    pub(crate) fn unknown(&self, known: &[&str], mistakes: &mut Mistakes) {
        let mend = match nearest(&self.name.to_string(), known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.len() == 1 => format!("the only option here is {}", listed(known.iter().copied())),
            None => format!("the options here are {}", listed(known.iter().copied())),
        };
        mistakes.at(self.name.span(), format!("there is no option `{}`; {mend}", self.name));
    }
}

/// Reads all attributes called `attribute`; what can't be read is a mistake, and reading goes on behind the next comma.
pub(crate) fn read(attrs: &[Attribute], attribute: &str, mistakes: &mut Mistakes) -> Vec<Written> {
    let mut all = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(attribute)) {
        match &attr.meta {
            Meta::Path(path) => all.push(Written::Bare(path.span())),
            Meta::List(list) if list.tokens.is_empty() => {
                mistakes.under(
                    attr,
                    format!("`#[{attribute}()]` says nothing; remove it, or write an option between the brackets"),
                );
            }
            Meta::List(list) => {
                let mut settings = |input: ParseStream<'_>| read_settings(input, &mut all, mistakes);
                if let Err(error) = (|input: ParseStream<'_>| settings(input)).parse2(list.tokens.clone()) {
                    mistakes.add(error);
                }
            }
            Meta::NameValue(pair) => {
                mistakes.under(&pair.value, format!("options stand in brackets: write `#[{attribute}(option)]`"));
            }
        }
    }
    all
}

fn read_settings(input: ParseStream<'_>, all: &mut Vec<Written>, mistakes: &mut Mistakes) -> syn::Result<()> {
    while !input.is_empty() {
        match setting(input) {
            Ok(setting) => all.push(Written::Setting(setting)),
            Err(error) => {
                mistakes.add(error);
                while !input.is_empty() && !input.peek(Token![,]) {
                    input.parse::<TokenTree>()?;
                }
            }
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

fn setting(input: ParseStream<'_>) -> syn::Result<Setting> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("an option begins with its name; write a name here, or remove this"));
    }
    let name = input.call(Ident::parse_any)?;
    if !input.peek(Token![=]) {
        return Ok(Setting { name, value: None });
    }
    let equals = input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(syn::Error::new_spanned(equals, format!("`{name}` has no value; write it behind the `=`")));
    }
    Ok(Setting { name, value: Some(input.parse()?) })
}
