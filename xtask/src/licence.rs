//! Licence expressions: an expression of a crate and the licences we accept go in, whether it is acceptable comes out.

/// Returns whether an SPDX expression can be met with the accepted licences alone.
///
/// `WITH` names an exception and makes a licence of its own; `/` is the old way to write `OR`.
pub(crate) fn is_acceptable(expression: &str, accepted: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let met = any(&mut words, accepted);
    met == Some(true) && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// Reads alternatives; `None` if this is no expression.
fn any(words: &mut Words<'_>, accepted: &[String]) -> Option<bool> {
    let mut met = every(words, accepted)?;
    while words.next_if_eq(&"OR").is_some() {
        met |= every(words, accepted)?;
    }
    Some(met)
}

fn every(words: &mut Words<'_>, accepted: &[String]) -> Option<bool> {
    let mut met = one(words, accepted)?;
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, accepted)?;
    }
    Some(met)
}

fn one(words: &mut Words<'_>, accepted: &[String]) -> Option<bool> {
    if words.next_if_eq(&"(").is_some() {
        let met = any(words, accepted)?;
        return words.next_if_eq(&")").map(|_| met);
    }
    let mut name = words.next().filter(|word| !matches!(*word, "OR" | "AND" | "WITH" | ")"))?.to_owned();
    if words.next_if_eq(&"WITH").is_some() {
        name = format!("{name} WITH {}", words.next()?);
    }
    Some(accepted.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, expected: bool) {
        let accepted = ["MIT", "Apache-2.0", "Unicode-3.0"].map(str::to_owned);
        assert_eq!(is_acceptable(expression, &accepted), expected, "{expression}");
    }

    #[test]
    fn one_alternative_is_enough() {
        check("MIT", true);
        check("GPL-3.0 OR MIT", true);
        check("Unlicense/MIT", true);
        check("GPL-3.0 OR AGPL-3.0", false);
    }

    #[test]
    fn every_part_is_needed() {
        check("MIT AND Unicode-3.0", true);
        check("(MIT OR GPL-3.0) AND Unicode-3.0", true);
        check("MIT AND GPL-3.0", false);
        check("(MIT OR Apache-2.0) AND GPL-3.0", false);
        check("Apache-2.0 WITH LLVM-exception", false);
        check("Apache-2.0 WITH LLVM-exception OR MIT", true);
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        check("", false);
        check("MIT OR", false);
        check("(MIT", false);
        check("MIT MIT", false);
        check("AND", false);
    }
}
