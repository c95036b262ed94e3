//! Tag templates: `"user:{id}"`, `"tenant:{self.tenant}"`.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::LitStr;
use syn::ext::IdentExt;
use syn::parse::Parser;

use super::arguments::{Argument, Form};
use super::function::Function;
use super::{moved_to, ours_at};
use crate::diag::{Mistakes, listed, nearest};
use crate::runtime::Runtime;

/// A tag that may name arguments.
#[derive(Debug)]
pub(crate) struct Template {
    span: Span,
    text: String,
    values: Vec<Value>,
}

/// What a template names: an argument, and fields of it.
#[derive(Debug)]
struct Value {
    root: Ident,
    fields: Vec<String>,
}

impl Template {
    /// Reads a template; unbalanced braces and unknown names are mistakes.
    pub(crate) fn parse(literal: &LitStr, function: &Function, mistakes: &mut Mistakes) -> Option<Self> {
        let written = literal.value();
        if written.is_empty() {
            mistakes.at(literal.span(), "a tag needs a name; write one, such as `\"users\"`");
            return None;
        }
        let pieces = match pieces(&written) {
            Ok(pieces) => pieces,
            Err(message) => {
                mistakes.at(literal.span(), message);
                return None;
            }
        };
        let mut template = Self { span: literal.span(), text: String::new(), values: Vec::new() };
        for piece in pieces {
            match piece {
                Piece::Text(text) => template.text.push_str(&text),
                Piece::Name(name) => {
                    template.text.push_str("{}");
                    match value(name, function) {
                        Ok(value) => template.values.push(value),
                        Err(message) => {
                            mistakes.at(literal.span(), message);
                            return None;
                        }
                    }
                }
            }
        }
        Some(template)
    }

    /// Where the template stands.
    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// The values, as tokens, to see who is mentioned.
    pub(crate) fn mentioned(&self) -> TokenStream {
        self.values.iter().map(|value| &value.root).map(|root| quote!(#root)).collect()
    }

    /// Spells the tag as a literal if it names no argument.
    pub(crate) fn constant(&self) -> Option<Literal> {
        let mut literal = Literal::string(&self.text.replace("{{", "{").replace("}}", "}"));
        literal.set_span(ours_at(self.span));
        self.values.is_empty().then_some(literal)
    }

    /// Spells the tag as an expression.
    pub(crate) fn tokens(&self, runtime: &Runtime) -> TokenStream {
        if let Some(constant) = self.constant() {
            return quote!(#constant);
        }
        let span = ours_at(self.span);
        let mut literal = Literal::string(&self.text);
        literal.set_span(span);
        let values = self.values.iter().map(|value| value.tokens(self.span));
        let format = runtime.private_at("format", span);
        quote_spanned!(span=> #format!(#literal #(, #values)*))
    }
}

impl Value {
    fn tokens(&self, span: Span) -> TokenStream {
        let root = moved_to(&self.root, span);
        let fields = self.fields.iter().map(|field| {
            let member: syn::Member = match field.parse::<u32>() {
                Ok(index) => syn::Member::Unnamed(syn::Index { index, span: ours_at(span) }),
                Err(_) => syn::Member::Named(field_name(field, span)),
            };
            quote_spanned!(ours_at(span)=> . #member)
        });
        quote!(#root #(#fields)*)
    }
}

/// Makes the name of a field, which may be a keyword: `{user.type}`.
fn field_name(field: &str, span: Span) -> Ident {
    match syn::parse_str::<Ident>(field) {
        Ok(mut name) => {
            name.set_span(span);
            name
        }
        Err(_) => Ident::new_raw(field, span),
    }
}

/// A part of a template; texts have their braces doubled, as `format!` wants them.
enum Piece<'a> {
    Text(String),
    Name(&'a str),
}

fn pieces(written: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = written;
    while let Some(at) = rest.find(['{', '}']) {
        let (text, from) = rest.split_at(at);
        pieces.push(Piece::Text(text.to_owned()));
        if from.starts_with("{{") || from.starts_with("}}") {
            pieces.push(Piece::Text(from[..2].to_owned()));
            rest = &from[2..];
        } else if from.starts_with('}') {
            return Err("a `}` without its `{`; write `}}` for a brace in the tag".into());
        } else {
            let Some(end) = from.find('}') else {
                return Err("a `{` without its `}`; write `{argument}`, or `{{` for a brace in the tag".into());
            };
            pieces.push(Piece::Name(&from[1..end]));
            rest = &from[end + 1..];
        }
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Ok(pieces)
}

fn value(name: &str, function: &Function) -> Result<Value, String> {
    if name.trim().is_empty() {
        return Err("`{}` names nothing; write the argument: `{id}`".into());
    }
    if let Some((argument, _)) = name.split_once(':') {
        return Err(format!("a tag template has no format options; write `{{{}}}`", argument.trim()));
    }
    let mut parts = name.trim().split('.');
    let root = parts.next().unwrap_or_default();
    let fields: Vec<String> = parts.map(str::to_owned).collect();
    let is_name = |name: &str| Ident::parse_any.parse_str(name).is_ok();
    let is_path = |name: &str| ["self", "Self", "super", "crate", "_"].contains(&name);
    let is_field = |field: &String| field.parse::<u32>().is_ok() || is_name(field) && !is_path(field);
    if !is_name(root) || !fields.iter().all(is_field) {
        return Err(format!("`{{{name}}}` is not an argument or a field of one; write `{{id}}` or `{{user.id}}`"));
    }
    Ok(Value { root: resolve(root, function)?, fields })
}

/// Finds the user's own identifier, whose hygiene the expansion needs.
fn resolve(root: &str, function: &Function) -> Result<Ident, String> {
    if root == "self" {
        return match &function.receiver {
            Some(receiver) => Ok(Ident::new("self", receiver.span)),
            None => Err("`{self}`: this function has no `self`; name an argument".into()),
        };
    }
    for argument in &function.arguments {
        if let Some(name) = argument.names().into_iter().find(|name| *name == root || name.unraw() == root) {
            return match &argument.form {
                Form::Other(_) => Err(format!(
                    "`{{{root}}}` is bound by a pattern that can't be borrowed; bind the argument to a plain name"
                )),
                _ => Ok(name.clone()),
            };
        }
    }
    let names = function.names();
    let known = || names.iter().map(String::as_str);
    Err(match nearest(root, known()) {
        Some(near) => format!("there is no argument `{root}`; did you mean `{{{near}}}`?"),
        None if names.is_empty() => format!("there is no argument `{root}`; this function has none"),
        None => format!("there is no argument `{root}`; there is {}", listed(known())),
    })
}

/// Makes the names that templates use mean references. `is_by_value` says what the arguments are now.
pub(crate) fn bind_names(templates: &[Template], arguments: &[Argument], is_by_value: bool) -> TokenStream {
    let mentioned: TokenStream = templates.iter().map(Template::mentioned).collect();
    arguments.iter().map(|argument| argument.bind_borrowed(&mentioned, is_by_value)).collect()
}
