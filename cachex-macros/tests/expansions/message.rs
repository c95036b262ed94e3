async fn find(id: u64) -> Option<User> {
    match ::cachex::__private::first(move || {
        let mut call = ::cachex::__private::Call::new();
        __cachex_find_in_an_impl_write_in_impl(&id, &mut call);
        let shape = {
            use ::cachex::__private::shapes::*;
            (&&&::cachex::__private::Probe::<Option<User>>::new()).shape()
        };
        let found = call
            .find(
                ::cachex::__private::kept(shape, ::cachex::__private::protobuf()),
                #[inline(always)]
                |out| {
                    __cachex_find_parts(&id, out);
                },
            );
        ::cachex::__private::cached_async(
            call,
            found,
            shape,
            ::cachex::__private::kept(shape, ::cachex::__private::protobuf()),
            move || ::cachex::__private::ValueRules::new(shape),
            move |out| {
                __cachex_find_parts(&id, out);
                move |_| { find_uncached(id) }
            },
        )
    }) {
        ::cachex::__private::Result::Ok(value) => value,
        ::cachex::__private::Result::Err(load) => load.await,
    }
}
const _: () = ();
#[doc(hidden)]
#[inline(always)]
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
fn __cachex_find_in_an_impl_write_in_impl<'cachex>(
    id: &u64,
    call: &mut ::cachex::__private::Call<'cachex>,
) {
    {
        fn here() -> &'static ::cachex::__private::str {
            ::cachex::__private::type_name_of_val(&here)
        }
        static SITE: ::cachex::__private::CallSite = ::cachex::__private::CallSite::new(::cachex::__private::Site {
            method: "find",
            here,
            name: ::cachex::__private::Option::None,
            version: 0u32,
            signature: "async fn find(id: u64) -> Option<User>",
            options: "ttl = \"5m\", tiers = \"remote\", codec = \"protobuf\", compression = \"zstd\"",
            file: ::cachex::__private::file!(),
            line: ::cachex::__private::line!(),
            policy: ::cachex::__private::Policy::new()
                .ttl(::cachex::__private::Duration::new(300u64, 0u32))
                .tiers(::cachex::__private::Tiers::Remote)
                .codec(::cachex::__private::Codec::Protobuf.needed())
                .compression(::cachex::__private::Compression::Zstd.needed())
                .message(),
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
fn __cachex_find_parts(id: &u64, out: &mut ::cachex::__private::KeyWriter<'_>) {
    ::cachex::__private::part(&*id, out);
}
///Does what `find` does, without the cache.
#[allow(
    dead_code,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate
)]
async fn find_uncached(id: u64) -> Option<User> {
    load(id).await
}
///Returns the key of the entry of `find` for these arguments.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn find_key(id: &u64) -> ::cachex::__private::Key {
    let mut call = ::cachex::__private::Call::new();
    __cachex_find_in_an_impl_write_in_impl(id, &mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_find_parts(id, out));
    call.key()
}
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn __cachex_find_entry(id: &u64) -> ::cachex::__private::Target {
    let mut call = ::cachex::__private::Call::new();
    __cachex_find_in_an_impl_write_in_impl(id, &mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_find_parts(id, out));
    ::cachex::__private::Target::of(&call)
}
///Removes the entry of `find` for these arguments; returns whether there was one.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn find_remove(id: &u64) -> ::cachex::__private::Removing {
    let mut call = ::cachex::__private::Call::new();
    __cachex_find_in_an_impl_write_in_impl(id, &mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_find_parts(id, out));
    ::cachex::__private::remove_async(&call)
}
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn __cachex_find_update(id: &u64) -> ::cachex::__private::Update<Option<User>> {
    let mut call = ::cachex::__private::Call::new();
    __cachex_find_in_an_impl_write_in_impl(id, &mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_find_parts(id, out));
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<Option<User>>::new()).shape()
    };
    ::cachex::__private::Update::new(
        &call,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::protobuf()),
        ::cachex::__private::ValueRules::new(shape),
        ::cachex::__private::Tags::new(),
    )
}
///Keeps `value` as if `find` had returned it for these arguments; an error is not kept.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn find_prime(id: &u64, value: &Option<User>) -> ::cachex::__private::Priming {
    let mut call = ::cachex::__private::Call::new();
    __cachex_find_in_an_impl_write_in_impl(id, &mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_find_parts(id, out));
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<Option<User>>::new()).shape()
    };
    ::cachex::__private::prime_async(
        &call,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::protobuf()),
        ::cachex::__private::ValueRules::new(shape),
        ::cachex::__private::Tags::new(),
        value,
    )
}
