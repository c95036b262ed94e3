//! Room in long lists.

/// One part in so many of a list may be room that is not used …
const SPARE_PART: usize = 16;
/// … or so many places.
const LEAST_SPARE: usize = 15;

/// Makes room for the element at an index that is about to be added. There are many such lists, of many elements: they grow by a
/// little, for what is not used of them is lost.
pub(crate) fn make_room<T>(list: &mut Vec<T>, index: usize) {
    if index >= list.capacity() {
        list.reserve_exact(index + 1 - list.len() + (list.len() / SPARE_PART).max(LEAST_SPARE));
    }
}
