//! A store over several: each key has its place in one of them, by consistent hashing.
//!
//! Reading order: this file (the ring), [`commands`] (the contract), [`ears`](super::ears) (several stores, one listener).
//!
//! A key's value, its lease and the clocks that count for it are in the store of the key; readings of two stores are never compared. So whatever holds of each store holds of the ring:
//!
//! - **An invalidation** goes to all stores, also that of a key, and has succeeded once all of them have it, or for a key once its own store has it and those that can be reached; else it is
//!   asked for again. Only then are others told, by the first store that is there: who is told finds nothing from before in any of them. (If one of them does not take it, others are told all the same, for what
//!   they have in memory, and once more in the end.)
//! - **A store that is down** costs its keys: they are misses, and the others are as ever. But no tag can be invalidated for good as long as it is.
//!
//! # When stores are added or taken away
//!
//! Of *n* stores one that is added gets about one part in *n + 1* of the keys, and none is moved between the others; one that is taken away gives its keys to all others. A key that was moved is a
//! miss and loaded anew. For nothing stale to come back:
//!
//! 1. All programs of a namespace have the same stores under the same names. While they are restarted one after the other with another list, those with the old one do not invalidate what those with
//!    the new one keep in a store that is added: so stop all before the first one starts with the new list; or change the namespace with the list, and let both be for a while.
//! 2. A store that comes back was not told what was invalidated while it was not in the list: empty it before it is added again (`FLUSHALL`, `flush_all`, a removed directory), or give it another prefix.
//! 3. Nor was a store that was out of reach told what was removed of keys that are another store's: after a change of the list, empty such a store before the next one, or change the namespace with that.
//!
//! # Counters, lists, locks
//!
//! They are no copies of something, so they may not move: with another list of stores a counter would begin anew, and two could hold a lock. So a ring has none, unless
//! [one of its stores](Ring::structures_in) is named for all of them.

mod commands;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use hashring::HashRing;

use super::Store;
use crate::error::Error;

/// So many places on the ring each store has: with fewer, some would have much more than their part of the keys.
const PLACES: u32 = 160;

/// A store over several, of which each has its part of the keys, by consistent hashing. Needs the feature `ring`.
///
/// All programs that share a namespace must have the same stores under the same names; their order does not matter. An invalidation has succeeded once every store has it.
/// A store that is down costs its keys, which are misses, and while it is down, what is invalidated is kept and delivered when it is back.
///
/// A store that is added gets about one part in *n + 1* of the keys. **Before a store is added again that was not in the list for a while, empty it**: it was not told what was invalidated meanwhile.
/// And do not let programs with different lists run at once in one namespace.
///
/// Counters, lists, sets, hashes and locks are in none of the stores, as they would be others once the list is: [name the one](Self::structures_in) that is to have them.
///
/// # Examples
///
/// ```
/// use cachex::{Cache, RedisSettings};
/// use cachex::store::Ring;
///
/// # #[cfg(feature = "redis")]
/// # {
/// let urls = ["redis://localhost:1", "redis://localhost:2"];
/// let stores = urls.map(|url| RedisSettings::new(url).open("shop").map(|store| (url, store)));
/// let ring = Ring::new(stores.into_iter().collect::<Result<Vec<_>, _>>()?)?;
/// assert!(urls.contains(&ring.store_of("find(7)")));
/// let cache = Cache::builder().namespace("shop").store(ring).build()?;
/// # assert!(cache.remote_stats().is_some());
/// # }
/// # Ok::<(), cachex::Error>(())
/// ```
pub struct Ring {
    /// In the order of their names. The first one that is there tells what was invalidated.
    stores: Vec<(Box<str>, Box<dyn Store>)>,
    places: HashRing<Place>,
    /// The one that has the structures and locks, if one has.
    fixed: Option<usize>,
    listening: OnceLock<()>,
}

impl Ring {
    /// Makes a ring of stores and their names.
    ///
    /// # Errors
    ///
    /// There is no store, or two have one name.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::store::{Null, Ring, Store};
    ///
    /// let store = || Box::new(Null) as Box<dyn Store>;
    /// assert!(Ring::new([("one", store()), ("two", store())]).is_ok());
    /// assert!(Ring::new([("one", store()), ("one", store())]).unwrap_err().is_configuration());
    /// ```
    pub fn new<N: Into<String>>(stores: impl IntoIterator<Item = (N, Box<dyn Store>)>) -> Result<Self, Error> {
        let named = stores.into_iter().map(|(name, store)| (name.into().into_boxed_str(), store));
        let mut stores: Vec<(Box<str>, Box<dyn Store>)> = named.collect();
        stores.sort_by(|(one, _), (other, _)| one.cmp(other));
        if stores.is_empty() {
            return Err(Error::configuration("a ring has no store; give it at least one"));
        }
        if stores.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(Error::configuration("two stores of a ring have one name; give each another one"));
        }
        let mut places = HashRing::new();
        for (index, (name, _)) in stores.iter().enumerate() {
            places.batch_add((0..PLACES).map(|number| Place { index, name: format!("{name}#{number}") }).collect());
        }
        Ok(Self { stores, places, fixed: None, listening: OnceLock::new() })
    }

    /// Has all counters, lists, sets, hashes and locks kept in the store of this name, which has to be the same in all programs, and has to stay: with another one they begin anew, and two may hold a
    /// lock. Default: there are none, and what asks for them
    /// [is refused](crate::Error::is_unsupported).
    ///
    /// # Errors
    ///
    /// No store has this name.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::FileSettings;
    /// use cachex::store::{Ring, Store};
    ///
    /// let store = |name: &str| FileSettings::new(std::env::temp_dir().join(name)).open("shop");
    /// let ring = || Ok::<_, cachex::Error>(Ring::new([("one", store("one")?), ("two", store("two")?)])?);
    /// assert!(ring()?.structures_in("one").is_ok());
    /// assert!(ring()?.structures_in("three").unwrap_err().is_configuration());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn structures_in(mut self, name: &str) -> Result<Self, Error> {
        let index = self.stores.iter().position(|(known, _)| **known == *name);
        self.fixed = Some(index.ok_or_else(|| {
            Error::configuration(
                "no store of the ring has the name that its structures are to be in; name one of its stores",
            )
        })?);
        Ok(self)
    }

    /// Returns the name of the store that has a key.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::store::{Null, Ring, Store};
    ///
    /// let ring = Ring::new([("one", Box::new(Null) as Box<dyn Store>)])?;
    /// assert_eq!(ring.store_of("find(7)"), "one");
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn store_of(&self, key: &str) -> &str {
        &self.stores[self.index_of(key)].0
    }

    fn index_of(&self, key: &str) -> usize {
        self.places.get(&Bytes(key)).map_or(0, |place| place.index)
    }

    fn store(&self, key: &str) -> &dyn Store {
        &*self.stores[self.index_of(key)].1
    }

    fn all(&self) -> impl Iterator<Item = &dyn Store> {
        self.stores.iter().map(|(_, store)| &**store)
    }

    /// Returns the one that tells others what was invalidated: they listen to all of them.
    // Break this (take always the first) and while that is gone, nothing that was removed from the others counts as removed.
    fn teller(&self) -> &dyn Store {
        self.all().find(|store| store.is_up()).unwrap_or(&*self.stores[0].1)
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("stores", &self.stores.iter().map(|(_, store)| store).collect::<Vec<_>>()).finish()
    }
}

/// A place on the ring.
#[derive(Debug)]
struct Place {
    index: usize,
    name: String,
}

/// The bytes of a text and nothing else: how the standard library hashes texts may change.
struct Bytes<'a>(&'a str);

impl Hash for Bytes<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.0.as_bytes());
    }
}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Bytes(&self.name).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Null;

    fn ring(names: &[&str]) -> Ring {
        let stores = names.iter().map(|name| (*name, Box::new(Null) as Box<dyn Store>));
        Ring::new(stores).expect("the names differ")
    }

    fn keys() -> impl Iterator<Item = String> {
        (0..20_000).map(|number| format!("shop::Users::find({number})"))
    }

    #[test]
    fn each_store_has_about_its_part_of_the_keys() {
        let ring = ring(&["a", "b", "c", "d"]);
        for name in ["a", "b", "c", "d"] {
            let count = keys().filter(|key| ring.store_of(key) == name).count();
            assert!((3_500..=6_500).contains(&count), "{name} has {count} of 20 000");
        }
    }

    #[test]
    fn a_store_that_is_added_gets_its_part_and_moves_nothing_else() {
        let (before, after) = (ring(&["a", "b", "c", "d"]), ring(&["e", "d", "c", "b", "a"]));
        let moved: Vec<_> = keys().filter(|key| before.store_of(key) != after.store_of(key)).collect();
        assert!(moved.iter().all(|key| after.store_of(key) == "e"));
        assert!(
            (3_000..=5_000).contains(&moved.len()),
            "{} of 20 000 were moved, of which 4 000 would be a fifth",
            moved.len()
        );
    }

    #[test]
    fn a_key_stays_where_it_is_from_one_version_to_the_next() {
        let ring = ring(&["redis://one", "redis://two", "redis://three"]);
        let places: Vec<_> = ["find(1)", "find(2)", "find(3)", "find(4)", ""].map(|key| ring.store_of(key)).into();
        // As they were when this was written: where this fails, all keys of all rings would be moved.
        assert_eq!(places, ["redis://three", "redis://three", "redis://two", "redis://three", "redis://three"]);
    }
}
