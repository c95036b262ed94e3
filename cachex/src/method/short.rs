//! Which values are short text or bytes: a clone takes an allocation, which is quick, and runs no code of users.

use std::any::Any;

/// Longer ones take longer.
const MOST: usize = 4096;

/// Whether a value is text or bytes, or an `Option` of such, of at most 4 KiB. The compiler knows which types are.
#[inline(always)]
pub(super) fn is_short<V: Any>(value: &V) -> bool {
    let len = len_if(value, String::len)
        .or_else(|| len_if(value, Vec::<u8>::len))
        .or_else(|| len_if::<Box<str>>(value, |text| text.len()))
        .or_else(|| len_if::<Box<[u8]>>(value, |bytes| bytes.len()));
    len.is_some_and(|len| len <= MOST)
}

/// Returns the length of a value that is a `T` or an `Option` of one.
#[inline(always)]
fn len_if<T: Any>(value: &dyn Any, len: impl Fn(&T) -> usize) -> Option<usize> {
    let maybe = || value.downcast_ref::<Option<T>>().map(|value| value.as_ref().map_or(0, &len));
    value.downcast_ref::<T>().map(&len).or_else(maybe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_are_short_up_to_4_kib_and_nothing_else_is() {
        for (len, is) in [(0, true), (MOST, true), (MOST + 1, false)] {
            let text = "x".repeat(len);
            assert_eq!(is_short(&text), is);
            assert_eq!(is_short(&text.clone().into_boxed_str()), is);
            assert_eq!(is_short(&text.clone().into_bytes()), is);
            assert_eq!(is_short(&text.clone().into_bytes().into_boxed_slice()), is);
            assert_eq!(is_short(&Some(text)), is);
        }
        assert!(is_short(&None::<String>));
        assert!(!is_short(&[String::new()]) && !is_short(&vec![String::new()]) && !is_short(&7_u8));
    }
}
