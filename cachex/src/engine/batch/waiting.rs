//! The keys of a batch that other calls load.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use super::{Follow, Landing, Member, Waited};
use crate::engine::nesting::Edge;
use crate::method::keep::Keep;
use crate::method::shape::Shape;

/// A key that another call loads.
pub(super) struct Waiting<'a, S: Shape, K> {
    pub(super) member: Member<'a, S, K>,
    pub(super) follow: Follow<Landing>,
    /// How often a flight has brought what is not right for this call.
    pub(super) turned_away: usize,
    /// When it joined the first flight.
    pub(super) arrival: u64,
    /// Whether this flight has begun after that.
    pub(super) is_later: bool,
    pub(super) is_counted: bool,
}

impl<S: Shape, K: Keep<S::Value>> Waiting<'_, S, K> {
    /// Counts that it waits, once.
    pub(super) fn count(&mut self) {
        if !self.is_counted {
            self.member.job.subject.method.counters.followers.one();
            self.is_counted = true;
        }
    }

    /// Asks to wait.
    pub(super) fn edge(&self) -> Option<Edge> {
        self.member.job.may_wait(&self.follow)
    }
}

/// Waits until at least one of the flights has ended, or is to be led by this call, and takes all that have.
pub(super) async fn some<'a, S: Shape, K: Keep<S::Value>>(
    waiting: &mut Vec<Waiting<'a, S, K>>,
) -> Vec<(Waiting<'a, S, K>, Waited<Landing>)> {
    poll_fn(|cx| {
        let mut ended = Vec::new();
        let mut index = 0;
        while index < waiting.len() {
            let Waiting { member, follow, .. } = &mut waiting[index];
            let sequence = &member.job.subject.engine.sequence;
            match Pin::new(&mut follow.wait(sequence)).poll(cx) {
                Poll::Ready(waited) => ended.push((waiting.swap_remove(index), waited)),
                Poll::Pending => index += 1,
            }
        }
        if ended.is_empty() { Poll::Pending } else { Poll::Ready(ended) }
    })
    .await
}
