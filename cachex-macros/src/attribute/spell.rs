//! Tokens as text, spaced as a person would, for lists of methods at run time.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// Spells tokens as text.
pub(crate) fn spell(tokens: TokenStream) -> String {
    let mut text = String::new();
    write(tokens, &mut text);
    text
}

fn write(tokens: TokenStream, text: &mut String) {
    let mut is_joint = false;
    for token in tokens {
        let next = match &token {
            TokenTree::Group(group) => match group.delimiter() {
                Delimiter::Parenthesis => "(".to_owned(),
                Delimiter::Bracket => "[".to_owned(),
                Delimiter::Brace => "{".to_owned(),
                Delimiter::None => String::new(),
            },
            other => other.to_string(),
        };
        if !is_joint && (is_spaced(text, &next) || next == ">" && is_greater_than(text)) {
            text.push(' ');
        }
        is_joint =
            matches!(&token, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint || punct.as_char() == '\'');
        text.push_str(&next);
        if let TokenTree::Group(group) = token {
            write(group.stream(), text);
            text.push_str(match group.delimiter() {
                Delimiter::Parenthesis => ")",
                Delimiter::Bracket => "]",
                Delimiter::Brace => "}",
                Delimiter::None => "",
            });
        }
    }
}

/// Returns whether a space stands between the text so far and the next token.
fn is_spaced(text: &str, next: &str) -> bool {
    let Some(last) = text.chars().next_back() else { return false };
    let Some(first) = next.chars().next() else { return false };
    if text.ends_with("->") || text.ends_with("=>") {
        return true;
    }
    if text.ends_with("::") || "([{<&!.#'".contains(last) || ",;:.>)?".contains(first) {
        return false;
    }
    match first {
        '(' | '[' => ",=+-|;:".contains(last) || text.ends_with("mut"),
        '<' | '!' => false,
        _ => true,
    }
}

/// Returns whether a `>` compares, as no `<` is open.
fn is_greater_than(text: &str) -> bool {
    let mut open = 0_usize;
    let mut last = ' ';
    for next in text.chars() {
        match next {
            '<' => open += 1,
            '>' if !matches!(last, '-' | '=') => open = open.saturating_sub(1),
            _ => {}
        }
        last = next;
    }
    open == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str) {
        let tokens: TokenStream = source.parse().expect("valid tokens");
        assert_eq!(spell(tokens), source);
    }

    #[test]
    fn signatures_read_as_written() {
        check("async fn find(&self, id: UserId) -> Result<Option<User>, DbError>");
        check(
            "fn search<'a, T: Into<String> + 'a>(&'a mut self, filter: &Filter<'_>, ids: &[u64]) -> Vec<std::sync::Arc<T>>",
        );
        check("fn area(point: (f64, f64), size: [u8; 4]) -> u64");
    }

    #[test]
    fn options_read_as_written() {
        check("when = id > 0, unless = Vec::<u64>::is_empty");
        check("ttl = \"5m\", tags = [\"users\", \"user:{id}\"], skip(trace), local");
    }
}
