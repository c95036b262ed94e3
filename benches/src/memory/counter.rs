//! What the allocator has counted.

use std::hint::black_box;

use stats_alloc::{INSTRUMENTED_SYSTEM, Stats};

/// Returns how many bytes are allocated.
pub(super) fn bytes() -> u64 {
    let Stats { bytes_allocated, bytes_deallocated, .. } = INSTRUMENTED_SYSTEM.stats();
    (bytes_allocated - bytes_deallocated) as u64
}

/// Returns how often something was allocated, or made larger or smaller, since the program began.
pub(super) fn so_far() -> u64 {
    let Stats { allocations, reallocations, .. } = INSTRUMENTED_SYSTEM.stats();
    (allocations + reallocations) as u64
}

/// Returns how often `work` allocates.
pub(super) fn allocations(work: impl FnOnce()) -> u64 {
    let before = so_far();
    work();
    so_far() - before
}

/// Fails if this program does not count.
pub(super) fn check() -> Result<(), String> {
    match allocations(|| drop(black_box(Box::new(1_u64)))) {
        0 => Err("this program does not count allocations; run `cachex-bench memory`".to_owned()),
        _ => Ok(()),
    }
}
