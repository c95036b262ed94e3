//! Foreign code that may panic, whose panic must not go farther.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of users that a cache must not break of. Nothing if it panicked.
///
/// What was thrown is dropped here, and if that panics too, the second panic ends here as well; what it throws in turn is lost.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    let thrown = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(output) => return Some(output),
        Err(thrown) => thrown,
    };
    let in_turn = catch_unwind(AssertUnwindSafe(|| drop(thrown))).err();
    std::mem::forget(in_turn);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Panics when it is dropped, with another of its kind, so many times.
    struct Throws(u32);

    impl Drop for Throws {
        fn drop(&mut self) {
            if self.0 > 0 {
                std::panic::panic_any(Throws(self.0 - 1));
            }
        }
    }

    #[test]
    fn what_is_thrown_does_not_throw_again() {
        assert_eq!(caught(|| 7), Some(7));
        for times in [0, 1, 2, 5] {
            assert_eq!(caught::<()>(|| std::panic::panic_any(Throws(times))), None, "{times}");
        }
    }
}
