//! The text of a file goes in; the names directly below the crate's root that it uses come out.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A token of a flattened file; groups are marked by their ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Word(String),
    Sign(char),
    Open,
    Close,
    /// `mod name {` and the end of its body.
    OpenModule(String),
    CloseModule,
}

/// Flattens a file; what is under `#[cfg(test)]` is left out, and so are comments.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    flatten(text.parse().unwrap(), &mut tokens);
    tokens
}

fn flatten(stream: TokenStream, into: &mut Vec<Token>) {
    let mut trees = stream.into_iter().peekable();
    let mut may_be_attribute = false;
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Group(group)
                if may_be_attribute && group.stream().to_string().replace(' ', "") == "cfg(test)" =>
            {
                into.pop();
                let ends = |tree: &TokenTree| match tree {
                    TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                    TokenTree::Punct(sign) => sign.as_char() == ';',
                    _ => false,
                };
                trees.by_ref().find(ends);
                may_be_attribute = false;
            }
            TokenTree::Group(group) => {
                let name = match into.as_slice() {
                    [.., Token::Word(mod_), Token::Word(name)] if mod_ == "mod" => Some(name.clone()),
                    _ => None,
                };
                let (open, close) = match name {
                    Some(name) => (Token::OpenModule(name), Token::CloseModule),
                    None => (Token::Open, Token::Close),
                };
                into.push(open);
                flatten(group.stream(), into);
                into.push(close);
                may_be_attribute = false;
            }
            TokenTree::Ident(word) => {
                into.push(Token::Word(word.to_string()));
                may_be_attribute = false;
            }
            TokenTree::Punct(sign) => {
                into.push(Token::Sign(sign.as_char()));
                may_be_attribute = sign.as_char() == '#';
            }
            TokenTree::Literal(_) => may_be_attribute = false,
        }
    }
}

/// Returns what a file names directly below the crate's root: rooms, and the names that `lib.rs` exports.
pub(crate) fn named(module: &[String], tokens: &[Token]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut inner: Vec<String> = module.to_vec();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::OpenModule(name) => inner.push(name.clone()),
            Token::CloseModule => drop(inner.pop()),
            Token::Word(word) if word == "crate" => names.extend(below(&tokens[at + 1..])),
            // In `lib.rs` and everywhere a path begins with `super` as often as the module is deep, the root is meant.
            Token::Word(word) if word == "super" && !follows_super(&tokens[..at]) => {
                let steps = 1 + tokens[at + 1..].chunks(3).take_while(|step| is_step(step)).count();
                if steps == inner.len() {
                    names.extend(below(&tokens[at + 1 + 3 * (steps - 1)..]));
                }
            }
            Token::Word(word) if word == "use" && inner.is_empty() => {
                if let Some(Token::Word(name)) = tokens.get(at + 1) {
                    names.insert(name.clone());
                }
            }
            _ => {}
        }
    }
    names
}

fn is_step(step: &[Token]) -> bool {
    matches!(step, [Token::Sign(':'), Token::Sign(':'), Token::Word(word)] if word == "super")
}

fn follows_super(before: &[Token]) -> bool {
    matches!(before, [.., Token::Word(word), Token::Sign(':'), Token::Sign(':')] if word == "super")
}

/// Returns the first names of the paths that go on after the root: of `::a::b`, or of each path in `::{a::b, c}`.
fn below(tokens: &[Token]) -> Vec<String> {
    match tokens {
        [Token::Sign(':'), Token::Sign(':'), Token::Word(name), ..] => vec![name.clone()],
        [Token::Sign(':'), Token::Sign(':'), Token::Sign('*'), ..] => vec!["*".to_owned()],
        [Token::Sign(':'), Token::Sign(':'), Token::Open, rest @ ..] => {
            let mut names = Vec::new();
            let mut depth = 0;
            let mut is_first = true;
            for token in rest {
                match token {
                    Token::Open => depth += 1,
                    Token::Close if depth == 0 => break,
                    Token::Close => depth -= 1,
                    Token::Sign(',') if depth == 0 => is_first = true,
                    Token::Word(name) if is_first => {
                        names.push(name.clone());
                        is_first = false;
                    }
                    Token::Sign('*') if is_first => names.push("*".to_owned()),
                    _ => {}
                }
            }
            names
        }
        _ => Vec::new(),
    }
}
