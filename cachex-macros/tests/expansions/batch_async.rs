pub async fn find_all(
    &self,
    tenant: String,
    ids: &[UserId],
    trace: &Trace,
) -> Result<Vec<Option<User>>, DbError> {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_find_all_in_a_trait_impl_write_in_trait(self, &mut call);
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<
            <Result<Vec<Option<User>>, DbError> as ::cachex::__private::Results>::Each,
        >::new())
            .shape()
    };
    ::cachex::__private::cached_batch_async(
            call,
            ::cachex::__private::elements(ids),
            (
                shape,
                ::cachex::__private::kept(shape, ::cachex::__private::Portable),
                ::cachex::__private::ValueRules::new(shape),
            ),
            |id, out| Self::__cachex_find_all_parts(self, &tenant, id, out),
            |id, tags| {
                let _ = id;
                let tenant = &tenant;
                tags.add(::cachex::__private::format!("user:{}:{}", tenant, id));
            },
            |some| {
                let tenant = ::cachex::__private::again(&tenant);
                async move { Self::find_all_uncached(self, tenant, &some, trace).await }
            },
        )
        .await
}
#[doc(hidden)]
#[inline(always)]
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
pub fn __cachex_find_all_in_a_trait_impl_write_in_trait<'cachex>(
    &'cachex self,
    call: &mut ::cachex::__private::Call<'cachex>,
) {
    {
        fn here() -> &'static ::cachex::__private::str {
            ::cachex::__private::type_name_of_val(&here)
        }
        static SITE: ::cachex::__private::CallSite = ::cachex::__private::CallSite::new(::cachex::__private::Site {
            method: "find_all",
            here,
            name: ::cachex::__private::Option::None,
            version: 0u32,
            signature: "async fn find_all(&self, tenant: String, ids: &[UserId], trace: &Trace) -> Result<Vec<Option<User>>, DbError>",
            options: "batch(id in ids), ttl = \"5m\", tags = [\"users\", \"user:{tenant}:{id}\"], skip(trace)",
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
#[doc(hidden)]
#[inline(always)]
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
pub fn __cachex_find_all_parts(
    &self,
    tenant: &String,
    id: &UserId,
    out: &mut ::cachex::__private::KeyWriter<'_>,
) {
    ::cachex::__private::scope(self, ::cachex::__private::Ask::Parts(&mut *out));
    ::cachex::__private::part(&*tenant, out);
    ::cachex::__private::part(&*id, out);
}
///Does what `find_all` does, without the cache.
#[allow(
    dead_code,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate
)]
pub async fn find_all_uncached(
    &self,
    tenant: String,
    ids: &[UserId],
    trace: &Trace,
) -> Result<Vec<Option<User>>, DbError> {
    self.pool.find_all(tenant, ids, trace).await
}
///Returns the key of the entry of `find_all` for these arguments.
#[allow(dead_code, clippy::all, clippy::pedantic)]
pub fn find_all_key(&self, tenant: &String, id: &UserId) -> ::cachex::__private::Key {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_find_all_in_a_trait_impl_write_in_trait(self, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_find_all_parts(self, tenant, id, out));
    call.key()
}
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
pub fn __cachex_find_all_entry(
    &self,
    tenant: &String,
    id: &UserId,
) -> ::cachex::__private::Target {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_find_all_in_a_trait_impl_write_in_trait(self, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_find_all_parts(self, tenant, id, out));
    ::cachex::__private::Target::of(&call)
}
///Removes the entry of `find_all` for these arguments; returns whether there was one.
#[allow(dead_code, clippy::all, clippy::pedantic)]
pub fn find_all_remove(
    &self,
    tenant: &String,
    id: &UserId,
) -> ::cachex::__private::Removing {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_find_all_in_a_trait_impl_write_in_trait(self, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_find_all_parts(self, tenant, id, out));
    ::cachex::__private::remove_async(&call)
}
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
pub fn __cachex_find_all_update(
    &self,
    tenant: &String,
    id: &UserId,
) -> ::cachex::__private::Update<
    <Result<Vec<Option<User>>, DbError> as ::cachex::__private::Results>::Each,
> {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_find_all_in_a_trait_impl_write_in_trait(self, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_find_all_parts(self, tenant, id, out));
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<
            <Result<Vec<Option<User>>, DbError> as ::cachex::__private::Results>::Each,
        >::new())
            .shape()
    };
    let mut tags = ::cachex::__private::Tags::new();
    tags.add(::cachex::__private::format!("user:{}:{}", tenant, id));
    ::cachex::__private::Update::new(
        &call,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::Portable),
        ::cachex::__private::ValueRules::new(shape),
        tags,
    )
}
///Keeps `value` as if `find_all` had returned it for these arguments; an error is not kept.
#[allow(dead_code, clippy::all, clippy::pedantic)]
pub fn find_all_prime(
    &self,
    tenant: &String,
    id: &UserId,
    value: &<Result<Vec<Option<User>>, DbError> as ::cachex::__private::Results>::Each,
) -> ::cachex::__private::Priming {
    let mut call = ::cachex::__private::Call::new();
    Self::__cachex_find_all_in_a_trait_impl_write_in_trait(self, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_find_all_parts(self, tenant, id, out));
    let shape = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<
            <Result<Vec<Option<User>>, DbError> as ::cachex::__private::Results>::Each,
        >::new())
            .shape()
    };
    let mut tags = ::cachex::__private::Tags::new();
    tags.add(::cachex::__private::format!("user:{}:{}", tenant, id));
    ::cachex::__private::prime_async(
        &call,
        shape,
        ::cachex::__private::kept(shape, ::cachex::__private::Portable),
        ::cachex::__private::ValueRules::new(shape),
        tags,
        value,
    )
}
