fn between<T: CacheKey, L, const N: usize>(
    argument_0: (u64, u64),
    more: [T; N],
    trace: L,
) -> Vec<u64>
where
    L: Log,
{
    let mut call = ::cachex::__private::Call::new();
    __cachex_between_in_an_impl_write_in_impl::<T, L, N>(&argument_0, &more, &mut call);
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<Vec<u64>>::new()).shape()
    };
    let found = call
        .find(
            ::cachex::__private::kept(shape, ::cachex::__private::Portable),
            #[inline(always)]
            |out| {
                __cachex_between_parts::<T, L, N>(&argument_0, &more, out);
            },
        );
    ::cachex::__private::cached(
        call,
        found,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::Portable),
        move || ::cachex::__private::ValueRules::new(shape),
        move |out| {
            __cachex_between_parts::<T, L, N>(&argument_0, &more, out);
            move |tags| {
                {
                    #[allow(unused_variables)]
                    let (from, to) = &argument_0;
                    tags.add(::cachex::__private::format!("from:{}", from));
                }
                move || { between_uncached::<T, L, N>(argument_0, more, trace) }
            }
        },
    )
}
const _: () = ();
#[doc(hidden)]
#[inline(always)]
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
fn __cachex_between_in_an_impl_write_in_impl<'cachex, T: CacheKey, L, const N: usize>(
    argument_0: &(u64, u64),
    more: &[T; N],
    call: &mut ::cachex::__private::Call<'cachex>,
)
where
    L: Log,
{
    {
        fn here() -> &'static ::cachex::__private::str {
            ::cachex::__private::type_name_of_val(&here)
        }
        static SITE: ::cachex::__private::CallSite = ::cachex::__private::CallSite::new(::cachex::__private::Site {
            method: "between",
            here,
            name: ::cachex::__private::Option::None,
            version: 0u32,
            signature: "fn between<T: CacheKey, L, const N: usize>((from, mut to): (u64, u64), more: [T; N], trace: L) -> Vec<u64> where L: Log,",
            options: "tags = [\"from:{from}\"], skip(trace)",
            file: ::cachex::__private::file!(),
            line: ::cachex::__private::line!(),
            policy: ::cachex::__private::Policy::new(),
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
fn __cachex_between_parts<T: CacheKey, L, const N: usize>(
    argument_0: &(u64, u64),
    more: &[T; N],
    out: &mut ::cachex::__private::KeyWriter<'_>,
)
where
    L: Log,
{
    ::cachex::__private::part(&*argument_0, out);
    ::cachex::__private::part(&*more, out);
}
///Does what `between` does, without the cache.
#[allow(
    dead_code,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate
)]
fn between_uncached<T: CacheKey, L, const N: usize>(
    (from, mut to): (u64, u64),
    more: [T; N],
    trace: L,
) -> Vec<u64>
where
    L: Log,
{
    to += more.len() as u64;
    (from..to).collect()
}
///Returns the key of the entry of `between` for these arguments.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn between_key<T: CacheKey, L, const N: usize>(
    argument_0: &(u64, u64),
    more: &[T; N],
) -> ::cachex::__private::Key
where
    L: Log,
{
    let mut call = ::cachex::__private::Call::new();
    __cachex_between_in_an_impl_write_in_impl::<T, L, N>(argument_0, more, &mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_between_parts::<T, L, N>(argument_0, more, out));
    call.key()
}
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn __cachex_between_entry<T: CacheKey, L, const N: usize>(
    argument_0: &(u64, u64),
    more: &[T; N],
) -> ::cachex::__private::Target
where
    L: Log,
{
    let mut call = ::cachex::__private::Call::new();
    __cachex_between_in_an_impl_write_in_impl::<T, L, N>(argument_0, more, &mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_between_parts::<T, L, N>(argument_0, more, out));
    ::cachex::__private::Target::of(&call)
}
///Removes the entry of `between` for these arguments; returns whether there was one.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn between_remove<T: CacheKey, L, const N: usize>(
    argument_0: &(u64, u64),
    more: &[T; N],
) -> ::cachex::__private::bool
where
    L: Log,
{
    let mut call = ::cachex::__private::Call::new();
    __cachex_between_in_an_impl_write_in_impl::<T, L, N>(argument_0, more, &mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_between_parts::<T, L, N>(argument_0, more, out));
    ::cachex::__private::remove(&call)
}
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn __cachex_between_update<T: CacheKey, L, const N: usize>(
    argument_0: &(u64, u64),
    more: &[T; N],
) -> ::cachex::__private::Update<Vec<u64>>
where
    L: Log,
{
    let mut call = ::cachex::__private::Call::new();
    __cachex_between_in_an_impl_write_in_impl::<T, L, N>(argument_0, more, &mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_between_parts::<T, L, N>(argument_0, more, out));
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<Vec<u64>>::new()).shape()
    };
    let mut tags = ::cachex::__private::Tags::new();
    #[allow(unused_variables)]
    let (from, to) = &argument_0;
    tags.add(::cachex::__private::format!("from:{}", from));
    ::cachex::__private::Update::new(
        &call,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::Portable),
        ::cachex::__private::ValueRules::new(shape),
        tags,
    )
}
///Keeps `value` as if `between` had returned it for these arguments; an error is not kept.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn between_prime<T: CacheKey, L, const N: usize>(
    argument_0: &(u64, u64),
    more: &[T; N],
    value: &Vec<u64>,
)
where
    L: Log,
{
    let mut call = ::cachex::__private::Call::new();
    __cachex_between_in_an_impl_write_in_impl::<T, L, N>(argument_0, more, &mut call);
    let mut call = call.unwritten();
    call.write(|out| __cachex_between_parts::<T, L, N>(argument_0, more, out));
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<Vec<u64>>::new()).shape()
    };
    let mut tags = ::cachex::__private::Tags::new();
    #[allow(unused_variables)]
    let (from, to) = &argument_0;
    tags.add(::cachex::__private::format!("from:{}", from));
    ::cachex::__private::prime(
        &call,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::Portable),
        ::cachex::__private::ValueRules::new(shape),
        tags,
        value,
    )
}
