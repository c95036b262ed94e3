//! Which look-ups are timed: so few that timing costs nothing that could be measured.

use std::cell::Cell;

use crate::raw::grace;

thread_local! {
    static IS_NEXT_TIMED: Cell<bool> = const { Cell::new(false) };
}

/// Has the next look-up of this thread timed. It does not have to ask whether it is: it is kept from being a plain hit.
#[cold]
#[inline(never)]
pub(crate) fn time_next() {
    IS_NEXT_TIMED.set(true);
    grace::skip_next();
}

/// Whether this look-up is to be timed; asked once for it.
pub(crate) fn is_next_timed() -> bool {
    IS_NEXT_TIMED.take()
}
