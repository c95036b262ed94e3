//! Who answers: an annotated method, its peers with the same entries, and the load itself.

use std::hint::black_box;
use std::sync::Arc;

use cachex::Eviction;
use tokio::runtime::{Builder, Runtime};

use crate::measure::Subject;
use crate::peers::{
    Bounded, Cached, CachedUnbounded, ConcurrentCached, ConcurrentCachedUnbounded, Foyer, Hitbox, Memoised, Moka,
    MokaFuture, Papaya, Peer, PeerKey, QuickCache, Unlocked,
};
use crate::service::{CONSTANT, Filter, Payload, Service, Value};

/// Returns all that answer blocking callers; `annotated` makes the subject that calls a method.
pub(super) fn blocking<'a, K, V>(
    keys: &'a [K],
    annotated: fn(Service, &'a [K]) -> Subject<'a>,
) -> Result<Vec<Subject<'a>>, String>
where
    K: PeerKey,
    V: Value,
    Cached: Memoised<K, V>,
    ConcurrentCached: Memoised<K, V>,
{
    let mut subjects = caches::<K, V>(keys, annotated)?;
    subjects.extend([memoised::<Cached, K, V>(keys), memoised::<ConcurrentCached, K, V>(keys), uncached::<V>()]);
    Ok(subjects)
}

/// Returns all that answer for payloads by number; also functions without a capacity.
pub(super) fn payloads<'a>(
    keys: &'a [u64],
    annotated: fn(Service, &'a [u64]) -> Subject<'a>,
) -> Result<Vec<Subject<'a>>, String> {
    let mut subjects = caches::<u64, Arc<Payload>>(keys, annotated)?;
    subjects.extend(match keys.len() {
        0..=1_000 => [memoised_payloads::<Cached<2_000>>(keys), memoised_payloads::<ConcurrentCached<2_000>>(keys)],
        1_001..=10_000 => {
            [memoised_payloads::<Cached<20_000>>(keys), memoised_payloads::<ConcurrentCached<20_000>>(keys)]
        }
        10_001..=100_000 => {
            [memoised_payloads::<Cached<200_000>>(keys), memoised_payloads::<ConcurrentCached<200_000>>(keys)]
        }
        _ => [memoised_payloads::<Cached<2_000_000>>(keys), memoised_payloads::<ConcurrentCached<2_000_000>>(keys)],
    });
    subjects.extend([
        memoised_payloads::<CachedUnbounded>(keys),
        memoised_payloads::<ConcurrentCachedUnbounded>(keys),
        uncached::<Arc<Payload>>(),
    ]);
    Ok(subjects)
}

/// Returns the same, and a second annotated method.
pub(super) fn payloads_beside<'a>(
    keys: &'a [u64],
    annotated: fn(Service, &'a [u64]) -> Subject<'a>,
    second: fn(Service, &'a [u64]) -> Subject<'a>,
) -> Result<Vec<Subject<'a>>, String> {
    let mut subjects = payloads(keys, annotated)?;
    subjects.insert(1, second(Service::new(2 * keys.len() as u64, Eviction::S3Fifo)?, keys));
    Ok(subjects)
}

/// Returns the annotated method, maps and caches.
fn caches<'a, K: PeerKey, V: Value>(
    keys: &'a [K],
    annotated: fn(Service, &'a [K]) -> Subject<'a>,
) -> Result<Vec<Subject<'a>>, String> {
    let entries = || keys.iter().enumerate().map(|(number, key)| (*key, V::load(number as u64)));
    let service = Service::new(2 * keys.len() as u64, Eviction::S3Fifo)?;
    Ok(vec![
        annotated(service, keys),
        peer(entries().collect::<Unlocked<K, V>>(), keys),
        peer(entries().collect::<Papaya<K, V>>(), keys),
        peer(QuickCache::<K, V>::filled(entries()), keys),
        peer(Moka::<K, V>::filled(entries()), keys),
        peer(Foyer::<K, V>::filled(entries()), keys),
    ])
}

/// Returns the load itself.
fn uncached<V: Value>() -> Subject<'static> {
    Subject::new("uncached", |draws| {
        draws.iter().for_each(|draw| drop(black_box(V::load(u64::from(*draw)))));
        draws.len()
    })
}

/// What answers async callers, always; asked once for each key, so that all are resident. The future is awaited where it is made, as by
/// users: a closure around it would be one more future, of which each call takes as long as a hit.
macro_rules! waits {
    ($name:expr, $keys:expr, $id:ident => $future:expr) => {{
        runtime().block_on(async {
            for key in $keys {
                let $id = *key;
                let _answer = $future.await;
            }
        });
        Subject::new($name, move |draws| {
            runtime().block_on(async {
                for draw in draws {
                    let $id = $keys[*draw as usize];
                    let _answer = black_box($future.await);
                }
                draws.len()
            })
        })
    }};
}

/// Returns all that answer async callers.
pub(super) fn asynchronous(keys: &[u64]) -> Result<Vec<Subject<'_>>, String> {
    let service = Service::new(2 * keys.len() as u64, Eviction::S3Fifo)?;
    let entries = keys.iter().map(|key| (*key, <Arc<Payload>>::load(*key)));
    let moka = runtime().block_on(MokaFuture::filled(entries));
    let hitbox = Hitbox::bounded(2 * keys.len());
    Ok(vec![
        waits!("cachex", keys, id => service.by_number_async(id)),
        waits!(MokaFuture::<u64, Arc<Payload>>::NAME, keys, id => moka.get(&id)),
        waits!(<Cached as Memoised<u64, Arc<Payload>>>::NAME, keys, id => Cached::call_async(id)),
        waits!(<ConcurrentCached as Memoised<u64, Arc<Payload>>>::NAME, keys, id => ConcurrentCached::call_async(id)),
        waits!(Hitbox::NAME, keys, id => hitbox.call(id)),
        waits!("uncached", keys, id => async { <Arc<Payload>>::load(id) }),
    ])
}

/// Defines what returns an annotated async method, and the peer that has the like, for a kind of key.
macro_rules! asynchronous {
    ($($name:ident: $key:ty, ($service:ident, $id:ident) => $future:expr;)*) => {
        $(pub(super) fn $name<'a>(keys: &'a [$key]) -> Result<Vec<Subject<'a>>, String> {
            let $service = Service::new(2 * keys.len() as u64, Eviction::S3Fifo)?;
            let entries = keys.iter().enumerate().map(|(number, key)| (*key, <Arc<Payload>>::load(number as u64)));
            let moka = runtime().block_on(MokaFuture::filled(entries));
            Ok(vec![
                waits!("cachex", keys, $id => $future),
                waits!(MokaFuture::<$key, Arc<Payload>>::NAME, keys, id => moka.get(&id)),
            ])
        })*
    };
}

asynchronous! {
    asynchronous_rows: u64, (service, id) => service.by_row_async(id);
    asynchronous_texts: &'static str, (service, text) => service.by_text_async(text);
    asynchronous_parts: (u64, &'static str, Option<u32>), (service, key) => service.by_parts_async(key.0, key.1, key.2);
    asynchronous_filters: Filter, (service, filter) => service.by_filter_async(&filter);
}

/// Makes a runtime on the thread that asks: some microseconds, for thousands of calls.
fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime without drivers needs nothing from the system")
}

pub(crate) fn peer<'a, K: PeerKey, V: 'a, P: Peer<K, V> + 'a>(peer: P, keys: &'a [K]) -> Subject<'a> {
    Subject::new(P::NAME, move |draws| {
        draws.iter().filter(|draw| black_box(peer.get(&keys[**draw as usize])).is_some()).count()
    })
}

fn memoised_payloads<'a, F: Memoised<u64, Arc<Payload>>>(keys: &'a [u64]) -> Subject<'a> {
    memoised::<F, u64, Arc<Payload>>(keys)
}

fn memoised<'a, F: Memoised<K, V>, K: PeerKey, V: 'a>(keys: &'a [K]) -> Subject<'a> {
    F::forget();
    calls(F::NAME, keys, |key| F::call(*key))
}

/// What always answers; asked once for each key, so that all are resident.
pub(crate) fn calls<'a, K: PeerKey, V: 'a>(
    name: &'static str,
    keys: &'a [K],
    call: impl Fn(&K) -> V + Sync + 'a,
) -> Subject<'a> {
    for key in keys {
        drop(call(key));
    }
    Subject::new(name, move |draws| {
        draws.iter().for_each(|draw| drop(black_box(call(&keys[*draw as usize]))));
        draws.len()
    })
}

macro_rules! annotated {
    ($($name:ident: $key:ty, $subject:expr, $call:expr;)*) => {
        impl Service {
            $(pub(crate) fn $name<'a>(self, keys: &'a [$key]) -> Subject<'a> {
                let call = $call;
                calls($subject, keys, move |key| call(&self, *key))
            })*
        }
    };
}

annotated! {
    untagged_subject: u64, "cachex", Self::untagged;
    by_row_subject: u64, "cachex", Self::by_row;
    three_tags_of_row_subject: u64, "cachex", Self::three_tags_of_row;
    constant_subject: u64, CONSTANT, Self::by_number;
    three_constants_subject: u64, CONSTANT, Self::three_tags;
    number_by_number_subject: u64, "cachex", Self::number_by_number;
    text_by_number_subject: u64, "cachex", Self::text_by_number;
    person_by_number_subject: u64, "cachex", Self::person_by_number;
    by_text_subject: &'static str, "cachex", |service: &Self, text| service.by_text(text);
    by_parts_subject: (u64, &'static str, Option<u32>), "cachex", |service: &Self, (id, text, page)| service.by_parts(id, text, page);
    by_filter_subject: Filter, "cachex", |service: &Self, filter| service.by_filter(&filter);
}
