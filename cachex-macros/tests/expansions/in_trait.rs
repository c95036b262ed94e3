async fn find(&self, id: u64) -> Result<User, Error> {
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
                signature: "async fn find(&self, mut id: u64) -> Result<User, Error>",
                options: "ttl = \"5m\", in_trait",
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
        {
            let call = &mut call;
            ::cachex::__private::scope(
                self,
                ::cachex::__private::Ask::Cache(&mut *call),
            );
        }
        let shape = {
            use ::cachex::__private::shapes::*;
            (&&&::cachex::__private::Probe::<Result<User, Error>>::new()).shape()
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
        ::cachex::__private::cached_async(
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
                    ::cachex::__private::typed::<
                        Result<User, Error>,
                        _,
                    >(async move {
                        let mut id = id;
                        id += 1;
                        self.pool.find(id).await
                    })
                }
            },
        )
    }) {
        ::cachex::__private::Result::Ok(value) => value,
        ::cachex::__private::Result::Err(load) => load.await,
    }
}
