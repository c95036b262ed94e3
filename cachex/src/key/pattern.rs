//! Glob patterns over the text of keys.

/// Returns whether all of `text` fits `pattern`: `*` is any characters or none, `?` is one character, and `\` takes the next
/// character as it is.
///
/// Only the last `*` is ever tried again, so the time is at most the product of both lengths, and linear in the text for
/// each `*`.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (mut wanted, mut rest) = (pattern.chars(), text.chars());
    let mut retry = None;
    loop {
        let mut after = wanted.clone();
        let is_match = match after.next() {
            Some('*') => {
                wanted = after;
                retry = Some((wanted.clone(), rest.clone()));
                continue;
            }
            Some('?') => rest.next().is_some(),
            Some('\\') => rest.next() == Some(after.next().unwrap_or('\\')),
            Some(character) => rest.next() == Some(character),
            None if rest.as_str().is_empty() => return true,
            None => false,
        };
        if is_match {
            wanted = after;
            continue;
        }
        // The last `*` takes one character more.
        let Some((after_star, from)) = &mut retry else { return false };
        if from.next().is_none() {
            return false;
        }
        (wanted, rest) = (after_star.clone(), from.clone());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::matches;

    #[test]
    fn a_pattern_fits_the_whole_text() {
        let cases = [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything at all", true),
            ("shop::Users::*", "shop::Users::find(7)", true),
            ("shop::Users::*", "shop::User::find(7)", false),
            ("*find(7)", "shop::Users::find(7)", true),
            ("*find(7)", "shop::Users::find(7, 8)", false),
            ("*(7*", "find(7, 8)", true),
            ("a*b*c", "a__b__b__c", true),
            ("a*b*c", "a__b__b__d", false),
            ("?", "é", true),
            ("?", "", false),
            ("a?c", "abc", true),
            ("*ab", "aab", true),
            ("**", "", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern:?} on {text:?}");
        }
    }

    #[test]
    fn an_escaped_character_stands_for_itself() {
        for (pattern, text, expected) in [
            (r"a\*c", "a*c", true),
            (r"a\*c", "abc", false),
            (r"\?", "?", true),
            (r"\?", "x", false),
            (r"\\", r"\", true),
            (r"a\", r"a\", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern:?} on {text:?}");
        }
    }

    // The definition, written as plainly as can be, and exponential.
    fn by_definition(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], _) => text.is_empty(),
            (['*', rest @ ..], _) => (0..=text.len()).any(|taken| by_definition(rest, &text[taken..])),
            (['?', rest @ ..], [_, text @ ..]) => by_definition(rest, text),
            (['\\', wanted, rest @ ..], [first, text @ ..]) => wanted == first && by_definition(rest, text),
            ([wanted, rest @ ..], [first, text @ ..]) => wanted == first && by_definition(rest, text),
            (_, []) => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn a_pattern_fits_as_defined(pattern in r"[ab*?\\]{0,7}", text in r"[ab*\\]{0,8}") {
            let (wanted, given): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(matches(&pattern, &text), by_definition(&wanted, &given));
        }
    }

    #[test]
    fn many_stars_do_not_explode() {
        assert!(!matches(&"*a".repeat(500), &"a".repeat(499)));
    }
}
