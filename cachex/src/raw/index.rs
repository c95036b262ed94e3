//! The index of a shard: buckets of pointers to nodes, read under no lock and changed by one.
//!
//! A node lies in its *home*, which its hash names, or in one of the next buckets; how many a look-up has to see is noted at the home.

#![expect(unsafe_code, reason = "readers follow pointers that they do not hold")]

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use super::bucket_word::{REACH_SHIFT, TAGS, matches, tag};
use super::node::{Lent, Node, Parts, Start};
use super::sought::Sought;

/// Pointers in a bucket.
pub(super) const WIDTH: usize = 7;
/// Buckets that a look-up may have to see.
pub(super) const MOST_REACH: usize = 16;

/// A pointer to a number of buckets that is a power of two, and not 1. How far a hash is shifted to get the number of its home is in
/// the low bits of the pointer, which are 0 as buckets are aligned: a reader has both with one load.
pub(super) struct Index<P: Parts>(pub(super) *mut Bucket<P>);

impl<P: Parts> Clone for Index<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Parts> Copy for Index<P> {}

/// Where a pointer is in an index, in four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u32);

impl Place {
    /// That of no pointer.
    pub(super) const NONE: Self = Self(u32::MAX);

    fn new(bucket: usize, pointer: usize) -> Self {
        // Only `NONE` has all bits set: there are seven pointers in a bucket.
        Self(u32::try_from(bucket * 8 + pointer).expect("an index has fewer than 2^29 buckets, which are 32 GiB"))
    }

    fn parts(self) -> (usize, usize) {
        (self.0 as usize / 8, self.0 as usize % 8)
    }
}

#[repr(align(64))]
pub(super) struct Bucket<P: Parts> {
    /// Seven bits of its hash for each pointer, 0 where there is none, and the reach of this home in the highest byte.
    pub(super) word: AtomicU64,
    pub(super) nodes: [AtomicPtr<Start<P>>; WIDTH],
}

/// An index that was unlinked. Not a box: some may still read it, and a box is nobody else's.
pub(super) struct Retired<P: Parts>(pub(super) Index<P>);

// SAFETY: the index is shared by readers on all threads, and dropped by whichever thread is last.
unsafe impl<P: Parts> Send for Retired<P> {}

impl<P: Parts> Drop for Retired<P> {
    fn drop(&mut self) {
        // SAFETY: it was unlinked, and after its period of grace nobody reads it.
        unsafe { self.0.free() }
    }
}

impl<P: Parts> Bucket<P> {
    fn new() -> Self {
        Self { word: AtomicU64::new(0), nodes: [const { AtomicPtr::new(ptr::null_mut()) }; WIDTH] }
    }
}

const SHIFT: usize = align_of::<Bucket<Nothing>>() - 1;

/// Stands for any parts where only the layout counts.
struct Nothing;

impl Parts for Nothing {
    type Head = ();
    type Rare = ();
    type Item = ();
}

impl<P: Parts> Index<P> {
    pub(super) fn new(exponent: u32) -> Self {
        let buckets: Box<[Bucket<P>]> = (0..1_usize << exponent).map(|_| Bucket::new()).collect();
        let first = Box::into_raw(buckets).cast::<Bucket<P>>();
        let shift = (u64::BITS - exponent) as usize;
        assert!((1..=SHIFT).contains(&shift), "an index has two buckets or more");
        Self(first.map_addr(|address| address | shift))
    }

    #[inline(always)]
    pub(super) fn shift(self) -> u32 {
        (self.0.addr() & SHIFT) as u32
    }

    pub(super) fn exponent(self) -> u32 {
        u64::BITS - self.shift()
    }

    /// Returns the number of the bucket where a hash is looked for first.
    #[inline(always)]
    pub(super) fn home(self, hash: u64) -> usize {
        (hash >> self.shift()) as usize
    }

    #[inline(always)]
    pub(super) fn first(self) -> *mut Bucket<P> {
        self.0.map_addr(|address| address & !SHIFT)
    }

    pub(super) fn len(self) -> usize {
        1 << self.exponent()
    }

    pub(super) fn places(self) -> usize {
        self.len() * WIDTH
    }

    /// # Safety
    ///
    /// The index is not freed for all of `'a`.
    #[inline(always)]
    pub(super) unsafe fn home_bucket<'a>(self, hash: u64) -> &'a Bucket<P> {
        // SAFETY: a hash has as many bits behind the shift as the number of the last bucket; the buckets live for `'a`.
        unsafe { &*self.first().add(self.home(hash)) }
    }

    /// # Safety
    ///
    /// As for [`home_bucket`](Self::home_bucket).
    pub(super) unsafe fn bucket<'a>(self, hash: u64, distance: usize) -> &'a Bucket<P> {
        let at = (self.home(hash) + distance) & (self.len() - 1);
        // SAFETY: there are `len` buckets from the first one on, and they live for `'a`.
        unsafe { &*self.first().add(at) }
    }

    /// # Safety
    ///
    /// As for [`home_bucket`](Self::home_bucket).
    pub(super) unsafe fn buckets<'a>(self) -> &'a [Bucket<P>] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts(self.first(), self.len()) }
    }

    /// # Safety
    ///
    /// Nobody uses the index any more, and this is called once.
    pub(super) unsafe fn free(self) {
        // SAFETY: `new` has made it of a box of this very slice.
        drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(self.first(), self.len())) });
    }

    /// Puts a pointer in the first free place of its reach, and returns that, if there is one.
    ///
    /// # Safety
    ///
    /// The caller owns the shard, or nobody else knows the index.
    pub(super) unsafe fn put(self, hash: u64, raw: *mut Start<P>) -> Option<Place> {
        for distance in 0..MOST_REACH.min(self.len()) {
            // SAFETY: an owner's index is not freed while it is owned.
            let (first, bucket) = unsafe { (self.home_bucket(hash), self.bucket(hash, distance)) };
            let is_free = |node: &AtomicPtr<Start<P>>| node.load(Ordering::Relaxed).is_null();
            let Some(place) = bucket.nodes.iter().position(is_free) else { continue };
            let word = bucket.word.load(Ordering::Relaxed);
            // Release: who finds the pointer finds the node written.
            bucket.nodes[place].store(raw, Ordering::Release);
            bucket.word.store(word | u64::from(tag(hash)) << (8 * place), Ordering::Release);
            let known = first.word.load(Ordering::Relaxed);
            if known >> REACH_SHIFT < distance as u64 {
                first.word.store(known & TAGS | (distance as u64) << REACH_SHIFT, Ordering::Release);
            }
            return Some(Place::new((self.home(hash) + distance) & (self.len() - 1), place));
        }
        None
    }

    /// Returns the bucket of a place, and which pointer of it that is.
    ///
    /// # Safety
    ///
    /// As for [`home_bucket`](Self::home_bucket).
    #[inline]
    pub(super) unsafe fn at<'a>(self, place: Place) -> (&'a Bucket<P>, usize) {
        let (bucket, pointer) = place.parts();
        assert!(bucket < self.len(), "a place is of the index that gave it");
        // SAFETY: it is one of the buckets, which live for `'a`.
        (unsafe { &*self.first().add(bucket) }, pointer)
    }

    /// # Safety
    ///
    /// As for [`home_bucket`](Self::home_bucket).
    pub(super) unsafe fn pointers<'a>(self) -> impl Iterator<Item = NonNull<Start<P>>> + use<'a, P> {
        // SAFETY: the caller's promise.
        let all = unsafe { self.buckets::<'a>() }.iter().flat_map(|bucket| &bucket.nodes);
        all.filter_map(|node| NonNull::new(node.load(Ordering::Relaxed)))
    }
}

/// Finds a node in an index.
///
/// # Safety
///
/// Neither the index nor any node that is in it is dropped for all of `'a`.
#[inline(always)]
pub(super) unsafe fn find<'a, P: Parts>(index: Index<P>, sought: impl Sought<P>) -> Option<Lent<'a, P>> {
    let hash = sought.hash();
    // SAFETY: the caller's promise.
    let mut bucket = unsafe { index.home_bucket(hash) };
    let mut word = bucket.word.load(Ordering::Acquire);
    let reach = (word >> REACH_SHIFT) as usize;
    let mut distance = 0;
    // One loop also for the first of them: what compares keys is put in place here, once.
    loop {
        // SAFETY: the caller's promise.
        let found = unsafe { find_in(bucket, word, &sought) };
        if found.is_some() || distance == reach {
            return found;
        }
        distance += 1;
        // SAFETY: the caller's promise.
        bucket = unsafe { further(index, hash, distance) };
        word = bucket.word.load(Ordering::Acquire);
    }
}

/// As [`Index::bucket`], for few: what it takes is not computed before it is needed.
///
/// # Safety
///
/// As for [`Index::bucket`].
#[cold]
#[inline(never)]
unsafe fn further<'a, P: Parts>(index: Index<P>, hash: u64, distance: usize) -> &'a Bucket<P> {
    // SAFETY: the caller's promise.
    unsafe { index.bucket(hash, distance) }
}

/// Finds a node in a bucket with this word.
///
/// # Safety
///
/// No node that is in it is dropped for all of `'a`.
#[inline(always)]
unsafe fn find_in<'a, P: Parts>(bucket: &Bucket<P>, word: u64, sought: &impl Sought<P>) -> Option<Lent<'a, P>> {
    let mut matches = matches(word, tag(sought.hash()));
    while matches != 0 {
        let place = matches.trailing_zeros() as usize / 8;
        // SAFETY: there is a match in the seven lowest bytes only, one for each place.
        let found = unsafe { bucket.nodes.get_unchecked(place) };
        // Acquire: the node was written whole.
        if let Some(raw) = NonNull::new(found.load(Ordering::Acquire)) {
            // SAFETY: the index holds each node it points to, and by the caller's promise that hold is not dropped.
            let lent = unsafe { Node::lend(raw) };
            if sought.is(&lent) {
                return Some(lent);
            }
        }
        matches &= matches - 1;
    }
    None
}
