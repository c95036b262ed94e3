//! Waiting for many things at once, in one task.

use std::future::Future;
use std::vec;

use futures_util::StreamExt;
use futures_util::stream::{self, Buffered, Collect, Iter};

/// So many are begun before the first has ended: what they ask for has bounds of its own.
const AT_ONCE: usize = 1024;

/// Awaits all futures at once; gives what they give, in their order. Only those are polled that were woken.
// A type with a name, made here and now: in a future, the iterator would be a part of its state, and what the closures of that borrow.
pub(crate) fn together<F: Future>(futures: impl IntoIterator<Item = F>) -> Together<F> {
    let futures: Vec<_> = futures.into_iter().collect();
    stream::iter(futures).buffered(AT_ONCE).collect()
}

/// The future of [`together`].
pub(crate) type Together<F> = Collect<Buffered<Iter<vec::IntoIter<F>>>, Vec<<F as Future>::Output>>;

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Poll;

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
