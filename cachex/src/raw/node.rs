//! One allocation for all that belongs to an entry, behind a thin pointer with a count of its holders.
//!
//! ```text
//! │ rare? │ … items │ value │ Start: holders · number · trace · counts · head · label · kind │ bytes … │ note? │
//!                           ↑
//! ```
//!
//! The pointer leads to the start. Bytes come right behind it, the value right before it and the items before that: who knows the
//! type of the value finds all three without a look at anything else. Who does not asks the kind, one static for each type of
//! value, which also knows how to drop it. Behind the bytes of a node with items is a note: its length in four bytes, and the note.

#![expect(unsafe_code, reason = "parts of several types and lengths share one allocation, which all holders share")]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::any::{Any, TypeId};
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering, fence};

use crate::caught::caught;

/// What nodes are made of.
pub trait Parts: 'static {
    /// What every node has.
    type Head: Send + Sync;
    /// What few have.
    type Rare: Send + Sync;
    /// What each may have many of.
    type Item: Copy + Send + Sync;
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

/// The fixed part of a node. What a hit reads comes last.
#[repr(C)]
pub(super) struct Start<P: Parts> {
    holders: AtomicU32,
    number: AtomicU32,
    trace: AtomicU32,
    /// [`SPILLED`]: too many for this; their number stands before the value.
    items: u16,
    detail: u16,
    head: P::Head,
    /// The number of bytes in the upper half, what the owner calls it in the lower one: compared at once.
    label: u64,
    kind: &'static Kind,
}

const SPILLED: u16 = u16::MAX;

/// The length of the length of a note.
const NOTE_LEN: usize = size_of::<u32>();

/// How nodes with values of one type are laid out. Offsets are in bytes, back from the start.
struct Kind {
    value_type: TypeId,
    has_rare: bool,
    /// Whether there is neither a rare part nor a number of spilled items.
    is_plain: bool,
    value: usize,
    align: usize,
    /// Drops a value in place.
    drop_value: unsafe fn(*mut u8),
}

struct KindOf<P, V>(PhantomData<(P, V)>);

impl<P: Parts, V> KindOf<P, V> {
    const ALIGN: usize =
        max(max(align_of::<Start<P>>(), align_of::<P::Rare>()), max(align_of::<V>(), rest_align::<P>()));
    const VALUE: usize = size_of::<V>().next_multiple_of(Self::ALIGN);
}

impl<P: Parts, V: Any> KindOf<P, V> {
    const PLAIN: &'static Kind = &Self::kind(false);
    const SPILLED: &'static Kind = &Kind { is_plain: false, ..Self::kind(false) };
    const RARE: &'static Kind = &Self::kind(true);

    const fn kind(has_rare: bool) -> Kind {
        let (value, align) = (Self::VALUE, Self::ALIGN);
        let (value_type, is_plain) = (TypeId::of::<V>(), !has_rare);
        Kind { value_type, has_rare, is_plain, value, align, drop_value: drop_value::<V> }
    }
}

/// The number of spilled items and the items themselves are aligned alike.
const fn rest_align<P: Parts>() -> usize {
    max(align_of::<P::Item>(), align_of::<usize>())
}

const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// Drops a value. A panic of its drop ends here: who happens to be the last holder is mostly another caller than the one whose
/// value it was, and two such values that are dropped together would end the process. So does the panic of what it threw; what that
/// throws in turn is lost.
///
/// # Safety
///
/// `value` is a valid `V` that nobody uses afterwards.
unsafe fn drop_value<V>(value: *mut u8) {
    // SAFETY: the caller's promise.
    let _panicked = caught(|| unsafe { ptr::drop_in_place(value.cast::<V>()) });
}

/// Where the parts of one node lie; offsets are back from the start.
#[derive(Clone, Copy)]
struct Place {
    items: usize,
    item_count: usize,
    rare: Option<usize>,
    /// What comes before the start in all.
    before: usize,
    layout: Layout,
}

impl Kind {
    /// Returns where the parts of a node lie; nothing if it is larger than anything can be.
    #[inline]
    fn place<P: Parts>(&self, item_count: usize, tail: usize) -> Option<Place> {
        let count_size = if item_count >= usize::from(SPILLED) { rest_align::<P>() } else { 0 };
        let items = item_count.checked_mul(size_of::<P::Item>())?.checked_add(self.value + count_size)?;
        let rare = match self.has_rare {
            true => Some(round_up(items.checked_add(size_of::<P::Rare>())?, align_of::<P::Rare>())?),
            false => None,
        };
        let before = round_up(rare.unwrap_or(items), self.align)?;
        let size = before.checked_add(size_of::<Start<P>>())?.checked_add(tail)?;
        let layout = Layout::from_size_align(size, self.align).ok()?;
        Some(Place { items, item_count, rare, before, layout })
    }
}

/// Returns the next multiple of an alignment. (It is a power of two, which the compiler can't know: it would divide.)
fn round_up(offset: usize, align: usize) -> Option<usize> {
    Some(offset.checked_add(align - 1)? & !(align - 1))
}

/// Puts what the owner calls a node together with the number of its bytes.
#[inline(always)]
pub(crate) fn label(name: u32, bytes: usize) -> u64 {
    u64::from(name) | (bytes as u64) << u32::BITS
}

impl<P: Parts> Node<P> {
    /// Makes a node with one holder; nothing if there are 4 GiB of bytes or more. `name` is what its owner calls it. The note is kept if
    /// there are items.
    pub(crate) fn new<V: Any + Send + Sync>(
        head: P::Head,
        (name, detail): (u32, u16),
        rare: Option<P::Rare>,
        value: V,
        (items, note): (&[P::Item], &[u8]),
        bytes: &[u8],
    ) -> Option<Self> {
        let _fits = u32::try_from(bytes.len()).ok()?;
        let note_len = u32::try_from(note.len()).ok()?.to_ne_bytes();
        let noted: [&[u8]; 2] = if items.is_empty() { [&[], &[]] } else { [&note_len, note] };
        let tail = bytes.len() + noted[0].len() + noted[1].len();
        let placed = |kind: &'static Kind| Some((kind, kind.place::<P>(items.len(), tail)?));
        // Each by itself: the compiler then knows the kind.
        let (kind, place) = match (&rare, items.len() < usize::from(SPILLED)) {
            (None, true) => placed(KindOf::<P, V>::PLAIN),
            (None, false) => placed(KindOf::<P, V>::SPILLED),
            (Some(_), _) => placed(KindOf::<P, V>::RARE),
        }?;
        let start = Start::<P> {
            holders: AtomicU32::new(1),
            number: AtomicU32::new(0),
            trace: AtomicU32::new(0),
            items: u16::try_from(items.len()).unwrap_or(SPILLED),
            detail,
            head,
            label: label(name, bytes.len()),
            kind,
        };
        // SAFETY: the layout has the size of `Start` at least, so not 0. Each part is written within the allocation, at a
        // multiple of its alignment (`KindOf`, `place`), and no two parts overlap.
        unsafe {
            let memory = alloc(place.layout);
            let Some(memory) = NonNull::new(memory) else { handle_alloc_error(place.layout) };
            let at = memory.add(place.before);
            let first = at.sub(place.items).cast::<P::Item>();
            ptr::copy_nonoverlapping(items.as_ptr(), first.as_ptr(), items.len());
            let is_spilled = start.items == SPILLED;
            at.cast().write(start);
            if let (Some(offset), Some(rare)) = (place.rare, rare) {
                at.sub(offset).cast::<P::Rare>().write(rare);
            }
            at.sub(kind.value).cast::<V>().write(value);
            if is_spilled {
                at.sub(kind.value + size_of::<usize>()).cast::<usize>().write(items.len());
            }
            let mut end = at.add(size_of::<Start<P>>());
            for part in [bytes, noted[0], noted[1]] {
                ptr::copy_nonoverlapping(part.as_ptr(), end.as_ptr(), part.len());
                end = end.add(part.len());
            }
            Some(Self { start: at.cast(), _parts: PhantomData })
        }
    }

    #[inline(always)]
    fn start(&self) -> &Start<P> {
        // SAFETY: a node lives as long as it has a holder, and `self` is one. It was written whole by `new`, and is changed only
        // by `get_mut`, whose caller is the only holder and whose borrow excludes this one.
        unsafe { self.start.as_ref() }
    }

    /// Returns what lies so many bytes before the start.
    #[inline(always)]
    fn before<T>(&self, offset: usize) -> *mut T {
        // SAFETY: offsets come from `Kind` and `Place` of this very node: within its allocation, of which `start` was made.
        unsafe { self.start.as_ptr().byte_sub(offset).cast() }
    }

    /// Returns the place of the parts; it was possible when the node was made.
    fn place(&self) -> Place {
        let start = self.start();
        let item_count = match start.items {
            // SAFETY: `new` has written it there, aligned, for this very case.
            SPILLED => unsafe { *self.before::<usize>(start.kind.value + size_of::<usize>()) },
            count => usize::from(count),
        };
        let noted = if item_count == 0 { 0 } else { NOTE_LEN + self.note().len() };
        start.kind.place::<P>(item_count, self.bytes().len() + noted).expect("the node was made")
    }

    /// Returns the value if it is a `V`.
    pub(crate) fn value<V: Any>(&self) -> Option<&V> {
        let is_one = self.start().kind.value_type == TypeId::of::<V>();
        // SAFETY: `new` has written a value of the type that the kind names to this place, and nothing changes it.
        is_one.then(|| unsafe { &*self.before::<V>(KindOf::<P, V>::VALUE) })
    }

    /// Returns the node as one with a value of type `V`, without a rare part, and with few items, if it is one.
    #[inline(always)]
    pub(crate) fn plain<V: Any>(&self) -> Option<Plain<'_, P, V>> {
        // There may be several copies of one kind: those that differ in their place are compared.
        let kind = self.start().kind;
        let is_plain = ptr::eq(kind, KindOf::<P, V>::PLAIN) || kind.is_plain_too(TypeId::of::<V>());
        is_plain.then_some(Plain { node: self, _value: PhantomData })
    }

    pub(crate) fn rare(&self) -> Option<&P::Rare> {
        // SAFETY: where there is a rare part, `new` has written it to this place, and nothing changes it.
        if self.start().kind.has_rare { self.place().rare.map(|offset| unsafe { &*self.before(offset) }) } else { None }
    }

    pub(crate) fn items(&self) -> &[P::Item] {
        let (start, item) = (self.start(), size_of::<P::Item>());
        let (offset, count) = match start.items {
            SPILLED => (self.place().items, self.place().item_count),
            count => (start.kind.value + usize::from(count) * item, usize::from(count)),
        };
        // SAFETY: `new` has written so many items there, aligned, and nothing changes them.
        unsafe { std::slice::from_raw_parts(self.before(offset), count) }
    }

    #[inline(always)]
    pub(crate) fn bytes(&self) -> &[u8] {
        let count = (self.label() >> u32::BITS) as usize;
        // SAFETY: `new` has written so many bytes behind the start, and nothing changes them.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().byte_add(size_of::<Start<P>>()).cast(), count) }
    }

    /// Returns the note; nothing where there are no items.
    pub(crate) fn note(&self) -> &[u8] {
        if self.start().items == 0 {
            return &[];
        }
        let bytes = self.bytes();
        // SAFETY: where there are items, `new` has written the length of the note behind the bytes, and then the note; nothing changes them.
        // As they lie anywhere, the length is read unaligned.
        unsafe {
            let at = self.start.as_ptr().byte_add(size_of::<Start<P>>() + bytes.len()).cast::<u8>();
            let len = u32::from_ne_bytes(at.cast::<[u8; NOTE_LEN]>().read());
            std::slice::from_raw_parts(at.add(NOTE_LEN), len as usize)
        }
    }

    /// Returns what the owner calls it.
    pub(crate) fn name(&self) -> u32 {
        self.label() as u32
    }

    /// Returns its name together with the number of its bytes; see [`label`].
    #[inline(always)]
    pub(crate) fn label(&self) -> u64 {
        self.start().label
    }

    /// Returns what its owner and readers last left here; 0 at first.
    #[inline(always)]
    pub(crate) fn trace(&self) -> u32 {
        self.start().trace.load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub(crate) fn set_trace(&self, trace: u32) {
        self.start().trace.store(trace, Ordering::Relaxed);
    }

    #[inline(always)]
    pub(crate) fn head(&self) -> &P::Head {
        &self.start().head
    }

    /// Returns what was told as detail when the node was made.
    pub(crate) fn detail(&self) -> u16 {
        self.start().detail
    }

    /// Returns the number that its owner last gave it; 0 at first.
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
        let _memory = Memory(self.before(place.before), place.layout);
        // SAFETY: the last holder is gone (`Drop`), so nobody uses the parts any more; `new` has written each of them, and each
        // is dropped once. The value comes last: of all of them only it runs code of users.
        unsafe {
            if let Some(offset) = place.rare {
                ptr::drop_in_place(self.before::<P::Rare>(offset));
            }
            ptr::drop_in_place(&raw mut (*self.start.as_ptr()).head);
            (kind.drop_value)(self.before(kind.value));
        }
    }
}

impl Kind {
    #[cold]
    #[inline(never)]
    fn is_plain_too(&self, value_type: TypeId) -> bool {
        self.value_type == value_type && self.is_plain
    }
}

/// A node with a value of type `V`, without a rare part, and with few items.
#[derive(Debug)]
pub struct Plain<'a, P: Parts, V> {
    node: &'a Node<P>,
    _value: PhantomData<&'a V>,
}

impl<'a, P: Parts, V> Plain<'a, P, V> {
    #[inline(always)]
    pub(crate) fn value(&self) -> &'a V {
        // SAFETY: `new` has written a value of the type that the kind names to this place, nothing changes it, and the kind was
        // looked at when this was made.
        unsafe { &*self.node.before::<V>(KindOf::<P, V>::VALUE) }
    }

    /// Whether this holds for all items.
    #[inline(always)]
    pub(crate) fn all_items(&self, holds: impl Fn(P::Item) -> bool) -> bool {
        // The items lie before the value, the first one farthest from it. They are not spilled: such a node is not plain.
        let mut left = usize::from(self.node.start().items);
        while left > 0 {
            // SAFETY: `new` has written so many items there, aligned, and nothing changes them.
            if !holds(unsafe { *self.node.before::<P::Item>(KindOf::<P, V>::VALUE + left * size_of::<P::Item>()) }) {
                return false;
            }
            left -= 1;
        }
        true
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
        let holders = &self.start().holders;
        // Who is the only holder stays the only one: most that leave a table are dropped so. Release: what this holder did comes
        // before the drop of the parts.
        if holders.load(Ordering::Acquire) == 1 || holders.fetch_sub(1, Ordering::Release) == 1 {
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
