//! What async connections to one kind of server have, and others do not.

#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
mod by_returning {
    use std::pin::Pin;

    use diesel::QueryResult;
    use diesel::associations::Identifiable;
    use diesel::dsl::{Find, Update};
    use diesel::query_builder::{AsChangeset, AsQuery, IntoUpdateTarget, UpdateStatement};
    use diesel::query_dsl::methods::FindDsl;
    use diesel::query_source::Table;
    use diesel_async::methods::LoadQuery;
    use diesel_async::{RunQueryDsl, UpdateAndFetchResults};

    use crate::asynch::connection::AsyncCachingConnection;

    /// `save_changes`, where a write returns the row.
    macro_rules! saves_changes {
        ($connection:ty) => {
            impl<'b, Changes, Output, Tab, V> UpdateAndFetchResults<Changes, Output>
                for AsyncCachingConnection<$connection>
            where
                Output: Send + 'static,
                Changes: Copy + AsChangeset<Target = Tab> + Send + Identifiable<Table = Tab>,
                Tab: Table + FindDsl<Changes::Id> + 'b,
                Find<Tab, Changes::Id>: IntoUpdateTarget<Table = Tab, WhereClause = V>,
                UpdateStatement<Tab, V, Changes::Changeset>: AsQuery,
                Update<Changes, Changes>: LoadQuery<'b, Self, Output>,
                V: Send + 'b,
                Changes::Changeset: Send + 'b,
                Tab::FromClause: Send,
            {
                fn update_and_fetch<'conn, 'changes>(
                    &'conn mut self,
                    changes: Changes,
                ) -> Pin<Box<dyn Future<Output = QueryResult<Output>> + Send + 'changes>>
                where
                    Changes: 'changes,
                    Changes::Changeset: 'changes,
                    'conn: 'changes,
                    Self: 'changes,
                {
                    // Through us: it is a write.
                    Box::pin(async move { diesel::update(changes).set(changes).get_result(self).await })
                }
            }
        };
    }

    #[cfg(feature = "async-postgres")]
    saves_changes!(diesel_async::AsyncPgConnection);
    #[cfg(feature = "async-sqlite")]
    saves_changes!(diesel_async::sync_connection_wrapper::SyncConnectionWrapper<diesel::SqliteConnection>);
}

#[cfg(feature = "async-mysql")]
mod by_key {
    use std::pin::Pin;

    use diesel::QueryResult;
    use diesel::associations::{HasTable, Identifiable};
    use diesel::dsl::{Find, Update};
    use diesel::query_builder::{AsChangeset, AsQuery, IntoUpdateTarget, UpdateStatement};
    use diesel::query_dsl::methods::FindDsl;
    use diesel::query_source::Table;
    use diesel_async::methods::{ExecuteDsl, LoadQuery};
    use diesel_async::{AsyncMysqlConnection, RunQueryDsl, UpdateAndFetchResults};

    use crate::asynch::connection::AsyncCachingConnection;

    /// `save_changes`, where a row is read again by its key.
    impl<'b, Changes, Output, Tab, V> UpdateAndFetchResults<Changes, Output>
        for AsyncCachingConnection<AsyncMysqlConnection>
    where
        Output: Send + 'static,
        Changes: Copy + AsChangeset<Target = Tab> + Send + Identifiable<Table = Tab>,
        Tab: Table + FindDsl<Changes::Id> + HasTable<Table = Tab> + 'b,
        Find<Tab, Changes::Id>: IntoUpdateTarget<Table = Tab, WhereClause = V> + LoadQuery<'b, Self, Output> + Send,
        UpdateStatement<Tab, V, Changes::Changeset>: AsQuery,
        Update<Changes, Changes>: ExecuteDsl<Self>,
        V: Send + 'b,
        Changes::Changeset: Send + 'b,
        Changes::Id: 'b,
        Tab::FromClause: Send,
    {
        fn update_and_fetch<'conn, 'changes>(
            &'conn mut self,
            changes: Changes,
        ) -> Pin<Box<dyn Future<Output = QueryResult<Output>> + Send + 'changes>>
        where
            Changes: 'changes,
            Changes::Changeset: 'changes,
            'conn: 'changes,
            Self: 'changes,
        {
            Box::pin(async move {
                // Through us: it is a write.
                diesel::update(changes).set(changes).execute(self).await?;
                FindDsl::find(<Changes as HasTable>::table(), changes.id()).get_result(self).await
            })
        }
    }
}
