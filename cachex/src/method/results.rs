//! What a method with `batch` returns: a result for each of its keys, in a list or in a map.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

/// A return type with a result for each key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold a result for each key",
    label = "neither a list of results nor a map",
    note = "`batch` needs a method that returns `Vec<T>`, with one result for each key and in their order, or `HashMap<K, T>` or `BTreeMap<K, T>`",
    note = "or a `Result` of one of these"
)]
pub trait Results: Sized {
    /// What a method for one key would return.
    type Each;
}

/// A return type that holds results for keys of type `K`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold results for keys of type `{K}`",
    label = "its keys are others than those of the batch, or can't be looked up",
    note = "the keys of the map are of the type of the batch's elements, which is `Clone + Eq + Hash` for a `HashMap` and `Clone + Ord` for a `BTreeMap`; its values are `Clone`"
)]
pub trait ResultsFor<K>: Results {
    /// Takes the results of a run for `keys` apart.
    #[doc(hidden)]
    fn apart(self, keys: &[&K]) -> Apart<Self>;

    /// Puts results for `keys` together, in their order.
    #[doc(hidden)]
    fn joined(keys: &[K], each: Vec<Self::Each>) -> Self;
}

/// What a run of a method with `batch` has returned.
#[derive(Debug)]
#[doc(hidden)]
pub enum Apart<R: Results> {
    /// A result for each key, in their order.
    Each(Vec<R::Each>),
    /// It failed.
    Failed(R),
    /// More results than keys, or fewer: nobody knows which one is whose.
    Odd(R),
}

/// A list or a map of results.
trait Collection<K>: Sized {
    /// A result.
    type Item;

    /// Returns the result of each key, in their order; or itself, if it has another number of them.
    fn items(self, keys: &[&K]) -> Result<Vec<Self::Item>, Self>;

    /// Makes it of the results of `keys`, in their order.
    fn of(keys: &[K], items: Vec<Self::Item>) -> Self;
}

impl<K, T> Collection<K> for Vec<T> {
    type Item = T;

    fn items(self, keys: &[&K]) -> Result<Vec<T>, Self> {
        if self.len() == keys.len() { Ok(self) } else { Err(self) }
    }

    fn of(_: &[K], items: Vec<T>) -> Self {
        items
    }
}

// Cloned out, not taken out: of two keys that are equal and are written differently into keys of the cache, each has the result.
impl<K: Eq + Hash + Clone, T: Clone, B: BuildHasher + Default> Collection<K> for HashMap<K, T, B> {
    type Item = Option<T>;

    fn items(self, keys: &[&K]) -> Result<Vec<Option<T>>, Self> {
        Ok(keys.iter().map(|key| self.get(key).cloned()).collect())
    }

    fn of(keys: &[K], items: Vec<Option<T>>) -> Self {
        keys.iter().zip(items).filter_map(|(key, item)| Some((key.clone(), item?))).collect()
    }
}

impl<K: Ord + Clone, T: Clone> Collection<K> for BTreeMap<K, T> {
    type Item = Option<T>;

    fn items(self, keys: &[&K]) -> Result<Vec<Option<T>>, Self> {
        Ok(keys.iter().map(|key| self.get(key).cloned()).collect())
    }

    fn of(keys: &[K], items: Vec<Option<T>>) -> Self {
        keys.iter().zip(items).filter_map(|(key, item)| Some((key.clone(), item?))).collect()
    }
}

macro_rules! results {
    ($(<$($param:ident),*> $collection:ty, $each:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($param),*> Results for $collection {
            type Each = $each;
        }

        #[diagnostic::do_not_recommend]
        impl<$($param),*, E> Results for Result<$collection, E> {
            type Each = Result<$each, E>;
        }
    )*};
}

results! {
    <T> Vec<T>, T;
    <K, T, B> HashMap<K, T, B>, Option<T>;
    <K, T> BTreeMap<K, T>, Option<T>;
}

/// Takes apart what can't have failed.
fn apart<K, C: Collection<K> + Results<Each = C::Item>>(collection: C, keys: &[&K]) -> Apart<C> {
    collection.items(keys).map_or_else(Apart::Odd, Apart::Each)
}

/// Takes apart what may have failed.
fn apart_fallible<K, C: Collection<K>, E>(results: Result<C, E>, keys: &[&K]) -> Apart<Result<C, E>>
where
    Result<C, E>: Results<Each = Result<C::Item, E>>,
{
    match results {
        Ok(collection) => match collection.items(keys) {
            Ok(items) => Apart::Each(items.into_iter().map(Ok).collect()),
            Err(odd) => Apart::Odd(Ok(odd)),
        },
        Err(error) => Apart::Failed(Err(error)),
    }
}

/// Puts together what may have failed: the first error is that of all.
fn joined_fallible<K, C: Collection<K>, E>(keys: &[K], each: Vec<Result<C::Item, E>>) -> Result<C, E> {
    Ok(C::of(keys, each.into_iter().collect::<Result<_, E>>()?))
}

macro_rules! results_for {
    ($(<$($param:ident),*> $collection:ty, [$($bounds:tt)*];)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<K, $($param),*> ResultsFor<K> for $collection
        where
            $($bounds)*
        {
            fn apart(self, keys: &[&K]) -> Apart<Self> {
                apart(self, keys)
            }

            fn joined(keys: &[K], each: Vec<Self::Each>) -> Self {
                Self::of(keys, each)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<K, $($param,)* E> ResultsFor<K> for Result<$collection, E>
        where
            $($bounds)*
        {
            fn apart(self, keys: &[&K]) -> Apart<Self> {
                apart_fallible(self, keys)
            }

            fn joined(keys: &[K], each: Vec<Self::Each>) -> Self {
                joined_fallible(keys, each)
            }
        }
    )*};
}

results_for! {
    <T> Vec<T>, [];
    <T, B> HashMap<K, T, B>, [K: Eq + Hash + Clone, T: Clone, B: BuildHasher + Default];
    <T> BTreeMap<K, T>, [K: Ord + Clone, T: Clone];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_holds_a_result_for_each_key() {
        let Apart::Each(each) = vec!["a", "b"].apart(&[&1, &2]) else { panic!("there are two of each") };
        assert_eq!(each, ["a", "b"]);
        assert!(matches!(vec!["a"].apart(&[&1, &2]), Apart::Odd(_)));
        assert!(matches!(Ok::<_, ()>(vec!["a"; 3]).apart(&[&1, &2]), Apart::Odd(Ok(_))));
        assert!(matches!(Err::<Vec<u8>, _>("failed").apart(&[&1]), Apart::Failed(Err("failed"))));
        assert_eq!(Result::<Vec<_>, ()>::joined(&[1, 2], vec![Ok("a"), Ok("b")]), Ok(vec!["a", "b"]));
    }

    #[test]
    fn a_map_may_leave_out_keys_and_hold_others() {
        let map = HashMap::from([(1, "a"), (9, "i")]);
        let Apart::Each(each) = map.apart(&[&1, &2]) else { panic!("a map is never odd") };
        assert_eq!(each, [Some("a"), None]);
        let Apart::Each(each) = Ok::<_, ()>(BTreeMap::from([(2, "b")])).apart(&[&1, &2]) else {
            panic!("a map is never odd")
        };
        assert_eq!(each, [Ok(None), Ok(Some("b"))]);
        assert_eq!(HashMap::<_, _>::joined(&[1, 2], vec![Some("a"), None]), HashMap::from([(1, "a")]));
        assert_eq!(BTreeMap::joined(&[1, 1], vec![Some("a"), Some("a")]), BTreeMap::from([(1, "a")]));
    }
}
