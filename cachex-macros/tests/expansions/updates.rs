async fn save(&self, user: User) -> Result<Option<User>, DbError> {
    let mut effects = ::cachex::__private::Effects::new();
    effects.scope(self);
    let subject = Self::__cachex_find_update(self, &(user.id));
    ::cachex::__private::updates_async::<
        Result<Option<User>, DbError>,
        _,
    >(
            effects,
            subject,
            ::cachex::__private::typed::<
                Result<Option<User>, DbError>,
                _,
            >(async move { self.pool.save(user).await }),
        )
        .await
}
