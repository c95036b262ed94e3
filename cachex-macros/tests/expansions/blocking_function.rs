pub fn double(n: u64) -> u64 {
    let mut call = ::cachex::__private::Call::new();
    __cachex_double_in_an_impl_write_in_impl(&n, &mut call);
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<u64>::new()).shape()
    };
    let found = call
        .find(
            ::cachex::__private::kept(shape, ::cachex::__private::Portable),
            #[inline(always)]
            |out| {
                __cachex_double_parts(&n, out);
            },
        );
    ::cachex::__private::cached(
        call,
        found,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::Portable),
        move || ::cachex::__private::ValueRules::new(shape),
        move |out| {
            __cachex_double_parts(&n, out);
            move |_| { move || { double_uncached(n) } }
        },
    )
}
const _: () = ();
#[doc(hidden)]
#[inline(always)]
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
pub fn __cachex_double_in_an_impl_write_in_impl<'cachex>(
    n: &u64,
    call: &mut ::cachex::__private::Call<'cachex>,
) {
    {
        fn here() -> &'static ::cachex::__private::str {
            ::cachex::__private::type_name_of_val(&here)
        }
        static SITE: ::cachex::__private::CallSite = ::cachex::__private::CallSite::new(::cachex::__private::Site {
            method: "double",
            here,
            name: ::cachex::__private::Option::None,
            version: 0u32,
            signature: "fn double(n: u64) -> u64",
            options: "ttl = \"5m\"",
            file: ::cachex::__private::file!(),
            line: ::cachex::__private::line!(),
            policy: ::cachex::__private::Policy::new()
                .ttl(::cachex::__private::Duration::new(300u64, 0u32)),
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
pub fn __cachex_double_parts(n: &u64, out: &mut ::cachex::__private::KeyWriter<'_>) {
    ::cachex::__private::part(&*n, out);
}
///Does what `double` does, without the cache.
#[allow(
    dead_code,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate
)]
pub fn double_uncached(n: u64) -> u64 {
    n * 2
}
///Returns the key of the entry of `double` for these arguments.
#[allow(dead_code, clippy::all, clippy::pedantic)]
pub fn double_key(n: &u64) -> ::cachex::__private::Key {
    let mut call = ::cachex::__private::Call::new();
    __cachex_double_in_an_impl_write_in_impl(n, &mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_double_parts(n, out));
    call.key()
}
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
pub fn __cachex_double_entry(n: &u64) -> ::cachex::__private::Target {
    let mut call = ::cachex::__private::Call::new();
    __cachex_double_in_an_impl_write_in_impl(n, &mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_double_parts(n, out));
    ::cachex::__private::Target::of(&call)
}
///Removes the entry of `double` for these arguments; returns whether there was one.
#[allow(dead_code, clippy::all, clippy::pedantic)]
pub fn double_remove(n: &u64) -> ::cachex::__private::bool {
    let mut call = ::cachex::__private::Call::new();
    __cachex_double_in_an_impl_write_in_impl(n, &mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_double_parts(n, out));
    ::cachex::__private::remove(&call)
}
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
pub fn __cachex_double_update(n: &u64) -> ::cachex::__private::Update<u64> {
    let mut call = ::cachex::__private::Call::new();
    __cachex_double_in_an_impl_write_in_impl(n, &mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_double_parts(n, out));
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<u64>::new()).shape()
    };
    ::cachex::__private::Update::new(
        &call,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::Portable),
        ::cachex::__private::ValueRules::new(shape),
        ::cachex::__private::Tags::new(),
    )
}
///Keeps `value` as if `double` had returned it for these arguments; an error is not kept.
#[allow(dead_code, clippy::all, clippy::pedantic)]
pub fn double_prime(n: &u64, value: &u64) {
    let mut call = ::cachex::__private::Call::new();
    __cachex_double_in_an_impl_write_in_impl(n, &mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_double_parts(n, out));
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<u64>::new()).shape()
    };
    ::cachex::__private::prime(
        &call,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::Portable),
        ::cachex::__private::ValueRules::new(shape),
        ::cachex::__private::Tags::new(),
        value,
    )
}
