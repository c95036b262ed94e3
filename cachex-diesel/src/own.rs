//! What connections to one kind of server have, and others do not.

#[cfg(any(feature = "sqlite", feature = "mysql"))]
mod by_key {
    use diesel::associations::{HasTable, Identifiable};
    use diesel::dsl::{Find, Update};
    use diesel::expression::{MixedAggregates, ValidGrouping, is_aggregate};
    use diesel::query_builder::{AsChangeset, IntoUpdateTarget};
    use diesel::query_dsl::UpdateAndFetchResults;
    use diesel::query_dsl::methods::{ExecuteDsl, FindDsl, LoadQuery};
    use diesel::query_source::Table;
    use diesel::{QueryResult, RunQueryDsl};

    use crate::connection::CachingConnection;

    /// `save_changes`, where a row is read again by its key.
    macro_rules! saves_changes {
        ($connection:ty) => {
            impl<'b, Changes, Output> UpdateAndFetchResults<Changes, Output> for CachingConnection<$connection>
            where
                Changes: Copy + Identifiable + AsChangeset<Target = <Changes as HasTable>::Table> + IntoUpdateTarget,
                Changes::Table: FindDsl<Changes::Id>,
                Update<Changes, Changes>: ExecuteDsl<Self>,
                Find<Changes::Table, Changes::Id>: LoadQuery<'b, Self, Output>,
                <Changes::Table as Table>::AllColumns: ValidGrouping<()>,
                <<Changes::Table as Table>::AllColumns as ValidGrouping<()>>::IsAggregate:
                    MixedAggregates<is_aggregate::No, Output = is_aggregate::No>,
            {
                fn update_and_fetch(&mut self, changes: Changes) -> QueryResult<Output> {
                    // Through us: it is a write.
                    diesel::update(changes).set(changes).execute(self)?;
                    FindDsl::find(Changes::table(), changes.id()).get_result(self)
                }
            }
        };
    }

    #[cfg(feature = "sqlite")]
    saves_changes!(diesel::SqliteConnection);
    #[cfg(feature = "mysql")]
    saves_changes!(diesel::MysqlConnection);
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use diesel::connection::{AnsiTransactionManager, TransactionManager};
    use diesel::{QueryResult, SqliteConnection, result::Error};

    use crate::connection::CachingConnection;

    impl CachingConnection<SqliteConnection> {
        /// As [`SqliteConnection::immediate_transaction`].
        ///
        /// # Errors
        ///
        /// Those of the work, and of the transaction.
        ///
        /// # Examples
        ///
        /// ```
        /// use cachex::Cache;
        /// use cachex_diesel::DieselCache;
        /// use diesel::prelude::*;
        ///
        /// let db = DieselCache::builder(Cache::builder().build()?).build();
        /// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
        /// assert_eq!(connection.immediate_transaction(|_| diesel::QueryResult::Ok(1)), Ok(1));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        pub fn immediate_transaction<T, E: From<Error>>(
            &mut self,
            work: impl FnOnce(&mut Self) -> Result<T, E>,
        ) -> Result<T, E> {
            self.transaction_begun_by("BEGIN IMMEDIATE", work)
        }

        /// As [`SqliteConnection::exclusive_transaction`].
        ///
        /// # Errors
        ///
        /// Those of the work, and of the transaction.
        ///
        /// # Examples
        ///
        /// ```
        /// use cachex::Cache;
        /// use cachex_diesel::DieselCache;
        /// use diesel::prelude::*;
        ///
        /// let db = DieselCache::builder(Cache::builder().build()?).build();
        /// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
        /// assert_eq!(connection.exclusive_transaction(|_| diesel::QueryResult::Ok(1)), Ok(1));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        pub fn exclusive_transaction<T, E: From<Error>>(
            &mut self,
            work: impl FnOnce(&mut Self) -> Result<T, E>,
        ) -> Result<T, E> {
            self.transaction_begun_by("BEGIN EXCLUSIVE", work)
        }

        fn transaction_begun_by<T, E: From<Error>>(
            &mut self,
            begin: &str,
            work: impl FnOnce(&mut Self) -> Result<T, E>,
        ) -> Result<T, E> {
            AnsiTransactionManager::begin_transaction_sql(self, begin)?;
            let done = work(self);
            let ended: QueryResult<()> = match &done {
                Ok(_) => AnsiTransactionManager::commit_transaction(self),
                Err(_) => AnsiTransactionManager::rollback_transaction(self),
            };
            ended?;
            done
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::associations::HasTable;
    use diesel::dsl::Update;
    use diesel::expression::{MixedAggregates, ValidGrouping, is_aggregate};
    use diesel::pg::{CopyFromQuery, Pg, TransactionBuilder};
    use diesel::prelude::ExecuteCopyFromDsl;
    use diesel::query_builder::{AsChangeset, IntoUpdateTarget, QueryFragment};
    use diesel::query_dsl::UpdateAndFetchResults;
    use diesel::query_dsl::methods::LoadQuery;
    use diesel::query_source::Table;
    use diesel::{PgConnection, QueryResult, RunQueryDsl, result::Error};

    use crate::backend::sql;
    use crate::connection::CachingConnection;
    use crate::lex::Dialect;
    use crate::sent::Sent;
    use crate::track::Outcome;

    /// `COPY … FROM`, which runs on the connection within: it writes its table.
    impl<T, A> ExecuteCopyFromDsl<CachingConnection<PgConnection>> for CopyFromQuery<T, A>
    where
        Self: ExecuteCopyFromDsl<PgConnection, Error: From<Error>>,
        T: Table + Default + QueryFragment<Pg>,
    {
        type Error = <Self as ExecuteCopyFromDsl<PgConnection>>::Error;

        fn execute(
            self,
            connection: &mut CachingConnection<PgConnection>,
        ) -> Result<usize, <Self as ExecuteCopyFromDsl<PgConnection>>::Error> {
            // What Diesel sends can't be rendered without being sent. What it does is this.
            let text = format!("COPY {} FROM STDIN", sql::<Pg, T>(&T::default())?);
            let script = connection.state.script_of_text(&text, Dialect::Postgres)?;
            let depth = connection.depth();
            let CachingConnection { inner, state, .. } = connection;
            let mut sent = Sent::begin(state, script, depth)?;
            let done = self.execute(inner);
            // What went wrong may be of any type, and the connection may be lost.
            // Break this (say that it failed) and what the server commits then is told before it is done.
            if done.is_ok() {
                sent.note(Outcome::Done);
            }
            done
        }
    }

    impl<'b, Changes, Output> UpdateAndFetchResults<Changes, Output> for CachingConnection<PgConnection>
    where
        Changes: Copy + AsChangeset<Target = <Changes as HasTable>::Table> + IntoUpdateTarget,
        Update<Changes, Changes>: LoadQuery<'b, Self, Output>,
        <Changes::Table as Table>::AllColumns: ValidGrouping<()>,
        <<Changes::Table as Table>::AllColumns as ValidGrouping<()>>::IsAggregate:
            MixedAggregates<is_aggregate::No, Output = is_aggregate::No>,
    {
        fn update_and_fetch(&mut self, changes: Changes) -> QueryResult<Output> {
            diesel::update(changes).set(changes).get_result(self)
        }
    }

    impl CachingConnection<PgConnection> {
        /// As [`PgConnection::build_transaction`].
        ///
        /// # Examples
        ///
        /// ```no_run
        /// use cachex::Cache;
        /// use cachex_diesel::DieselCache;
        /// use diesel::prelude::*;
        ///
        /// let db = DieselCache::builder(Cache::builder().build()?).build();
        /// let mut connection = db.wrap(PgConnection::establish("postgres://localhost")?);
        /// let done = connection.build_transaction().serializable().run(|_| diesel::QueryResult::Ok(1));
        /// assert_eq!(done, Ok(1));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        pub fn build_transaction(&mut self) -> TransactionBuilder<'_, Self> {
            TransactionBuilder::new(self)
        }
    }
}
