fn find<'life0, 'async_trait>(
    &'life0 self,
    id: u64,
) -> Pin<Box<dyn Future<Output = Option<User>> + Send + 'async_trait>>
where
    'life0: 'async_trait,
    Self: 'async_trait,
{
    Box::pin(async move {
        match ::cachex::__private::first(move || {
            let mut call = ::cachex::__private::Call::new();
            {
                fn here() -> &'static ::cachex::__private::str {
                    ::cachex::__private::type_name_of_val(&here)
                }
                static SITE: ::cachex::__private::CallSite = ::cachex::__private::CallSite::new(::cachex::__private::Site {
                    method: "find",
                    here,
                    name: ::cachex::__private::Option::None,
                    version: 0u32,
                    signature: "fn find<'life0, 'async_trait>(&'life0 self, id: u64,) -> Pin<Box<dyn Future<Output = Option<User>> + Send + 'async_trait>> where 'life0: 'async_trait, Self: 'async_trait,",
                    options: "ttl = \"5m\", refresh_ahead = \"1m\"",
                    file: ::cachex::__private::file!(),
                    line: ::cachex::__private::line!(),
                    policy: ::cachex::__private::Policy::new()
                        .ttl(::cachex::__private::Duration::new(300u64, 0u32))
                        .refresh_ahead(::cachex::__private::Duration::new(60u64, 0u32)),
                    tags: &[],
                });
                ::cachex::__private::inventory::submit! {
                    ::cachex::__private::Registered(& SITE)
                }
                call.start(&SITE, &|| ());
            }
            {
                let call = &mut call;
                ::cachex::__private::scope(
                    self,
                    ::cachex::__private::Ask::Cache(&mut *call),
                );
            }
            let shape = {
                use ::cachex::__private::shapes::*;
                (&&&::cachex::__private::Probe::<Option<User>>::new()).shape()
            };
            let found = call
                .find(
                    ::cachex::__private::kept(shape, ::cachex::__private::Portable),
                    #[inline(always)]
                    |out| {
                        ::cachex::__private::scope(
                            self,
                            ::cachex::__private::Ask::Parts(&mut *out),
                        );
                        #[allow(clippy::all)]
                        {
                            let id = &id;
                            ::cachex::__private::part(&*id, out);
                        }
                    },
                );
            ::cachex::__private::cached_detached_async(
                call,
                found,
                shape,
                ::cachex::__private::kept(shape, ::cachex::__private::Portable),
                move || ::cachex::__private::ValueRules::new(shape),
                move |out| {
                    ::cachex::__private::scope(
                        self,
                        ::cachex::__private::Ask::Parts(&mut *out),
                    );
                    #[allow(clippy::all)]
                    {
                        let id = &id;
                        ::cachex::__private::part(&*id, out);
                    }
                    move |_| {
                        let this = ::cachex::__private::detach(self);
                        ::cachex::__private::typed::<
                            Option<User>,
                            _,
                        >(async move {
                            let this = &this;
                            let __self = this;
                            __self.pool.find(id).await
                        })
                    }
                },
            )
        }) {
            ::cachex::__private::Result::Ok(value) => value,
            ::cachex::__private::Result::Err(load) => load.await,
        }
    })
}
