fn total(self: Arc<Self>) -> u64 {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_total_in_a_trait_impl_write_in_trait(&*self, &mut call);
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<u64>::new()).shape()
    };
    let found = call
        .find(
            ::cachex::__private::kept(shape, ::cachex::__private::Portable),
            #[inline(always)]
            |out| {
                Self::__cachex_total_parts(&*self, out);
            },
        );
    let mut kept = ::cachex::__private::Option::None;
    let call = call.keep_cache(&found, &mut kept);
    ::cachex::__private::cached(
        call,
        found,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::Portable),
        move || ::cachex::__private::ValueRules::new(shape),
        move |out| {
            Self::__cachex_total_parts(&*self, out);
            move |_| { move || { Self::total_uncached(self) } }
        },
    )
}
#[doc(hidden)]
#[inline(always)]
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
fn __cachex_total_in_a_trait_impl_write_in_trait<'cachex>(
    &'cachex self,
    call: &mut ::cachex::__private::Call<'cachex>,
) {
    {
        fn here() -> &'static ::cachex::__private::str {
            ::cachex::__private::type_name_of_val(&here)
        }
        static SITE: ::cachex::__private::CallSite = ::cachex::__private::CallSite::new(::cachex::__private::Site {
            method: "total",
            here,
            name: ::cachex::__private::Option::None,
            version: 0u32,
            signature: "fn total(self: Arc<Self>) -> u64",
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
    ::cachex::__private::scope(self, ::cachex::__private::Ask::Cache(&mut *call));
}
#[doc(hidden)]
#[inline(always)]
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
fn __cachex_total_parts(&self, out: &mut ::cachex::__private::KeyWriter<'_>) {
    ::cachex::__private::scope(self, ::cachex::__private::Ask::Parts(&mut *out));
}
///Does what `total` does, without the cache.
#[allow(
    dead_code,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate
)]
fn total_uncached(self: Arc<Self>) -> u64 {
    self.total
}
///Returns the key of the entry of `total` for these arguments.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn total_key(&self) -> ::cachex::__private::Key {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_total_in_a_trait_impl_write_in_trait(self, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_total_parts(self, out));
    call.key()
}
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn __cachex_total_entry(&self) -> ::cachex::__private::Target {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_total_in_a_trait_impl_write_in_trait(self, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_total_parts(self, out));
    ::cachex::__private::Target::of(&call)
}
///Removes the entry of `total` for these arguments; returns whether there was one.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn total_remove(&self) -> ::cachex::__private::bool {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_total_in_a_trait_impl_write_in_trait(self, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_total_parts(self, out));
    ::cachex::__private::remove(&call)
}
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn __cachex_total_update(&self) -> ::cachex::__private::Update<u64> {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_total_in_a_trait_impl_write_in_trait(self, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_total_parts(self, out));
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
///Keeps `value` as if `total` had returned it for these arguments; an error is not kept.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn total_prime(&self, value: &u64) {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_total_in_a_trait_impl_write_in_trait(self, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_total_parts(self, out));
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
