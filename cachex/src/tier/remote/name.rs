//! The key of a value in a store: readable where that is short and safe, and a digest.

use std::fmt::Write;

use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

use crate::key::KeyRef;
use crate::method::Region;

/// Longer texts are left to the digest.
const LONGEST: usize = 160;
/// Digits of the digest.
const DIGEST: usize = 32;
/// A name that may show more texts than these may show any that begins like it.
const MOST_TEXTS: usize = 16;
/// Before the digest, where the arguments are shown, and where they are not.
const SHOWN: char = '#';
const HIDDEN: char = '~';

/// Returns what the key is called in a store. That it is this very key is in the checksum of the value.
pub(crate) fn name(at: KeyRef<'_>) -> String {
    let method = at.region.remote_name();
    let text = at.key().text();
    let arguments = text.strip_prefix(at.region.name()).unwrap_or(&text);
    let is_safe = |c: char| c.is_ascii_graphic() && !matches!(c, '{' | '}' | '*' | '?' | '[' | ']' | '\\');
    let mut name = String::with_capacity(method.len() + arguments.len() + DIGEST + 2);
    if method.chars().all(is_safe) {
        name.push_str(method);
    } else {
        name.extend(method.chars().map(|c| if is_safe(c) { c } else { '_' }));
    }
    let is_shown = arguments.len() <= LONGEST && arguments.chars().all(is_safe);
    if is_shown {
        if !arguments.starts_with('(') {
            // Of the manual API: it has names of its own.
            name.push(':');
        }
        name.push_str(arguments);
    }
    // Two keys may have one text (`1_u8` and `1_u64`).
    let mark = if is_shown { SHOWN } else { HIDDEN };
    let _written = write!(name, "{mark}{:032x}", xxh3_128(at.bytes));
    name
}

/// Returns whether the text of a key that is called `name` may fit a glob pattern: never no where it does.
///
/// A name does not show all of the text. What it hides may be anything.
pub(crate) fn may_match(name: &str, pattern: &str) -> bool {
    let Some((shown, digest)) = name.len().checked_sub(DIGEST + 1).and_then(|at| name.split_at_checked(at)) else {
        return true;
    };
    let is_whole = match digest.chars().next() {
        Some(SHOWN) => true,
        Some(HIDDEN) => false,
        _ => return true,
    };
    // Keys of the manual API have no method before them, unless their text begins like its name.
    let by_hand = shown.strip_prefix(Region::manual().name());
    let after = by_hand.and_then(|text| text.strip_prefix(':'));
    let with_both = after.map(|text| format!("{}{text}", Region::manual().name()));
    let pattern = read(pattern);
    let mut texts = [Some(shown), by_hand, after, with_both.as_deref()].into_iter().flatten();
    texts.any(|text| seen(text, is_whole).iter().any(|text| can_meet(&pattern, text)))
}

/// A part of a pattern, or of a text that is not known in whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    This(char),
    Any,
    Some,
}

/// Returns the parts of a pattern.
fn read(pattern: &str) -> Vec<Part> {
    let mut characters = pattern.chars();
    let mut parts = Vec::new();
    while let Some(character) = characters.next() {
        parts.push(match character {
            '*' => Part::Some,
            '?' => Part::Any,
            '\\' => Part::This(characters.next().unwrap_or('\\')),
            character => Part::This(character),
        });
    }
    parts
}

/// Returns the texts that a name may show, as far as they are known: `_` stands for itself, and for what is not shown as it is.
fn seen(shown: &str, is_whole: bool) -> Vec<Vec<Part>> {
    let part = |character| if character == '_' { Part::Any } else { Part::This(character) };
    let beginning = shown.split(';').next().unwrap_or_default();
    let unknown = || vec![beginning.chars().map(part).chain([Part::Some]).collect()];
    if !is_whole {
        return unknown();
    }
    let mut texts = vec![shown.chars().map(part).collect()];
    for (method, arguments) in splits(shown) {
        if texts.len() == MOST_TEXTS {
            return unknown();
        }
        texts.push(method.chars().chain(arguments.chars()).map(part).collect());
    }
    texts
}

/// Splits what a name shows into the method and the arguments in each way there is. Between them there may be the version, and types, which are not in
/// the text; and any of them may look like another.
fn splits(shown: &str) -> impl Iterator<Item = (&str, &str)> {
    let split = |(at, _)| {
        let (method, rest) = shown.split_at(at);
        let version = &rest[1..];
        let after = version.trim_start_matches(|character: char| character.is_ascii_digit());
        let is_version = after.len() < version.len();
        let has_types = after.starts_with(';');
        let arguments = after.match_indices('(').filter(move |(at, _)| is_version && (has_types || *at == 0));
        arguments.map(move |(at, _)| (method, &after[at..]))
    };
    shown.match_indices(';').flat_map(split)
}

/// Returns whether there is a text that fits both.
fn can_meet(pattern: &[Part], text: &[Part]) -> bool {
    // Of each beginning of the text: whether it can fit the beginning of the pattern that was looked at so far.
    let mut row: Vec<bool> = (0..=text.len()).map(|end| text[..end].iter().all(|part| *part == Part::Some)).collect();
    for wanted in pattern {
        let mut next = Vec::with_capacity(row.len());
        next.push(row[0] && *wanted == Part::Some);
        for (index, known) in text.iter().enumerate() {
            let fits = match (*wanted, *known) {
                (Part::Some, _) | (_, Part::Some) => row[index + 1] || next[index] || row[index],
                (Part::This(wanted), Part::This(known)) => wanted == known && row[index],
                (Part::Any, _) | (_, Part::Any) => row[index],
            };
            next.push(fits);
        }
        row = next;
    }
    row.last().copied().unwrap_or(false)
}

/// Returns a digest of what tells the key from all others: namespace, method and arguments.
pub(crate) fn identity(namespace: &str, at: KeyRef<'_>) -> u64 {
    let parts = [namespace.as_bytes(), at.region.remote_name().as_bytes(), at.bytes];
    // Each is hashed with what came before it, so where one ends and the next begins is told as well.
    parts.iter().fold(0, |before, part| xxh3_64_with_seed(part, before))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::key::Key;

    fn of_text(pattern: &str, text: &str) -> bool {
        can_meet(&read(pattern), &text.chars().map(Part::This).collect::<Vec<_>>())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]
        #[test]
        fn a_text_that_is_known_meets_what_it_fits(pattern in r"[ab*?\\]{0,7}", text in r"[ab*\\]{0,8}") {
            prop_assert_eq!(of_text(&pattern, &text), crate::key::pattern::matches(&pattern, &text));
        }

        #[test]
        fn a_text_that_is_known_in_part_meets_all_that_it_may_fit(
            pattern in r"[ab*?]{0,7}", text in r"[ab]{0,8}", hidden in proptest::collection::vec(0..3_u32, 8),
        ) {
            let hide = |(character, how): (char, &u32)| match how {
                0 => Part::Any,
                1 => Part::Some,
                _ => Part::This(character),
            };
            let known: Vec<_> = text.chars().zip(&hidden).map(hide).collect();
            if crate::key::pattern::matches(&pattern, &text) {
                prop_assert!(can_meet(&read(&pattern), &known), "{pattern} {text} {known:?}");
            }
        }

        #[test]
        fn a_key_of_a_method_that_fits_is_never_missed(
            name in "[a;(1)]{1,6}", types in "(|[a;(1)<>]{1,8})", version in 0..20_u32, arguments in r"\([a;(1),]{0,5}\)",
        ) {
            let method = crate::method::region::remote_name(&name, &types, version);
            let called = format!("{method}{arguments}{SHOWN}{}", "0".repeat(DIGEST));
            prop_assert!(may_match(&called, &format!("{name}{arguments}")), "{called}");
            let called = format!("{method}{HIDDEN}{}", "0".repeat(DIGEST));
            prop_assert!(may_match(&called, &format!("{name}{arguments}")), "{called}");
        }

        #[test]
        fn a_key_that_fits_is_never_missed(text in ".{0,30}", part in ".{0,200}", number: u64, cut in 0..20_usize) {
            let like_manual = Key::new(&format!("manual{text}")).part(&number);
            for key in [Key::new(&text), Key::new(&text).part(&part), like_manual, Key::new("(7)")] {
                let name = name(key.at());
                let whole: String = key.whole_text();
                let escaped: String = whole.chars().take(cut).flat_map(|character| ['\\', character]).collect();
                prop_assert!(may_match(&name, &format!("{escaped}*")), "{name} {escaped}");
                prop_assert!(may_match(&name, "*"));
            }
        }
    }

    #[test]
    fn what_is_shown_tells_keys_apart() {
        let digest = "0".repeat(DIGEST);
        let check = |name: &str, pattern: &str, expected| {
            assert_eq!(may_match(&format!("{name}{digest}"), pattern), expected, "{name} {pattern}");
        };
        check("shop::Users::find(7)#", "*find(7)", true);
        check("shop::Users::find(7)#", "*find(71)", false);
        check("shop::Users::find(7)#", "shop::Orders::*", false);
        check("shop::Users::find;2(7)#", "*find(7)", true);
        check("shop::Users::find;2(7)#", "*find(8)", false);
        // The types are not in the text, and may have arguments of their own.
        check("shop::find;0;shop::find<u8>(7)#", "*find(7)", true);
        check("shop::find;0;shop::find<u8>(7)#", "*find(8)", false);
        check("shop::find;0;shop::find<u8>(7)#", "other*", false);
        check("shop::find;0;shop::find<fn(u8)>(7)#", "shop::find(7)", true);
        check("shop::find;0;shop::find<fn(u8)>(7)#", "shop::find(8)", false);
        // A name of the annotation's own, or a key by hand, may look like another.
        check("shop;1;find;0;shop::find<u8>(7)#", "shop;1;find(7)", true);
        check("shop;1(x);2(7)#", "shop;1(x)(7)", true);
        check("manual:a;7(x)#", "a;7(x)", true);
        check(&format!("find;0;{}(7)#", "(".repeat(40)), "find(7)", true);
        // Where arguments are not shown they may be any.
        check("shop::Users::find~", "*find(8)", true);
        check("shop::Users::find~", "shop::Orders::*", false);
        check("<shop::Users_as_shop::Repo>::find(7)#", "<shop::Users as shop::Repo>::find(7)", true);
        check("manual:user:7#", "user:7", true);
        check("manual:user:7#", "user:8", false);
        check("manual~", "user:8", true);
    }
}
