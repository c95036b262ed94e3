//! The text of a file goes in; its public items come out, and which of them have no example.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{Attribute, Expr, ImplItem, Item, ItemImpl, ItemTrait, Lit, Meta, TraitItem, Type, UseTree, Visibility};

/// What a scan found.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// All public items.
    pub(crate) seen: Vec<String>,
    /// Those without an example.
    pub(crate) without: Vec<String>,
}

impl Checked {
    pub(crate) fn add(&mut self, file: &str, other: Self) {
        self.seen.extend(other.seen);
        self.without.extend(other.without.iter().map(|item| format!("{file}: `{item}`")));
    }

    fn item(&mut self, name: &str, attributes: &[Attribute]) {
        if !is_hidden(attributes) {
            self.note(name, has_example(&documentation(attributes)));
        }
    }

    fn note(&mut self, name: &str, has_example: bool) {
        self.seen.push(name.to_owned());
        if !has_example {
            self.without.push(name.to_owned());
        }
    }
}

/// Returns the names that a file makes public, and its public modules.
pub(crate) fn exported(text: &str) -> (BTreeSet<String>, Vec<String>) {
    let (mut names, mut modules) = (BTreeSet::new(), Vec::new());
    for item in syn::parse_file(text).unwrap().items {
        match item {
            Item::Use(item) if is_public(&item.vis) => leaves(&item.tree, &mut names),
            Item::Mod(item) if is_public(&item.vis) && !is_hidden(&item.attrs) => modules.push(item.ident.to_string()),
            item => names.extend(named(&item).filter(|(_, visibility, _)| is_public(visibility)).map(|named| named.0)),
        }
    }
    (names, modules)
}

/// Finds the public items of a file and those of them that have no example.
pub(crate) fn check_file(text: &str, names: &BTreeSet<String>) -> Checked {
    let mut checked = Checked::default();
    for item in syn::parse_file(text).unwrap().items {
        if let Some((name, visibility, attributes)) = named(&item)
            && is_public(visibility)
            && names.contains(&name)
        {
            checked.item(&name, attributes);
        }
        match item {
            Item::Impl(block) => check_impl(&block, names, &mut checked),
            Item::Trait(item) if is_public(&item.vis) && names.contains(&item.ident.to_string()) => {
                check_trait(&item, &mut checked);
            }
            Item::Macro(item) => check_macro(item.mac.tokens, &mut checked),
            _ => {}
        }
    }
    checked
}

fn check_impl(block: &ItemImpl, names: &BTreeSet<String>, checked: &mut Checked) {
    let Type::Path(path) = &*block.self_ty else { return };
    let owner = path.path.segments.last().unwrap().ident.to_string();
    if block.trait_.is_some() || !names.contains(&owner) {
        return;
    }
    for member in &block.items {
        let (name, visibility, attributes) = match member {
            ImplItem::Fn(member) => (&member.sig.ident, &member.vis, &member.attrs),
            ImplItem::Const(member) => (&member.ident, &member.vis, &member.attrs),
            _ => continue,
        };
        if is_public(visibility) {
            checked.item(&format!("{owner}::{name}"), attributes);
        }
    }
}

/// A method of a trait is shown by its own example, or by that of the trait, if that calls it or has it.
fn check_trait(item: &ItemTrait, checked: &mut Checked) {
    let of_trait = documentation(&item.attrs);
    for member in &item.items {
        if let TraitItem::Fn(member) = member {
            let name = &member.sig.ident;
            let is_shown = has_example(&of_trait)
                && [format!(".{name}("), format!("fn {name}(")].iter().any(|call| of_trait.contains(call));
            let named = format!("{}::{name}", item.ident);
            if is_shown { checked.note(&named, true) } else { checked.item(&named, &member.attrs) }
        }
    }
}

/// Looks for public functions that a macro makes; which type they are for is not asked.
fn check_macro(tokens: TokenStream, checked: &mut Checked) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut documentation = String::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                documentation.push_str(&group.to_string());
            }
            TokenTree::Group(group) => {
                check_macro(group.stream(), checked);
                if group.delimiter() == Delimiter::Brace {
                    documentation.clear();
                }
            }
            TokenTree::Ident(word) if word == "pub" => {
                let after: Vec<_> = tokens[at + 1..].iter().take(4).map(ToString::to_string).collect();
                let after: Vec<_> = after.iter().map(String::as_str).collect();
                if let ["fn", "$", name, ..] | ["const" | "async", "fn", "$", name] = after[..] {
                    checked.note(&format!("${name}"), has_example(&documentation));
                }
            }
            _ => {}
        }
    }
}

fn named(item: &Item) -> Option<(String, &Visibility, &[Attribute])> {
    let (name, visibility, attributes) = match item {
        Item::Const(item) => (&item.ident, &item.vis, &item.attrs),
        Item::Enum(item) => (&item.ident, &item.vis, &item.attrs),
        Item::Fn(item) => (&item.sig.ident, &item.vis, &item.attrs),
        Item::Struct(item) => (&item.ident, &item.vis, &item.attrs),
        Item::Trait(item) => (&item.ident, &item.vis, &item.attrs),
        Item::Type(item) => (&item.ident, &item.vis, &item.attrs),
        _ => return None,
    };
    Some((name.to_string(), visibility, attributes))
}

/// Collects the names that a `use` makes.
fn leaves(tree: &UseTree, names: &mut BTreeSet<String>) {
    match tree {
        // Macros are documented where they are made, with the options they take.
        UseTree::Path(path) if path.ident == "cachex_macros" => {}
        UseTree::Path(path) => leaves(&path.tree, names),
        UseTree::Name(name) => drop(names.insert(name.ident.to_string())),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, names)),
        _ => panic!("a public item is exported by its own name"),
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    let is_hiding = |list: &syn::MetaList| list.path.is_ident("doc") && list.tokens.to_string() == "hidden";
    attributes.iter().any(|attribute| matches!(&attribute.meta, Meta::List(list) if is_hiding(list)))
}

fn documentation(attributes: &[Attribute]) -> String {
    let mut documentation = String::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(literal) = &pair.value
            && let Lit::Str(line) = &literal.lit
        {
            documentation.push_str(&line.value());
            documentation.push('\n');
        }
    }
    documentation
}

/// Whether there is a block of code that asserts something.
fn has_example(documentation: &str) -> bool {
    documentation.split("```").skip(1).step_by(2).any(|code| code.contains("assert"))
}
