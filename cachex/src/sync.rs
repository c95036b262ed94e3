//! The synchronisation primitives of what is model-checked: the standard library's, or loom's under `--cfg cachex_loom`.

#[cfg(not(cachex_loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, Ordering, fence},
};

#[cfg(cachex_loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, Ordering, fence},
};

/// Locks even after a panic elsewhere: every critical section of ours leaves its data whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    #[cfg(not(cachex_loom))]
    return mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    #[cfg(cachex_loom)]
    return mutex.lock().expect("loom's mutex is not poisoned");
}
