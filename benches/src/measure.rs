//! How time is taken: subjects in turns, several times, and the median.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::row::median;

/// Something that answers for keys, by their numbers.
pub(crate) struct Subject<'a> {
    pub(crate) name: &'static str,
    answer: Box<Answer<'a>>,
}

/// Asks for all the given keys; returns for how many of them there was an answer.
type Answer<'a> = dyn Fn(&[u32]) -> usize + Sync + 'a;

impl<'a> Subject<'a> {
    /// Takes what asks for all the given keys, and returns for how many of them there was an answer.
    pub(crate) fn new(name: &'static str, answer: impl Fn(&[u32]) -> usize + Sync + 'a) -> Self {
        Self { name, answer: Box::new(answer) }
    }

    /// Asks for keys without taking the time.
    pub(crate) fn warm(&self, draws: &[u32]) {
        (self.answer)(draws);
    }
}

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) repetitions: usize,
    /// How long a thread goes on asking for its keys, again from the first: long enough for threads to run at once. Zero
    /// where each key may be asked for only once.
    pub(crate) at_least: Duration,
}

/// Measures subjects in turns, so that what else the machine does strikes all of them, and returns of each the median of
/// its times for one key, in nanoseconds, by the thread that asks.
///
/// `work` returns what to ask for in a repetition, for each thread; repetition 0 is not counted.
///
/// # Errors
///
/// A subject had no answer for a key.
pub(crate) fn measure(
    subjects: &[Subject<'_>],
    effort: Effort,
    work: impl Fn(usize) -> Vec<Vec<u32>>,
) -> Result<Vec<f64>, String> {
    let mut times = vec![Vec::with_capacity(effort.repetitions); subjects.len()];
    for repetition in 0..=effort.repetitions {
        let work = work(repetition);
        for turn in 0..subjects.len() {
            // Nobody is always first.
            let index = (turn + repetition) % subjects.len();
            let time = time(&subjects[index], effort.at_least, &work)?;
            if repetition > 0 {
                times[index].push(time);
            }
        }
    }
    Ok(times.iter().map(|times| median(times)).collect())
}

/// Asks for all keys, each thread for its own, and returns the time for one.
#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
fn time(subject: &Subject<'_>, at_least: Duration, work: &[Vec<u32>]) -> Result<f64, String> {
    let start = Barrier::new(work.len());
    let ask = |draws: &[u32]| {
        start.wait();
        let started_at = Instant::now();
        let (mut asked, mut answers) = (0, 0);
        loop {
            answers += (subject.answer)(draws);
            asked += draws.len();
            let elapsed = started_at.elapsed();
            if elapsed >= at_least {
                return (elapsed.as_secs_f64() * 1e9 / asked as f64, answers == asked);
            }
        }
    };
    let outcomes: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = work.iter().map(|draws| scope.spawn(|| ask(draws))).collect();
        threads.into_iter().map(|thread| thread.join()).collect()
    });
    let mut sum = 0.0;
    for outcome in outcomes {
        match outcome {
            Ok((time, true)) => sum += time,
            Ok((_, false)) => return Err(format!("`{}` has no answer for a key that was stored", subject.name)),
            Err(_) => return Err(format!("`{}` panicked", subject.name)),
        }
    }
    Ok(sum / work.len() as f64)
}

/// Returns how long something takes, in nanoseconds.
#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
pub(crate) fn timed(work: impl FnOnce()) -> f64 {
    let started_at = Instant::now();
    work();
    started_at.elapsed().as_secs_f64() * 1e9
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const ONCE: Effort = Effort { repetitions: 3, at_least: Duration::ZERO };

    #[test]
    fn every_thread_asks_for_its_keys_in_each_repetition_and_the_first_time() {
        let asked = AtomicUsize::new(0);
        let subject = Subject::new("counter", |draws| {
            asked.fetch_add(draws.len(), Ordering::Relaxed);
            draws.len()
        });
        let times = measure(&[subject], ONCE, |_| vec![vec![1; 10], vec![2; 5]]).unwrap();
        assert_eq!(times.len(), 1);
        assert_eq!(asked.into_inner(), 4 * 15);
    }

    #[test]
    fn a_subject_without_an_answer_is_told() {
        let subject = Subject::new("forgetful", |draws| draws.len() - 1);
        let message = measure(&[subject], ONCE, |_| vec![vec![1, 2]]).unwrap_err();
        assert_eq!(message, "`forgetful` has no answer for a key that was stored");
    }
}
