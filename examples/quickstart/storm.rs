//! Threads and tasks that read while others write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::city::City;
use crate::error::Error;
use crate::question::{Expected, Question};
use crate::random::Random;
use crate::repository::Cities;
use crate::watch::Watch;

pub(crate) const READING_THREADS: usize = 3;
pub(crate) const READING_TASKS: usize = 3;
pub(crate) const WRITERS: usize = 2;

/// What readers and writers share.
pub(crate) struct Storm {
    pub(crate) cities: Cities,
    pub(crate) watch: Watch,
    pub(crate) runtime: Handle,
    /// What is written.
    pub(crate) targets: Vec<City>,
    /// What is read, with what must be in the answers.
    pub(crate) questions: Vec<(Question, Expected)>,
    pub(crate) is_over: AtomicBool,
}

/// What readers and writers have done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) reads: u64,
    pub(crate) stale_reads: u64,
    pub(crate) renamed: u64,
    pub(crate) surveyed: u64,
    pub(crate) removed: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.reads += other.reads;
        self.stale_reads += other.stale_reads;
        self.renamed += other.renamed;
        self.surveyed += other.surveyed;
        self.removed += other.removed;
    }
}

/// How each reader and writer ends.
type End = Result<Tally, Error>;

/// Lets everybody read and write for some time; ends early if one of them fails.
pub(crate) fn rage(storm: &Arc<Storm>, duration: Duration) -> End {
    let (ends, ended) = mpsc::channel();
    for index in 0..READING_THREADS {
        spawn(storm, &ends, move |storm| storm.read_blocking(index));
    }
    for index in 0..WRITERS {
        spawn(storm, &ends, move |storm| storm.write(index));
    }
    for index in 0..READING_TASKS {
        let (storm, ends) = (storm.clone(), ends.clone());
        let runtime = storm.runtime.clone();
        runtime.spawn(async move {
            let end = storm.read(READING_THREADS + index).await;
            ends.send(end)
        });
    }
    drop(ends);
    // Nobody ends before the time unless it fails.
    let early = ended.recv_timeout(duration);
    storm.is_over.store(true, Ordering::Relaxed);
    let all: Vec<_> = early.into_iter().chain(ended).collect::<Result<_, _>>()?;
    if all.len() < READING_THREADS + READING_TASKS + WRITERS {
        return Err("a reader or a writer has panicked".to_owned().into());
    }
    let mut total = Tally::default();
    all.into_iter().for_each(|tally| total.add(tally));
    Ok(total)
}

fn spawn(storm: &Arc<Storm>, ends: &Sender<End>, run: impl FnOnce(&Storm) -> End + Send + 'static) {
    let (storm, ends) = (storm.clone(), ends.clone());
    thread::spawn(move || ends.send(run(&storm)));
}

impl Storm {
    /// Reads from a task.
    async fn read(&self, index: usize) -> End {
        let (mut random, mut notes, mut tally) = (Random::new(index), Vec::new(), Tally::default());
        while !self.is_over() {
            let (question, expected) = random.one_of(&self.questions);
            self.watch.note(expected, &mut notes);
            let answer = question.ask(&self.cities).await?;
            tally.reads += 1;
            tally.stale_reads += u64::from(self.watch.is_stale(expected, &notes, &answer));
            tokio::task::yield_now().await;
        }
        Ok(tally)
    }

    /// Reads from a thread.
    fn read_blocking(&self, index: usize) -> End {
        let (mut random, mut notes, mut tally) = (Random::new(index), Vec::new(), Tally::default());
        while !self.is_over() {
            let (question, expected) = random.one_of(&self.questions);
            self.watch.note(expected, &mut notes);
            let answer = question.ask_blocking(&self.cities, &self.runtime)?;
            tally.reads += 1;
            tally.stale_reads += u64::from(self.watch.is_stale(expected, &notes, &answer));
        }
        Ok(tally)
    }

    /// Writes from a thread.
    fn write(&self, index: usize) -> End {
        let (mut random, mut tally) = (Random::new(index), Tally::default());
        // No two writers remove the same city.
        let own: Vec<_> = self.targets.iter().skip(index).step_by(WRITERS).collect();
        while !self.is_over() {
            let city = random.one_of(&self.targets);
            match random.below(10) {
                0 => {
                    self.remove_and_add(random.one_of::<&City>(&own))?;
                    tally.removed += 1;
                }
                1..=4 => {
                    let name = format!("{} {}", city.name, tally.renamed);
                    if let Some(version) = self.cities.rename(city, &name)? {
                        self.watch.publish(city.id, version);
                    }
                    tally.renamed += 1;
                }
                _ => {
                    let altitude = city.altitude + tally.surveyed as f64;
                    if let Some(surveyed) = self.cities.survey(city, altitude)? {
                        self.watch.publish(city.id, surveyed.version);
                    }
                    tally.surveyed += 1;
                }
            }
        }
        Ok(tally)
    }

    fn remove_and_add(&self, city: &City) -> Result<(), Error> {
        self.watch.leave(city.id);
        // An answer that still has the city is stale from now on.
        self.watch.publish(city.id, self.cities.remove(city)?);
        self.watch.come_back(city.id, self.cities.add(city)?);
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}
