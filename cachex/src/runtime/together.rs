//! Waiting for many things at once, in one task.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// So many are begun before the first has ended: what they ask for has bounds of its own.
const AT_ONCE: usize = 1024;

/// Awaits all futures at once; gives what they give, in their order. Only those are polled that were woken.
// A type with a name, made here and now: in a future, the iterator would be a part of its state, and what the closures of that borrow.
pub(crate) fn together<F: Future>(futures: impl IntoIterator<Item = F>) -> Together<F> {
    Together {
        parts: futures.into_iter().map(|future| Part::UnderWay(Box::pin(future), None)).collect(),
        begun: 0,
        under_way: 0,
        woken: Arc::default(),
    }
}

/// The future of [`together`].
pub(crate) struct Together<F: Future> {
    parts: Vec<Part<F>>,
    /// So many of the parts, the first ones.
    begun: usize,
    /// So many of these have not ended.
    under_way: usize,
    woken: Arc<Woken>,
}

// Each part is where it is for itself, and what they give is never pinned.
impl<F: Future> Unpin for Together<F> {}

impl<F: Future> Future for Together<F> {
    type Output = Vec<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.woken.note(cx.waker());
        // Each is polled once, also one that wakes itself: it may do so until the task has given its thread to others.
        // Break this (poll as long as one was woken) and what waits for that never ends.
        let mut is_to_poll = true;
        loop {
            while this.under_way < AT_ONCE && this.begun < this.parts.len() {
                this.parts[this.begun].begin(this.begun, &this.woken);
                this.begun += 1;
                this.under_way += 1;
                is_to_poll = true;
            }
            if this.under_way == 0 {
                return Poll::Ready(std::mem::take(&mut this.parts).into_iter().filter_map(Part::output).collect());
            }
            if !is_to_poll {
                return Poll::Pending;
            }
            is_to_poll = false;
            let indices = std::mem::take(&mut this.woken.lock().indices);
            for index in indices {
                this.under_way -= usize::from(this.parts[index].poll());
            }
        }
    }
}

/// One of the futures.
enum Part<F: Future> {
    /// With what wakes it, once it was begun.
    UnderWay(Pin<Box<F>>, Option<Arc<One>>),
    Ended(F::Output),
}

impl<F: Future> Part<F> {
    /// Has it polled for the first time.
    fn begin(&mut self, index: usize, all: &Arc<Woken>) {
        if let Self::UnderWay(_, waker) = self {
            all.lock().indices.push(index);
            *waker = Some(Arc::new(One { index, is_noted: AtomicBool::new(true), all: all.clone() }));
        }
    }

    /// Polls it, unless it has ended. Returns whether it ends with that.
    fn poll(&mut self) -> bool {
        let Self::UnderWay(future, Some(one)) = self else { return false };
        // Before the poll: what wakes it meanwhile counts.
        // And it is a swap: a store could come after what the poll reads, and who wakes meanwhile would note nothing.
        one.is_noted.swap(false, Ordering::AcqRel);
        let waker = Waker::from(one.clone());
        let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) else { return false };
        *self = Self::Ended(output);
        true
    }

    fn output(self) -> Option<F::Output> {
        match self {
            Self::UnderWay(..) => None,
            Self::Ended(output) => Some(output),
        }
    }
}

/// Which of them are to be polled.
#[derive(Default)]
struct Woken(Mutex<State>);

#[derive(Default)]
struct State {
    indices: Vec<usize>,
    waker: Option<Waker>,
}

impl Woken {
    fn note(&self, waker: &Waker) {
        let mut state = self.lock();
        let known = state.waker.as_ref();
        if known.is_none_or(|known| !known.will_wake(waker)) {
            let replaced = state.waker.replace(waker.clone());
            // With it may go a task, and what that waits for.
            drop(state);
            drop(replaced);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes one of them.
struct One {
    index: usize,
    is_noted: AtomicBool,
    all: Arc<Woken>,
}

impl Wake for One {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_noted.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut state = self.all.lock();
        state.indices.push(self.index);
        let waker = state.waker.clone();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::AtomicUsize;

    use tokio::sync::oneshot;

    use super::*;
    use crate::runtime::block_on;

    #[test]
    fn all_are_begun_before_one_is_waited_for_and_their_outputs_stand_in_order() {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..100).map(|_| oneshot::channel::<usize>()).unzip();
        let mut senders = Some(senders);
        let begun = AtomicUsize::new(0);
        let futures = receivers.into_iter().map(|receiver| async {
            begun.fetch_add(1, Ordering::Relaxed);
            receiver.await.expect("it is sent")
        });
        let sending = async {
            let senders = senders.take().into_iter().flatten().enumerate().collect::<Vec<_>>();
            assert_eq!(begun.load(Ordering::Relaxed), 100);
            for (index, sender) in senders.into_iter().rev() {
                sender.send(index).expect("somebody waits");
            }
        };
        let both = async {
            let mut all = std::pin::pin!(together(futures));
            let pending = poll_fn(|cx| Poll::Ready(all.as_mut().poll(cx).is_pending())).await;
            assert!(pending);
            sending.await;
            all.await
        };
        assert_eq!(block_on(both), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn only_who_was_woken_is_polled() {
        let polls = AtomicUsize::new(0);
        let (sender, receiver) = oneshot::channel::<()>();
        let mut receiver = Some(receiver);
        let futures = (0..50).map(|_| {
            let mut receiver = receiver.take();
            let polls = &polls;
            poll_fn(move |cx| {
                polls.fetch_add(1, Ordering::Relaxed);
                receiver.as_mut().map_or(Poll::Ready(()), |receiver| Pin::new(receiver).poll(cx).map(drop))
            })
        });
        let mut sender = Some(sender);
        let mut all = std::pin::pin!(together(futures));
        block_on(poll_fn(|cx| {
            let polled = all.as_mut().poll(cx);
            if let Some(sender) = sender.take() {
                sender.send(()).expect("somebody waits");
            }
            polled.map(drop)
        }));
        // The one that had to wait was polled twice.
        assert_eq!(polls.load(Ordering::Relaxed), 51);
    }

    #[test]
    fn one_that_wakes_itself_is_polled_when_the_task_is() {
        let mut polls = 0;
        let yielding = poll_fn(|cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            if polls == 3 { Poll::Ready(()) } else { Poll::Pending }
        });
        let mut all = std::pin::pin!(together([yielding]));
        let mut polls_of_all = 0;
        block_on(poll_fn(|cx| {
            polls_of_all += 1;
            all.as_mut().poll(cx).map(drop)
        }));
        assert_eq!(polls_of_all, 3);
    }

    #[test]
    fn more_than_may_be_under_way_are_done_as_well_and_none_is_none() {
        let all = together((0..3 * AT_ONCE).map(|index| async move { index }));
        assert_eq!(block_on(all), (0..3 * AT_ONCE).collect::<Vec<_>>());
        assert!(block_on(together(std::iter::empty::<std::future::Ready<()>>())).is_empty());
    }
}
