//! One allocation for all that belongs to an entry, behind a thin pointer with a count of its holders.
//!
//! ```text
//! │ Start: kind · head · holders · number · counts │ rare? │ value │ items … │ bytes … │
//! ```
//!
//! The kind, one static for each type of value, knows where the parts lie and how to drop them.

#![expect(unsafe_code, reason = "parts of several types and lengths share one allocation, which all holders share")]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::any::{Any, TypeId};
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::catch_unwind;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering, fence};

/// What nodes are made of.
pub trait Parts: 'static {
    /// What every node has.
    type Head: Send + Sync;
    /// What few have.
    type Rare: Send + Sync;
    /// What each may have many of.
    type Item: Clone + Send + Sync;
}

/// A holder of a node; the last one drops it.
pub struct Node<P: Parts> {
    start: NonNull<Start<P>>,
    _parts: PhantomData<(P::Head, P::Rare, P::Item)>,
}

// SAFETY: all parts are `Send + Sync`, the value by the bounds of `new`; the count is atomic.
unsafe impl<P: Parts> Send for Node<P> {}
// SAFETY: as above.
unsafe impl<P: Parts> Sync for Node<P> {}

/// The fixed part of a node, at its beginning.
#[repr(C)]
pub(super) struct Start<P: Parts> {
    kind: &'static Kind,
    head: P::Head,
    holders: AtomicU32,
    number: AtomicU32,
    bytes: u32,
    /// [`SPILLED`]: too many for this; their number stands before the first one.
    items: u16,
    detail: u16,
}

const SPILLED: u16 = u16::MAX;

/// Where the parts of nodes with values of one type lie, in bytes from the beginning.
struct Kind {
    value_type: TypeId,
    /// None if there is no rare part.
    rare: Option<usize>,
    value: usize,
    /// Where the items begin, or their number.
    rest: usize,
    align: usize,
    /// Drops a value in place.
    drop_value: unsafe fn(*mut u8),
}

struct KindOf<P, V, const HAS_RARE: bool>(PhantomData<(P, V)>);

impl<P: Parts, V: Any, const HAS_RARE: bool> KindOf<P, V, HAS_RARE> {
    const RARE: usize = round_up(size_of::<Start<P>>(), align_of::<P::Rare>());
    const BEFORE: usize = if HAS_RARE { Self::RARE + size_of::<P::Rare>() } else { size_of::<Start<P>>() };
    const VALUE: usize = round_up(Self::BEFORE, align_of::<V>());
    const ALIGN: usize =
        max(max(align_of::<Start<P>>(), align_of::<P::Rare>()), max(align_of::<V>(), rest_align::<P>()));
    const KIND: &'static Kind = &Kind {
        value_type: TypeId::of::<V>(),
        rare: if HAS_RARE { Some(Self::RARE) } else { None },
        value: Self::VALUE,
        rest: round_up(Self::VALUE + size_of::<V>(), rest_align::<P>()),
        align: Self::ALIGN,
        drop_value: drop_value::<V>,
    };
}

/// The number of spilled items and the items themselves are aligned alike.
const fn rest_align<P: Parts>() -> usize {
    max(align_of::<P::Item>(), align_of::<usize>())
}

const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

const fn round_up(offset: usize, align: usize) -> usize {
    offset.next_multiple_of(align)
}

/// Drops a value. A panic of its drop ends here: who happens to be the last holder is mostly another caller than the one whose
/// value it was, and two such values that are dropped together would end the process.
///
/// # Safety
///
/// `value` is a valid `V` that nobody uses afterwards.
unsafe fn drop_value<V>(value: *mut u8) {
    // SAFETY: the caller's promise.
    let _panicked = catch_unwind(|| unsafe { ptr::drop_in_place(value.cast::<V>()) });
}

/// Where the parts of one node lie.
#[derive(Clone, Copy)]
struct Place {
    items: usize,
    item_count: usize,
    bytes: usize,
    layout: Layout,
}

impl Kind {
    /// Returns the place of the value; a function, so that where there is no rare part the place is not loaded to choose it.
    #[cold]
    #[inline(never)]
    fn value_behind_rare(&self) -> usize {
        self.value
    }

    /// Returns where the parts of a node lie; nothing if it is larger than anything can be.
    fn place<P: Parts>(&self, item_count: usize, byte_count: usize) -> Option<Place> {
        let count_size =
            if item_count >= usize::from(SPILLED) { round_up(size_of::<usize>(), rest_align::<P>()) } else { 0 };
        let items = self.rest + count_size;
        let bytes = items.checked_add(item_count.checked_mul(size_of::<P::Item>())?)?;
        let layout = Layout::from_size_align(bytes.checked_add(byte_count)?, self.align).ok()?;
        Some(Place { items, item_count, bytes, layout })
    }
}

impl<P: Parts> Node<P> {
    /// Makes a node with one holder; nothing if there are 4 GiB of bytes or more.
    pub(crate) fn new<V: Any + Send + Sync>(
        head: P::Head,
        detail: u16,
        rare: Option<P::Rare>,
        value: V,
        items: &[P::Item],
        bytes: &[u8],
    ) -> Option<Self> {
        let kind = if rare.is_some() { KindOf::<P, V, true>::KIND } else { KindOf::<P, V, false>::KIND };
        let byte_count = u32::try_from(bytes.len()).ok()?;
        let place = kind.place::<P>(items.len(), bytes.len())?;
        let item_count = u16::try_from(items.len()).unwrap_or(SPILLED);
        let (holders, number) = (AtomicU32::new(1), AtomicU32::new(0));
        let start = Start { kind, head, holders, number, bytes: byte_count, items: item_count, detail };
        // SAFETY: the layout has the size of `Start` at least, so not 0. Each part is written within the allocation, at a
        // multiple of its alignment (`KindOf`, `place`), and no two parts overlap. Items come first: only their clone can panic,
        // and then the memory is lost with them, and nothing else.
        unsafe {
            let memory = alloc(place.layout);
            let Some(at) = NonNull::new(memory.cast::<Start<P>>()) else { handle_alloc_error(place.layout) };
            let first = memory.add(place.items).cast::<P::Item>();
            items.iter().enumerate().for_each(|(index, item)| first.add(index).write(item.clone()));
            at.write(start);
            if let (Some(offset), Some(rare)) = (kind.rare, rare) {
                memory.add(offset).cast::<P::Rare>().write(rare);
            }
            memory.add(kind.value).cast::<V>().write(value);
            if item_count == SPILLED {
                memory.add(kind.rest).cast::<usize>().write(items.len());
            }
            ptr::copy_nonoverlapping(bytes.as_ptr(), memory.add(place.bytes), bytes.len());
            Some(Self { start: at, _parts: PhantomData })
        }
    }

    #[inline(always)]
    fn start(&self) -> &Start<P> {
        // SAFETY: a node lives as long as it has a holder, and `self` is one. It was written whole by `new`, and is changed only
        // by `get_mut`, whose caller is the only holder and whose borrow excludes this one.
        unsafe { self.start.as_ref() }
    }

    #[inline(always)]
    fn at<T>(&self, offset: usize) -> *mut T {
        // SAFETY: offsets come from `Kind` and `Place` of this very node: within its allocation, of which `start` was made.
        unsafe { self.start.as_ptr().byte_add(offset).cast() }
    }

    /// Returns the place of the parts; it was possible when the node was made.
    fn place(&self) -> Place {
        let start = self.start();
        let item_count = match start.items {
            // SAFETY: `new` has written it there, aligned, for this very case.
            SPILLED => unsafe { *self.at::<usize>(start.kind.rest) },
            count => usize::from(count),
        };
        start.kind.place::<P>(item_count, start.bytes as usize).expect("the node was made")
    }

    /// Returns the value if it is a `V`.
    #[inline(always)]
    pub(crate) fn value<V: Any>(&self) -> Option<&V> {
        let kind = self.start().kind;
        if kind.value_type != TypeId::of::<V>() {
            return None;
        }
        // Without a rare part the place follows from the type: the value is read without waiting for the kind.
        let offset = if kind.rare.is_none() { KindOf::<P, V, false>::VALUE } else { kind.value_behind_rare() };
        // SAFETY: `new` has written a value of the type that the kind names to this place, and nothing changes it.
        Some(unsafe { &*self.at::<V>(offset) })
    }

    #[inline(always)]
    pub(crate) fn rare(&self) -> Option<&P::Rare> {
        // SAFETY: where the kind names a place, `new` has written the part there, and nothing changes it.
        self.start().kind.rare.map(|offset| unsafe { &*self.at(offset) })
    }

    #[inline(always)]
    pub(crate) fn items(&self) -> &[P::Item] {
        let start = self.start();
        let (offset, count) = match start.items {
            0 => return &[],
            SPILLED => (self.place().items, self.place().item_count),
            count => (start.kind.rest, usize::from(count)),
        };
        // SAFETY: `new` has written so many items there, aligned, and nothing changes them.
        unsafe { std::slice::from_raw_parts(self.at(offset), count) }
    }

    #[inline(always)]
    pub(crate) fn bytes(&self) -> &[u8] {
        let start = self.start();
        let offset = match start.items {
            SPILLED => self.place().bytes,
            count => start.kind.rest + usize::from(count) * size_of::<P::Item>(),
        };
        // SAFETY: `new` has written so many bytes there, and nothing changes them.
        unsafe { std::slice::from_raw_parts(self.at(offset), start.bytes as usize) }
    }

    #[inline(always)]
    pub(crate) fn head(&self) -> &P::Head {
        &self.start().head
    }

    /// Returns what was told as detail when the node was made.
    pub(crate) fn detail(&self) -> u16 {
        self.start().detail
    }

    /// Returns the number that its owner last gave it.
    #[inline]
    pub(crate) fn number(&self) -> u32 {
        self.start().number.load(Ordering::Relaxed)
    }

    pub(crate) fn set_number(&self, number: u32) {
        self.start().number.store(number, Ordering::Relaxed);
    }

    /// Returns the head for changing if there is no other holder.
    pub(crate) fn get_mut(&mut self) -> Option<&mut P::Head> {
        // Acquire: what former holders did has happened.
        let is_only = self.start().holders.load(Ordering::Acquire) == 1;
        // SAFETY: `self` is the only holder and borrowed for changing: nobody can read, or make another holder, meanwhile. (A
        // node that is in a table, or lent from one, has the table as a holder.)
        is_only.then(|| unsafe { &mut (*self.start.as_ptr()).head })
    }

    /// Whether both hold the same node.
    #[inline]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.start == other.start
    }

    /// Gives the hold away.
    pub(super) fn into_raw(self) -> *mut Start<P> {
        ManuallyDrop::new(self).start.as_ptr()
    }

    pub(super) fn as_raw(&self) -> *mut Start<P> {
        self.start.as_ptr()
    }

    /// Takes a hold that was given away.
    ///
    /// # Safety
    ///
    /// `raw` comes from [`into_raw`](Self::into_raw), and each hold that was given away is taken once.
    pub(super) unsafe fn from_raw(raw: NonNull<Start<P>>) -> Self {
        Self { start: raw, _parts: PhantomData }
    }

    /// Lends what somebody else holds.
    ///
    /// # Safety
    ///
    /// `raw` comes from [`into_raw`](Self::into_raw), and for all of `'a` the hold that was given away is not dropped.
    #[inline]
    pub(super) unsafe fn lend<'a>(raw: NonNull<Start<P>>) -> Lent<'a, P> {
        Lent { node: ManuallyDrop::new(Self { start: raw, _parts: PhantomData }), _hold: PhantomData }
    }

    /// Drops all parts and gives the memory back.
    #[cold]
    fn free(&mut self) {
        /// Gives the memory back also if a part panics.
        struct Memory(*mut u8, Layout);
        impl Drop for Memory {
            fn drop(&mut self) {
                // SAFETY: it was allocated by `new` with this very layout, and nobody uses it any more.
                unsafe { dealloc(self.0, self.1) }
            }
        }
        let place = self.place();
        let kind = self.start().kind;
        let _memory = Memory(self.start.as_ptr().cast(), place.layout);
        // SAFETY: the last holder is gone (`Drop`), so nobody uses the parts any more; `new` has written each of them, and each
        // is dropped once. The value comes last: of all of them only it runs code of users.
        unsafe {
            ptr::drop_in_place(ptr::slice_from_raw_parts_mut(self.at::<P::Item>(place.items), place.item_count));
            if let Some(offset) = kind.rare {
                ptr::drop_in_place(self.at::<P::Rare>(offset));
            }
            ptr::drop_in_place(&raw mut (*self.start.as_ptr()).head);
            (kind.drop_value)(self.at(kind.value));
        }
    }
}

impl<P: Parts> Clone for Node<P> {
    fn clone(&self) -> Self {
        // Relaxed: who clones has a hold already. As in the standard library's `Arc`, so many that the count could overflow can
        // only have been forgotten, one by one.
        if self.start().holders.fetch_add(1, Ordering::Relaxed) > u32::MAX / 2 {
            std::process::abort();
        }
        Self { start: self.start, _parts: PhantomData }
    }
}

impl<P: Parts> Drop for Node<P> {
    fn drop(&mut self) {
        // Release: what this holder did comes before the drop of the parts.
        if self.start().holders.fetch_sub(1, Ordering::Release) == 1 {
            // Acquire: what all other holders did has happened.
            fence(Ordering::Acquire);
            self.free();
        }
    }
}

impl<P: Parts> fmt::Debug for Node<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("bytes", &self.bytes().len())
            .field("items", &self.items().len())
            .finish_non_exhaustive()
    }
}

/// A node that somebody else holds.
pub(crate) struct Lent<'a, P: Parts> {
    node: ManuallyDrop<Node<P>>,
    _hold: PhantomData<&'a Node<P>>,
}

impl<P: Parts> Deref for Lent<'_, P> {
    type Target = Node<P>;

    #[inline]
    fn deref(&self) -> &Node<P> {
        &self.node
    }
}
