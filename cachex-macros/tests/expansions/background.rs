async fn find(&self, name: &str, id: u64) -> Result<User, Error> {
    match ::cachex::__private::first(move || {
        let mut call = ::cachex::__private::Call::new();
        Self::__cachex_find_in_a_trait_impl_write_in_trait(self, name, &id, &mut call);
        let shape = {
            use ::cachex::__private::shapes::*;
            (&&&::cachex::__private::Probe::<Result<User, Error>>::new()).shape()
        };
        let found = call
            .find(
                ::cachex::__private::kept(shape, ::cachex::__private::Portable),
                #[inline(always)]
                |out| {
                    Self::__cachex_find_parts(self, name, &id, out);
                },
            );
        ::cachex::__private::cached_detached_async(
            call,
            found,
            shape,
            ::cachex::__private::kept(shape, ::cachex::__private::Portable),
            move || ::cachex::__private::ValueRules::new(shape).timed_out().share_err(),
            move |out| {
                Self::__cachex_find_parts(self, name, &id, out);
                move |_| {
                    let this = ::cachex::__private::detach(self);
                    let name = ::cachex::__private::detach_ref(name);
                    async move {
                        let this = &this;
                        let name = ::cachex::__private::Borrow::<str>::borrow(&name);
                        Self::find_uncached(this, name, id).await
                    }
                }
            },
        )
    }) {
        ::cachex::__private::Result::Ok(value) => value,
        ::cachex::__private::Result::Err(load) => load.await,
    }
}
#[doc(hidden)]
#[inline(always)]
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
fn __cachex_find_in_a_trait_impl_write_in_trait<'cachex>(
    &'cachex self,
    name: &str,
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
            signature: "async fn find(&self, name: &str, id: u64) -> Result<User, Error>",
            options: "ttl = \"5m\", soft_ttl = \"4m\", timeout = \"1s\", share_err",
            file: ::cachex::__private::file!(),
            line: ::cachex::__private::line!(),
            policy: ::cachex::__private::Policy::new()
                .ttl(::cachex::__private::Duration::new(300u64, 0u32))
                .soft_ttl(::cachex::__private::Duration::new(240u64, 0u32))
                .timeout(::cachex::__private::Duration::new(1u64, 0u32)),
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
fn __cachex_find_parts(
    &self,
    name: &str,
    id: &u64,
    out: &mut ::cachex::__private::KeyWriter<'_>,
) {
    ::cachex::__private::scope(self, ::cachex::__private::Ask::Parts(&mut *out));
    ::cachex::__private::part(&*name, out);
    ::cachex::__private::part(&*id, out);
}
///Does what `find` does, without the cache.
#[allow(
    dead_code,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate
)]
async fn find_uncached(&self, name: &str, id: u64) -> Result<User, Error> {
    self.pool.find(name, id).await
}
///Returns the key of the entry of `find` for these arguments.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn find_key(&self, name: &str, id: &u64) -> ::cachex::__private::Key {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_find_in_a_trait_impl_write_in_trait(self, name, id, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_find_parts(self, name, id, out));
    call.key()
}
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn __cachex_find_entry(&self, name: &str, id: &u64) -> ::cachex::__private::Target {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_find_in_a_trait_impl_write_in_trait(self, name, id, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_find_parts(self, name, id, out));
    ::cachex::__private::Target::of(&call)
}
///Removes the entry of `find` for these arguments; returns whether there was one.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn find_remove(&self, name: &str, id: &u64) -> ::cachex::__private::Removing {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_find_in_a_trait_impl_write_in_trait(self, name, id, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_find_parts(self, name, id, out));
    ::cachex::__private::remove_async(&call)
}
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn __cachex_find_update(
    &self,
    name: &str,
    id: &u64,
) -> ::cachex::__private::Update<Result<User, Error>> {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_find_in_a_trait_impl_write_in_trait(self, name, id, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_find_parts(self, name, id, out));
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<Result<User, Error>>::new()).shape()
    };
    ::cachex::__private::Update::new(
        &call,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::Portable),
        ::cachex::__private::ValueRules::new(shape).timed_out().share_err(),
        ::cachex::__private::Tags::new(),
    )
}
///Keeps `value` as if `find` had returned it for these arguments; an error is not kept.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn find_prime(
    &self,
    name: &str,
    id: &u64,
    value: &Result<User, Error>,
) -> ::cachex::__private::Priming {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_find_in_a_trait_impl_write_in_trait(self, name, id, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_find_parts(self, name, id, out));
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<Result<User, Error>>::new()).shape()
    };
    ::cachex::__private::prime_async(
        &call,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::Portable),
        ::cachex::__private::ValueRules::new(shape).timed_out().share_err(),
        ::cachex::__private::Tags::new(),
        value,
    )
}
