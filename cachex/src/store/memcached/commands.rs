//! What the store is asked.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::Memcached;
use super::item::{Held, Item};
use super::wire::{Answer, Command, Connection, Failure, Over};
use crate::store::{
    Ask, Doing, Group, Invalidation, Lease, Listener, Notice, Read, Reading, Store, StoreError, StoreErrorKind, mark,
};

/// How often an item may be another one each time it is to be stored over.
const ATTEMPTS: usize = 16;

impl Store for Memcached {
    fn start(&self, listener: Arc<dyn Listener>) {
        self.begin_to_work(listener);
    }

    fn is_up(&self) -> bool {
        self.pool.is_up()
    }

    fn has_notices(&self) -> bool {
        false
    }

    fn read<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Read> {
        Box::pin(async move {
            let names = self.names_of(groups);
            let name = self.names.key(key);
            // The value first: what is invalidated in between is a miss.
            let commands: Vec<_> =
                std::iter::once(Command::Get(&name)).chain(names.iter().map(|name| Command::Get(name))).collect();
            let read = async {
                let mut taken = self.pool.take().await?;
                let read = read(&mut taken.connection, &commands).await;
                taken.ended(read)
            };
            self.pool.within(read).await
        })
    }

    fn clocks<'a>(&'a self, _key: &'a str, groups: &'a [Group]) -> Doing<'a, Vec<Option<Reading>>> {
        Box::pin(async move {
            let names = self.names_of(groups);
            let commands: Vec<_> = names.iter().map(|name| Command::Get(name)).collect();
            let read = async {
                let mut taken = self.pool.take().await?;
                let answers = taken.connection.ask(&commands).await?;
                let clocks = clocks(&taken.connection, answers.into_iter());
                taken.ended(clocks)
            };
            self.pool.within(read).await
        })
    }

    fn lease<'a>(&'a self, ask: Ask<'a>) -> Doing<'a, Lease> {
        Box::pin(async move {
            let changed = self.change(ask.key, Lease::Held, |item| {
                let there = item.value.as_deref().map(mark).unwrap_or_default();
                if !there.is_empty() && there != ask.seen {
                    return Change::Nothing(Lease::Stored);
                }
                if item.lease.is_some() {
                    return Change::Nothing(Lease::Held);
                }
                item.lease = Some(Held::new(ask.token, ask.span));
                Change::Store(Lease::Granted)
            });
            Ok(changed.await?.unwrap_or(Lease::Held))
        })
    }

    fn begin<'a>(&'a self, _key: &'a str, groups: &'a [Group], _life: Option<Duration>) -> Doing<'a, Reading> {
        Box::pin(async move {
            let names = self.names_of(groups);
            let draw = self.names.draw();
            let begin = async {
                let mut taken = self.pool.take().await?;
                let begun = begin(&mut taken.connection, &names, &draw).await;
                taken.ended(begun)
            };
            self.pool.within(begin).await
        })
    }

    fn mint<'a>(
        &'a self,
        key: &'a str,
        groups: &'a [Group],
        since: Reading,
        _life: Option<Duration>,
    ) -> Doing<'a, Option<Reading>> {
        Box::pin(async move {
            let clocks = self.clocks(key, groups).await?;
            // Break this (take the clocks that are added below for known) and what was invalidated, and then evicted, is stamped.
            if clocks.iter().all(|clock| clock.is_some_and(|at| at <= since)) {
                return Ok(Some(since));
            }
            let missing: Vec<_> = groups
                .iter()
                .zip(&clocks)
                .filter(|(_, clock)| clock.is_none())
                .map(|(group, _)| group.clone())
                .collect();
            let names = self.names_of(&missing);
            let add = async {
                let mut taken = self.pool.take().await?;
                let added = add(&mut taken.connection, &names).await;
                taken.ended(added)
            };
            self.pool.within(add).await?;
            Ok(None)
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        _stored: Notice,
    ) -> Doing<'a, bool> {
        Box::pin(async move {
            let changed = self.change(key, false, |item| {
                if !item.is_held_by(token) {
                    return Change::Nothing(false);
                }
                *item = Item::of(value.clone(), life);
                Change::Store(true)
            });
            Ok(changed.await?.unwrap_or(false))
        })
    }

    fn renew<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, bool> {
        Box::pin(async move {
            let changed = self.change(key, false, |item| {
                if !item.is_held_by(token) {
                    return Change::Nothing(false);
                }
                item.lease = Some(Held::new(token, span));
                Change::Store(true)
            });
            Ok(changed.await?.unwrap_or(false))
        })
    }

    fn release<'a>(&'a self, key: &'a str, token: u64) -> Doing<'a, ()> {
        Box::pin(async move {
            let changed = self.change(key, (), |item| {
                if !item.is_held_by(token) {
                    return Change::Nothing(());
                }
                item.lease = None;
                Change::Store(())
            });
            changed.await.map(drop)
        })
    }

    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>, life: Option<Duration>, _written: Notice) -> Doing<'a, ()> {
        Box::pin(async move {
            for _ in 0..ATTEMPTS {
                // In two steps where nothing is there: what arrives late, after a removal, is a lease of nobody and no value.
                let placed = self.change(key, (), |item| {
                    if *item != Item::default() {
                        return Change::Nothing(());
                    }
                    item.lease = Some(Held::new(0, Duration::from_secs(1)));
                    Change::Store(())
                });
                placed.await?;
                let written = self.change(key, false, |item| {
                    if *item == Item::default() {
                        return Change::Nothing(false);
                    }
                    *item = Item::of(value.clone(), life);
                    Change::Store(true)
                });
                // One that is too large has taken away what was there; else it was dropped in between.
                if written.await? != Some(false) {
                    return Ok(());
                }
            }
            Err(StoreError::new(StoreErrorKind::Unknown, "memcached drops what it has just stored"))
        })
    }

    fn remove_same<'a>(&'a self, key: &'a str, value: &'a [u8]) -> Doing<'a, ()> {
        Box::pin(async move {
            let changed = self.change(key, (), |item| {
                if item.value.as_deref() != Some(value) {
                    return Change::Nothing(());
                }
                *item = Item { lease: item.lease, ..Item::default() };
                Change::Store(())
            });
            changed.await.map(drop)
        })
    }

    fn replace_same<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        next: Vec<u8>,
        life: Duration,
        _written: Notice,
    ) -> Doing<'a, bool> {
        Box::pin(async move {
            let changed = self.change(key, false, |item| {
                if item.value.as_deref() != Some(value) {
                    return Change::Nothing(false);
                }
                *item = Item { lease: item.lease, ..Item::of(next.clone(), Some(life)) };
                Change::Store(true)
            });
            Ok(changed.await?.unwrap_or(false))
        })
    }

    fn invalidate<'a>(&'a self, what: &'a Invalidation) -> Doing<'a, Vec<Box<str>>> {
        Box::pin(async move {
            let groups = self.names_of(&what.groups);
            let keys: Vec<_> = what.keys.iter().map(|key| self.names.key(key)).collect();
            // Each part has the timeout for itself: thousands of removals over a slow link would never fit into one.
            for part in groups.chunks(PART) {
                self.pool.within(self.step(part)).await?;
            }
            for part in keys.chunks(AT_ONCE) {
                self.pool.within(self.remove(part)).await?;
            }
            Ok(Vec::new())
        })
    }

    fn publish<'a>(&'a self, _notice: Notice) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// So many commands are sent before their answers are read: more could fill both sides, and each would wait for the other.
const PART: usize = 128;
/// So many keys are removed within one timeout.
const AT_ONCE: usize = 512;

/// What becomes of an item.
enum Change<T> {
    Store(T),
    /// It stays, and this is the result.
    Nothing(T),
}

impl Memcached {
    fn names_of(&self, groups: &[Group]) -> Vec<String> {
        groups.iter().map(|group| self.names.group(group)).collect()
    }

    async fn step(&self, names: &[String]) -> Result<(), Failure> {
        let mut taken = self.pool.take().await?;
        let stepped = step(&mut taken.connection, names).await;
        taken.ended(stepped)
    }

    async fn remove(&self, names: &[String]) -> Result<(), Failure> {
        let mut taken = self.pool.take().await?;
        let removed = remove(&mut taken.connection, names).await;
        taken.ended(removed)
    }

    /// Changes the item of a key as `change` says, over the one that it was shown. Nothing if the item is too large, and then it is gone; `vain` if it was another one
    /// again and again.
    async fn change<T: Send>(
        &self,
        key: &str,
        vain: T,
        change: impl Fn(&mut Item) -> Change<T> + Send + Sync,
    ) -> Result<Option<T>, StoreError> {
        let name = self.names.key(key);
        let changed = async {
            let mut taken = self.pool.take().await?;
            let done = over_and_over(&mut taken.connection, &name, vain, change).await;
            taken.ended(done)
        };
        self.pool.within(changed).await
    }
}

async fn read(connection: &mut Connection, commands: &[Command<'_>]) -> Result<Read, Failure> {
    let mut answers = connection.ask(commands).await?.into_iter();
    let value = match answers.next() {
        Some(Answer::Found { value, .. }) => Item::read(&value).value,
        Some(Answer::NotFound) => None,
        other => return Err(refused(other)),
    };
    Ok(Read { value, clocks: clocks(connection, answers)? })
}

async fn begin(connection: &mut Connection, names: &[String], draw: &str) -> Result<Reading, Failure> {
    add(connection, names).await?;
    // After the groups. Break this (draw the number first) and what a load has just loaded is not valid.
    let draw = Command::Store { name: draw, value: b"", over: Over::Anything, seconds: Some(60) };
    match connection.ask(&[draw]).await?.pop() {
        Some(Answer::Done { number: number @ 1.. }) => Ok(connection.reading(number)),
        other => Err(refused(other)),
    }
}

async fn over_and_over<T>(
    connection: &mut Connection,
    name: &str,
    vain: T,
    change: impl Fn(&mut Item) -> Change<T>,
) -> Result<Option<T>, Failure> {
    for _ in 0..ATTEMPTS {
        let (mut item, over) = match connection.ask(&[Command::Get(name)]).await?.pop() {
            Some(Answer::Found { value, number }) => (Item::read(&value), Over::This(number)),
            Some(Answer::NotFound) => (Item::default(), Over::Nothing),
            other => return Err(refused(other)),
        };
        let result = match change(&mut item) {
            Change::Nothing(result) => return Ok(Some(result)),
            Change::Store(result) => result,
        };
        let bytes = item.write();
        let command = match over {
            Over::This(number) if item == Item::default() => Command::Delete(name, Some(number)),
            over => Command::Store { name, value: &bytes, over, seconds: item.seconds() },
        };
        match connection.ask(&[command]).await?.pop() {
            Some(Answer::Done { .. }) => return Ok(Some(result)),
            Some(Answer::Other | Answer::NotFound) => {}
            Some(Answer::TooLarge) => {
                // Some servers have removed what was there, some have not.
                connection.ask(&[Command::Delete(name, None)]).await?;
                return Ok(None);
            }
            other => return Err(refused(other)),
        }
    }
    Ok(Some(vain))
}

/// Gives groups a clock that is later than any from before.
pub(super) async fn step(connection: &mut Connection, names: &[String]) -> Result<(), Failure> {
    let mut left: Vec<_> = names.iter().map(|name| Steps { name, by_others: 0 }).collect();
    // The timeout ends it, if items vanish again and again.
    while !left.is_empty() {
        left = step_seen(connection, left).await?;
        // The second step of others was sent after the first was there, and that came about after it was looked here: its number is later than all from before.
        // Break this (stop after the first, whose number may have been drawn before) and what was loaded in between is taken for valid;
        // break it (go on) and who invalidates what a hundred others do as well waits until the timeout.
        left.retain(|steps| steps.by_others < 2);
    }
    Ok(())
}

/// The item of a group, and how often others have stored it anew while we wanted to.
struct Steps<'a> {
    name: &'a String,
    by_others: u8,
}

/// Stores the items of groups anew, each over the very one that is seen first. Returns those that were other ones by then.
///
/// Break this (store whatever is there) and a number that was drawn early and is stored late takes the place of a later one.
async fn step_seen<'a>(connection: &mut Connection, left: Vec<Steps<'a>>) -> Result<Vec<Steps<'a>>, Failure> {
    let gets: Vec<_> = left.iter().map(|steps| Command::Get(steps.name)).collect();
    let mut stores = Vec::with_capacity(left.len());
    for (Steps { name, .. }, answer) in left.iter().zip(connection.ask(&gets).await?) {
        let over = match answer {
            Answer::Found { number, .. } => Over::This(number),
            Answer::NotFound => Over::Nothing,
            other => return Err(refused(Some(other))),
        };
        stores.push(Command::Store { name, value: b"", over, seconds: None });
    }
    let mut other_ones = Vec::new();
    for (Steps { name, by_others }, answer) in left.into_iter().zip(connection.ask(&stores).await?) {
        match answer {
            Answer::Done { .. } => {}
            Answer::Other => other_ones.push(Steps { name, by_others: by_others + 1 }),
            Answer::NotFound => other_ones.push(Steps { name, by_others }),
            other => return Err(refused(Some(other))),
        }
    }
    Ok(other_ones)
}

async fn remove(connection: &mut Connection, names: &[String]) -> Result<(), Failure> {
    for part in names.chunks(PART) {
        let commands: Vec<_> = part.iter().map(|name| Command::Delete(name, None)).collect();
        for answer in connection.ask(&commands).await? {
            if !matches!(answer, Answer::Done { .. } | Answer::NotFound) {
                return Err(refused(Some(answer)));
            }
        }
    }
    Ok(())
}

/// Adds the items that are not there.
async fn add(connection: &mut Connection, names: &[String]) -> Result<(), Failure> {
    let add = |name| Command::Store { name, value: b"", over: Over::Nothing, seconds: None };
    for part in names.chunks(PART) {
        let commands: Vec<_> = part.iter().map(|name| add(name)).collect();
        for answer in connection.ask(&commands).await? {
            if !matches!(answer, Answer::Done { .. } | Answer::Other) {
                return Err(refused(Some(answer)));
            }
        }
    }
    Ok(())
}

fn clocks(connection: &Connection, answers: impl Iterator<Item = Answer>) -> Result<Vec<Option<Reading>>, Failure> {
    let clock = |answer| match answer {
        Answer::Found { number, .. } => Ok(Some(connection.reading(number))),
        Answer::NotFound => Ok(None),
        other => Err(refused(Some(other))),
    };
    answers.map(clock).collect()
}

fn refused(answer: Option<Answer>) -> Failure {
    match answer {
        Some(Answer::Refused(line)) => Failure::Refused(line),
        Some(Answer::TooLarge) => Failure::Refused("too large".to_owned()),
        _ => Failure::Broken(io::Error::new(io::ErrorKind::InvalidData, "an answer of another kind")),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    /// Steps a group at a server that answers to what is stored with these words in turn. Returns how many of them were heard.
    async fn steps(answers: &[&str]) -> usize {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = async {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let (mut heard, mut line) = (0, String::new());
            loop {
                line.clear();
                if stream.read_line(&mut line).await.unwrap() == 0 {
                    return heard;
                }
                let number = line.trim_end().rsplit(' ').next().unwrap_or_default();
                let answer = match line.split(' ').next() {
                    Some("stats\r\n") => "STAT pid 1\r\nSTAT time 10\r\nSTAT uptime 1\r\nEND\r\n".to_owned(),
                    Some("mg") => format!("VA 0 c{} {number}\r\n\r\n", heard + 1),
                    Some("ms") => {
                        heard += 1;
                        format!("{} {number}\r\n", answers[heard - 1])
                    }
                    _ => continue,
                };
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        };
        let client = async {
            let mut connection = Connection::open(address).await.unwrap();
            step(&mut connection, &["group".to_owned()]).await.unwrap();
        };
        tokio::join!(server, client).0
    }

    #[tokio::test]
    async fn a_group_that_others_step_as_well_is_stepped_once_that_is_certain() {
        assert_eq!(steps(&["HD", "HD"]).await, 1);
        // The first of others may have drawn its number before.
        assert_eq!(steps(&["EX", "HD", "HD"]).await, 2);
        assert_eq!(steps(&["EX", "EX", "HD"]).await, 2);
        // What has vanished was stepped by nobody.
        assert_eq!(steps(&["NF", "NF", "EX", "NF", "EX", "HD"]).await, 5);
    }
}
