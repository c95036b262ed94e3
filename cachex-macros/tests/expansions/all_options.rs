fn lines(&self, order: &Order, trace: Trace) -> Result<Vec<Line>, DbError> {
    let mut call = store::__private::Call::new();
    let cache = &(self.cache);
    call.cache(cache);
    Self::__cachex_lines_in_a_trait_impl_write_in_trait(self, order, &mut call);
    {
        call.when(order.id > 0);
    }
    let shape = {
        use store::__private::shapes::*;
        (&&&store::__private::Probe::<Result<Vec<Line>, DbError>>::new()).shape()
    };
    let shape = store::__private::keep_errors(shape).by(|value| is_missing(value));
    let written = call
        .written(|out| {
            Self::__cachex_lines_parts(self, order, out);
        });
    let found = written.find(store::__private::kept(shape, store::__private::Local));
    let written = written.parts();
    store::__private::cached(
        call,
        found,
        shape,
        store::__private::kept(shape, store::__private::Local),
        move || {
            store::__private::ValueRules::new(shape)
                .ttl_with(|value| ttl(value))
                .tags_with(|value, tags| store::__private::Extend::extend(
                    tags,
                    (|value| tags(value))(value),
                ))
                .unless(|value| Vec::is_empty(value))
                .weight(|value| weight(value))
        },
        move |out| {
            written.copy_to(out);
            move |tags| {
                {
                    let order = order;
                    tags.add(store::__private::format!("order:{}", order.id));
                    tags.add(store::__private::format!("{}", self.tenant));
                }
                move || { Self::lines_uncached(self, order, trace) }
            }
        },
    )
}
#[doc(hidden)]
#[inline(always)]
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
fn __cachex_lines_in_a_trait_impl_write_in_trait<'cachex>(
    &'cachex self,
    order: &Order,
    call: &mut store::__private::Call<'cachex>,
) {
    {
        fn here() -> &'static store::__private::str {
            store::__private::type_name_of_val(&here)
        }
        static SITE: store::__private::CallSite = store::__private::CallSite::new(store::__private::Site {
            method: "lines",
            here,
            name: store::__private::Option::Some("orders.lines"),
            version: 2u32,
            signature: "fn lines(&self, order: &Order, trace: Trace) -> Result<Vec<Line>, DbError>",
            options: "ttl = \"5m\", tti = MINUTE, grace = \"1h\", jitter = \"10%\", negative_ttl = \"10s\", tags = [\"order:{order.id}\", \"{self.tenant}\"], tags_with = tags, ttl_with = ttl, key = order.id, when = order.id > 0, unless = Vec::is_empty, cache = self.cache, name = \"orders.lines\", version = 2, local, single_flight = false, cache_err = is_missing, weight = weight, crate = store",
            file: store::__private::file!(),
            line: store::__private::line!(),
            policy: store::__private::Policy::checked(
                store::__private::Policy::new()
                    .ttl(store::__private::Duration::new(300u64, 0u32))
                    .tti(MINUTE)
                    .grace(store::__private::Duration::new(3600u64, 0u32))
                    .negative_ttl(store::__private::Duration::new(10u64, 0u32))
                    .jitter(store::__private::Jitter::Share(0.1f64))
                    .single_flight(false)
                    .local(),
            ),
            tags: &[],
        });
        store::__private::inventory::submit! {
            store::__private::Registered(& SITE)
        }
        call.start(&SITE, &|| ());
    }
    store::__private::scope(self, store::__private::Ask::Cache(&mut *call));
}
#[doc(hidden)]
#[inline(always)]
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
fn __cachex_lines_parts(
    &self,
    order: &Order,
    out: &mut store::__private::KeyWriter<'_>,
) {
    store::__private::scope(self, store::__private::Ask::Parts(&mut *out));
    store::__private::part(&(order.id), out);
}
///Does what `lines` does, without the cache.
#[allow(
    dead_code,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate
)]
fn lines_uncached(&self, order: &Order, trace: Trace) -> Result<Vec<Line>, DbError> {
    load(order, trace)
}
///Returns the key of the entry of `lines` for these arguments.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn lines_key(&self, order: &Order) -> store::__private::Key {
    let mut call = store::__private::Call::new();
    Self::__cachex_lines_in_a_trait_impl_write_in_trait(self, order, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_lines_parts(self, order, out));
    call.key()
}
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn __cachex_lines_entry(&self, order: &Order) -> store::__private::Target {
    let mut call = store::__private::Call::new();
    let cache = &(self.cache);
    call.cache(cache);
    Self::__cachex_lines_in_a_trait_impl_write_in_trait(self, order, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_lines_parts(self, order, out));
    store::__private::Target::of(&call)
}
///Removes the entry of `lines` for these arguments; returns whether there was one.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn lines_remove(&self, order: &Order) -> store::__private::bool {
    let mut call = store::__private::Call::new();
    let cache = &(self.cache);
    call.cache(cache);
    Self::__cachex_lines_in_a_trait_impl_write_in_trait(self, order, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_lines_parts(self, order, out));
    store::__private::remove(&call)
}
#[doc(hidden)]
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn __cachex_lines_update(
    &self,
    order: &Order,
) -> store::__private::Update<Result<Vec<Line>, DbError>> {
    let mut call = store::__private::Call::new();
    let cache = &(self.cache);
    call.cache(cache);
    Self::__cachex_lines_in_a_trait_impl_write_in_trait(self, order, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_lines_parts(self, order, out));
    let shape = {
        use store::__private::shapes::*;
        (&&&store::__private::Probe::<Result<Vec<Line>, DbError>>::new()).shape()
    };
    let shape = store::__private::keep_errors(shape).by(|value| is_missing(value));
    let mut tags = store::__private::Tags::new();
    tags.add(store::__private::format!("order:{}", order.id));
    tags.add(store::__private::format!("{}", self.tenant));
    store::__private::Update::new(
        &call,
        shape,
        store::__private::kept(shape, store::__private::Local),
        store::__private::ValueRules::new(shape)
            .ttl_with(|value| ttl(value))
            .tags_with(|value, tags| store::__private::Extend::extend(
                tags,
                (|value| tags(value))(value),
            ))
            .unless(|value| Vec::is_empty(value))
            .weight(|value| weight(value)),
        tags,
    )
}
///Keeps `value` as if `lines` had returned it for these arguments; an error is not kept.
#[allow(dead_code, clippy::all, clippy::pedantic)]
fn lines_prime(&self, order: &Order, value: &Result<Vec<Line>, DbError>) {
    let mut call = store::__private::Call::new();
    let cache = &(self.cache);
    call.cache(cache);
    Self::__cachex_lines_in_a_trait_impl_write_in_trait(self, order, &mut call);
    let mut call = call.unwritten();
    call.write(|out| Self::__cachex_lines_parts(self, order, out));
    let shape = {
        use store::__private::shapes::*;
        (&&&store::__private::Probe::<Result<Vec<Line>, DbError>>::new()).shape()
    };
    let shape = store::__private::keep_errors(shape).by(|value| is_missing(value));
    let mut tags = store::__private::Tags::new();
    tags.add(store::__private::format!("order:{}", order.id));
    tags.add(store::__private::format!("{}", self.tenant));
    store::__private::prime(
        &call,
        shape,
        store::__private::kept(shape, store::__private::Local),
        store::__private::ValueRules::new(shape)
            .ttl_with(|value| ttl(value))
            .tags_with(|value, tags| store::__private::Extend::extend(
                tags,
                (|value| tags(value))(value),
            ))
            .unless(|value| Vec::is_empty(value))
            .weight(|value| weight(value)),
        tags,
        value,
    )
}
