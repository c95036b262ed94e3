//! An invocation of a method with `batch`: each element of an argument is a key of its own.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::Future;

use super::Call;
use super::run::go_on;
use super::written::Written;
use crate::engine::batch::{self, Batch, Run};
use crate::engine::begin::NoHit;
use crate::engine::job::Caller;
use crate::engine::plan::Reach;
use crate::key::{Key, KeyWriter};
use crate::method::keep::Keep;
use crate::method::results::{Apart, ResultsFor};
use crate::method::shape::Shape;
use crate::method::value_rules::ValueRules;
use crate::tag::Tags;

/// An argument or element that is given to the method more than once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be given to the method more than once",
    label = "`{Self}` is not `Clone`",
    note = "`batch` runs the method for keys that are missing, and once more if another call gives some of them up: derive `Clone` for `{Self}`, or take a reference"
)]
pub trait Again: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Again for T {}

/// Clones an argument for a run of the method.
pub fn again<T: Again>(argument: &T) -> T {
    argument.clone()
}

/// The keys of a call.
#[derive(Debug)]
pub struct Elements<'k, K> {
    all: &'k [K],
    again: fn(&K) -> K,
}

/// Takes the keys of a call.
pub fn elements<K: Again>(all: &[K]) -> Elements<'_, K> {
    Elements { all, again }
}

impl<K> Elements<'_, K> {
    /// Clones those with these indices.
    fn chosen(&self, indices: impl IntoIterator<Item = usize>) -> Vec<K> {
        indices.into_iter().map(|index| (self.again)(&self.all[index])).collect()
    }
}

impl<K> Clone for Elements<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Elements<'_, K> {}

/// How the values of a method are made, and kept.
type Kind<S, P> = (S, P, ValueRules<S>);

/// What a call for many keys has found in memory.
struct Looked<'c, E> {
    /// The answer for each key that has one.
    found: Vec<Option<E>>,
    missing: Vec<Missing<'c>>,
}

/// A key that was not found.
struct Missing<'c> {
    /// The first of the call's keys that is so.
    index: usize,
    /// The others.
    more: Vec<usize>,
    written: Written<'c>,
    why: NoHit,
    tags: Tags,
}

/// Runs a cached method for many keys that blocks.
///
/// `part` writes the key of an element, `name` names the tags made of it, and `load` runs the method for some of the elements.
pub fn cached_batch<K, R, S, P, W, T, L>(
    call: Call<'_>,
    keys: Elements<'_, K>,
    kind: (S, P, ValueRules<S>),
    part: W,
    name: T,
    load: L,
) -> R
where
    R: ResultsFor<K, Each = S::Output>,
    S: Shape,
    P: Keep<S::Value>,
    W: Fn(&K, &mut KeyWriter<'_>),
    T: Fn(&K, &mut Tags),
    L: Fn(Vec<K>) -> R,
{
    let Some(looked) = look(call, keys.all, kind, part, name) else { return load(keys.chosen(0..keys.all.len())) };
    if looked.missing.is_empty() {
        return joined(keys.all, looked.found);
    }
    let load = &load;
    batch::block_on(looked.answer(keys, kind, Caller::Blocking, move |keys| async move { load(keys) }))
}

/// As [`cached_batch`], for async methods.
pub fn cached_batch_async<K, R, S, P, W, T, L, F>(
    call: Call<'_>,
    keys: Elements<'_, K>,
    kind: (S, P, ValueRules<S>),
    part: W,
    name: T,
    load: L,
) -> impl Future<Output = R>
where
    R: ResultsFor<K, Each = S::Output>,
    S: Shape,
    P: Keep<S::Value>,
    W: Fn(&K, &mut KeyWriter<'_>),
    T: Fn(&K, &mut Tags),
    L: Fn(Vec<K>) -> F,
    F: Future<Output = R>,
{
    let looked = look(call, keys.all, kind, part, name);
    async move {
        let Some(looked) = looked else { return load(keys.chosen(0..keys.all.len())).await };
        if looked.missing.is_empty() {
            return joined(keys.all, looked.found);
        }
        // Boxed: a call that finds all its keys would carry the room for it.
        Box::pin(looked.answer(keys, kind, Caller::Async, load)).await
    }
}

/// Looks for all keys in memory. Nothing if the cache is not to be used: the method is then run for all keys, as they are.
fn look<'c, K, S, P>(
    call: Call<'c>,
    keys: &[K],
    (shape, keep, _): Kind<S, P>,
    part: impl Fn(&K, &mut KeyWriter<'_>),
    name: impl Fn(&K, &mut Tags),
) -> Option<Looked<'c, S::Output>>
where
    S: Shape,
    P: Keep<S::Value>,
{
    if call.is_to_bypass() {
        return None;
    }
    let mut looked = Looked { found: Vec::with_capacity(keys.len()), missing: Vec::new() };
    let mut known: HashMap<Key, usize> = HashMap::new();
    for (index, key) in keys.iter().enumerate() {
        let written = call.written(|out| part(key, out));
        let found = written.find(keep);
        looked.found.push(match found {
            Ok(value) => Some(shape.output(value)),
            Err(why) => {
                match known.entry(written.key()) {
                    Entry::Occupied(first) => looked.missing[*first.get()].more.push(index),
                    Entry::Vacant(place) => {
                        place.insert(looked.missing.len());
                        let mut tags = Tags::new();
                        name(key, &mut tags);
                        looked.missing.push(Missing { index, more: Vec::new(), written, why, tags });
                    }
                }
                None
            }
        });
    }
    Some(looked)
}

impl<E> Looked<'_, E> {
    /// Answers the keys that were not found.
    async fn answer<K, R, S, P, F>(
        self,
        keys: Elements<'_, K>,
        (shape, keep, rules): Kind<S, P>,
        caller: Caller,
        load: impl Fn(Vec<K>) -> F,
    ) -> R
    where
        R: ResultsFor<K, Each = E>,
        S: Shape<Output = E>,
        P: Keep<S::Value>,
        F: Future<Output = R>,
    {
        let Self { mut found, missing } = self;
        let load = &load;
        let run = move |indices: Vec<usize>| async move {
            let output = load(keys.chosen(indices.iter().copied())).await;
            let chosen: Vec<&K> = indices.iter().map(|index| &keys.all[*index]).collect();
            match output.apart(&chosen) {
                Apart::Each(each) => Run::Each(each),
                Apart::Failed(output) => Run::Failed(output),
                // What was run for all keys, as they are, is what the method returns without a cache.
                Apart::Odd(output) => Run::Odd(indices.iter().copied().eq(0..keys.all.len()).then_some(output)),
            }
        };
        let mut batch = Batch::new();
        for Missing { index, written, why, tags, .. } in &missing {
            let begun = go_on(written, *why, (shape, keep), || rules, caller, Reach::Borrowed);
            let (begun, ()) = begun.prepared(|known| known.clone_from(tags));
            batch.add(*index, begun);
        }
        let answered = match batch.answer(run).await {
            Ok(answered) => answered,
            Err(Some(output)) => return output,
            Err(None) => return load(keys.chosen(0..keys.all.len())).await,
        };
        for (index, output) in answered {
            found[index] = Some(output);
        }
        // A key that is named twice was loaded once; what failed by itself can't be copied, and is asked for anew.
        let mut anew = Vec::new();
        for Missing { index, more, .. } in &missing {
            for other in more {
                let value = found[*index].as_ref().and_then(|output| shape.value(output)).map(|value| keep.copy(value));
                match value {
                    Some(value) => found[*other] = Some(shape.output(value)),
                    None => anew.push(*other),
                }
            }
        }
        if !anew.is_empty() {
            match run(anew.clone()).await {
                Run::Each(each) => anew.into_iter().zip(each).for_each(|(index, output)| found[index] = Some(output)),
                Run::Failed(output) | Run::Odd(Some(output)) => return output,
                Run::Odd(None) => return load(keys.chosen(0..keys.all.len())).await,
            }
        }
        joined(keys.all, found)
    }
}

/// Puts the answers together.
fn joined<K, R: ResultsFor<K>>(keys: &[K], found: Vec<Option<R::Each>>) -> R {
    let each = found.into_iter().map(|output| output.expect("a key is found, or it is answered"));
    R::joined(keys, each.collect())
}
