/// Finds a user.
#[cfg(feature = "users")]
pub async fn find(&self, id: UserId, name: &str) -> Result<Option<User>, DbError> {
    match ::cachex::__private::first(move || {
        let mut call = ::cachex::__private::Call::new();
        Self::__cachex_find_in_a_trait_impl_write_in_trait(self, &id, name, &mut call);
        let shape = {
            use ::cachex::__private::shapes::*;
            (&&&::cachex::__private::Probe::<Result<Option<User>, DbError>>::new())
                .shape()
        };
        let found = call
            .find(
                ::cachex::__private::kept(shape, ::cachex::__private::Portable),
                #[inline(always)]
                |out| {
                    Self::__cachex_find_parts(self, &id, name, out);
                },
            );
        ::cachex::__private::cached_async(
            call,
            found,
            shape,
            ::cachex::__private::kept(shape, ::cachex::__private::Portable),
            move || ::cachex::__private::ValueRules::new(shape),
            move |out| {
                Self::__cachex_find_parts(self, &id, name, out);
                move |tags| {
                    {
                        let id = &id;
                        tags.add(::cachex::__private::format!("user:{}", id));
                    }
                    Self::find_uncached(self, id, name)
                }
            },
        )
    }) {
        ::cachex::__private::Result::Ok(value) => value,
        ::cachex::__private::Result::Err(load) => load.await,
    }
}
#[cfg(feature = "users")]
#[doc(hidden)]
#[inline(always)]
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
pub fn __cachex_find_in_a_trait_impl_write_in_trait<'cachex>(
    &'cachex self,
    id: &UserId,
    name: &str,
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
            signature: "async fn find(&self, id: UserId, name: &str) -> Result<Option<User>, DbError>",
            options: "ttl = \"5m\", tags = [\"users\", \"user:{id}\"]",
            file: ::cachex::__private::file!(),
            line: ::cachex::__private::line!(),
            policy: ::cachex::__private::Policy::new()
                .ttl(::cachex::__private::Duration::new(300u64, 0u32)),
            tags: &["users"],
        });
        ::cachex::__private::inventory::submit! {
            ::cachex::__private::Registered(& SITE)
        }
        call.start(&SITE, &|| ());
    }
    ::cachex::__private::scope(self, ::cachex::__private::Ask::Cache(&mut *call));
}
#[cfg(feature = "users")]
#[doc(hidden)]
#[inline(always)]
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
pub fn __cachex_find_parts(
    &self,
    id: &UserId,
    name: &str,
    out: &mut ::cachex::__private::KeyWriter<'_>,
) {
    ::cachex::__private::scope(self, ::cachex::__private::Ask::Parts(&mut *out));
    ::cachex::__private::part(&*id, out);
    ::cachex::__private::part(&*name, out);
}
#[cfg(feature = "users")]
///Does what `find` does, without the cache.
#[allow(
    dead_code,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate
)]
pub async fn find_uncached(
    &self,
    id: UserId,
    name: &str,
) -> Result<Option<User>, DbError> {
    self.pool.find(id, name).await
}
#[cfg(feature = "users")]
///Returns the key of the entry of `find` for these arguments.
#[allow(dead_code, clippy::all, clippy::pedantic)]
pub fn find_key(&self, id: &UserId, name: &str) -> ::cachex::__private::Key {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_find_in_a_trait_impl_write_in_trait(self, id, name, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_find_parts(self, id, name, out));
    call.key()
}
#[cfg(feature = "users")]
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
pub fn __cachex_find_entry(
    &self,
    id: &UserId,
    name: &str,
) -> ::cachex::__private::Target {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_find_in_a_trait_impl_write_in_trait(self, id, name, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_find_parts(self, id, name, out));
    ::cachex::__private::Target::of(&call)
}
#[cfg(feature = "users")]
///Removes the entry of `find` for these arguments; returns whether there was one.
#[allow(dead_code, clippy::all, clippy::pedantic)]
pub fn find_remove(&self, id: &UserId, name: &str) -> ::cachex::__private::Removing {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_find_in_a_trait_impl_write_in_trait(self, id, name, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_find_parts(self, id, name, out));
    ::cachex::__private::remove_async(&call)
}
#[cfg(feature = "users")]
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
pub fn __cachex_find_update(
    &self,
    id: &UserId,
    name: &str,
) -> ::cachex::__private::Update<Result<Option<User>, DbError>> {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_find_in_a_trait_impl_write_in_trait(self, id, name, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_find_parts(self, id, name, out));
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<Result<Option<User>, DbError>>::new()).shape()
    };
    let mut tags = ::cachex::__private::Tags::new();
    tags.add(::cachex::__private::format!("user:{}", id));
    ::cachex::__private::Update::new(
        &call,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::Portable),
        ::cachex::__private::ValueRules::new(shape),
        tags,
    )
}
#[cfg(feature = "users")]
///Keeps `value` as if `find` had returned it for these arguments; an error is not kept.
#[allow(dead_code, clippy::all, clippy::pedantic)]
pub fn find_prime(
    &self,
    id: &UserId,
    name: &str,
    value: &Result<Option<User>, DbError>,
) -> ::cachex::__private::Priming {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_find_in_a_trait_impl_write_in_trait(self, id, name, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_find_parts(self, id, name, out));
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<Result<Option<User>, DbError>>::new()).shape()
    };
    let mut tags = ::cachex::__private::Tags::new();
    tags.add(::cachex::__private::format!("user:{}", id));
    ::cachex::__private::prime_async(
        &call,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::Portable),
        ::cachex::__private::ValueRules::new(shape),
        tags,
        value,
    )
}
