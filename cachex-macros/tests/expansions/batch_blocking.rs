fn squares<K: CacheKey + Clone>(ids: Vec<K>) -> HashMap<K, u64> {
    let mut call = ::cachex::__private::Call::new();
    __cachex_squares_in_an_impl_write_in_impl::<K>(&mut call);
    {
        call.when(!ids.is_empty());
    }
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<
            <HashMap<K, u64> as ::cachex::__private::Results>::Each,
        >::new())
            .shape()
    };
    ::cachex::__private::cached_batch(
        call,
        ::cachex::__private::elements(&ids),
        (
            shape,
            ::cachex::__private::kept(shape, ::cachex::__private::Local),
            ::cachex::__private::ValueRules::new(shape),
        ),
        |ids, out| __cachex_squares_parts::<K>(ids, out),
        |ids, tags| {
            let _ = (ids, tags);
        },
        |some| { squares_uncached::<K>(some) },
    )
}
const _: () = ();
#[doc(hidden)]
#[inline(always)]
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
fn __cachex_squares_in_an_impl_write_in_impl<'cachex, K: CacheKey + Clone>(
    call: &mut ::cachex::__private::Call<'cachex>,
) {
    {
        fn here() -> &'static ::cachex::__private::str {
            ::cachex::__private::type_name_of_val(&here)
        }
        static SITE: ::cachex::__private::CallSite = ::cachex::__private::CallSite::new(::cachex::__private::Site {
            method: "squares",
            here,
            name: ::cachex::__private::Option::None,
            version: 0u32,
            signature: "fn squares<K: CacheKey + Clone>(ids: Vec<K>) -> HashMap<K, u64>",
            options: "batch, local, when =!ids.is_empty()",
            file: ::cachex::__private::file!(),
            line: ::cachex::__private::line!(),
            policy: ::cachex::__private::Policy::new().local(),
            tags: &[],
        });
        ::cachex::__private::inventory::submit! {
            ::cachex::__private::Registered(& SITE)
        }
        call.start(&SITE, &|| ());
    }
}
#[doc(hidden)]
#[inline(always)]
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
fn __cachex_squares_parts<K: CacheKey + Clone>(
    ids: &K,
    out: &mut ::cachex::__private::KeyWriter<'_>,
) {
    ::cachex::__private::part(&*ids, out);
}
///Does what `squares` does, without the cache.
#[allow(
    dead_code,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate
)]
fn squares_uncached<K: CacheKey + Clone>(ids: Vec<K>) -> HashMap<K, u64> {
    ids.into_iter().map(|id| (id, 1)).collect()
}
///Returns the key of the entry of `squares` for these arguments.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn squares_key<K: CacheKey + Clone>(ids: &K) -> ::cachex::__private::Key {
    let mut call = ::cachex::__private::Call::new();
    __cachex_squares_in_an_impl_write_in_impl::<K>(&mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_squares_parts::<K>(ids, out));
    call.key()
}
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn __cachex_squares_entry<K: CacheKey + Clone>(ids: &K) -> ::cachex::__private::Target {
    let mut call = ::cachex::__private::Call::new();
    __cachex_squares_in_an_impl_write_in_impl::<K>(&mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_squares_parts::<K>(ids, out));
    ::cachex::__private::Target::of(&call)
}
///Removes the entry of `squares` for these arguments; returns whether there was one.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn squares_remove<K: CacheKey + Clone>(ids: &K) -> ::cachex::__private::bool {
    let mut call = ::cachex::__private::Call::new();
    __cachex_squares_in_an_impl_write_in_impl::<K>(&mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_squares_parts::<K>(ids, out));
    ::cachex::__private::remove(&call)
}
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn __cachex_squares_update<K: CacheKey + Clone>(
    ids: &K,
) -> ::cachex::__private::Update<
    <HashMap<K, u64> as ::cachex::__private::Results>::Each,
> {
    let mut call = ::cachex::__private::Call::new();
    __cachex_squares_in_an_impl_write_in_impl::<K>(&mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_squares_parts::<K>(ids, out));
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<
            <HashMap<K, u64> as ::cachex::__private::Results>::Each,
        >::new())
            .shape()
    };
    ::cachex::__private::Update::new(
        &call,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::Local),
        ::cachex::__private::ValueRules::new(shape),
        ::cachex::__private::Tags::new(),
    )
}
///Keeps `value` as if `squares` had returned it for these arguments; an error is not kept.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn squares_prime<K: CacheKey + Clone>(
    ids: &K,
    value: &<HashMap<K, u64> as ::cachex::__private::Results>::Each,
) {
    let mut call = ::cachex::__private::Call::new();
    __cachex_squares_in_an_impl_write_in_impl::<K>(&mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_squares_parts::<K>(ids, out));
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<
            <HashMap<K, u64> as ::cachex::__private::Results>::Each,
        >::new())
            .shape()
    };
    ::cachex::__private::prime(
        &call,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::Local),
        ::cachex::__private::ValueRules::new(shape),
        ::cachex::__private::Tags::new(),
        value,
    )
}
