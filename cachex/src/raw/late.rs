//! A reference that is known late, and read with one load.

#![expect(unsafe_code, reason = "a reference is kept as a pointer, to be read and changed at once")]

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Refers to one thing, and later to another one.
#[derive(Debug)]
pub(crate) struct Late<T: Sync + 'static>(AtomicPtr<T>);

impl<T: Sync + 'static> Late<T> {
    pub(crate) const fn new(first: &'static T) -> Self {
        Self(AtomicPtr::new(ptr::from_ref(first).cast_mut()))
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> &'static T {
        // Acquire: who finds it finds it written.
        // SAFETY: the pointer was made of a reference that is good for ever, and `T` may be shared with any thread.
        unsafe { &*self.0.load(Ordering::Acquire) }
    }

    pub(crate) fn set(&self, to: &'static T) {
        self.0.store(ptr::from_ref(to).cast_mut(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_is_referred_to() {
        let late = Late::new(&1);
        assert_eq!(late.get(), &1);
        late.set(&2);
        assert_eq!(late.get(), &2);
    }
}
