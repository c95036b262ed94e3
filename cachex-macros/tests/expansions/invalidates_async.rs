pub async fn rename(&self, id: UserId, name: &str) -> Result<(), DbError> {
    let mut effects = ::cachex::__private::Effects::new();
    effects.scope(self);
    effects.tag(::cachex::__private::format!("user:{}", id));
    effects.entry(Self::__cachex_find_entry(self, &(id)));
    effects.entry(self.__cachex_list_entry());
    effects.entry(other::__cachex_count_entry(&(id), &(1)));
    let subject = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<Result<(), DbError>>::new()).shape()
    };
    ::cachex::__private::invalidates_async(
            effects,
            subject,
            ::cachex::__private::typed::<
                Result<(), DbError>,
                _,
            >(async move { self.pool.rename(id, name).await }),
        )
        .await
}
