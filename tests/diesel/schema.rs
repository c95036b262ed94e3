//! The tables of all tests.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

diesel::table! {
    users {
        id -> Integer,
        name -> Text,
        age -> Nullable<Integer>,
    }
}

diesel::table! {
    posts {
        id -> Integer,
        user_id -> Integer,
        title -> Text,
    }
}

diesel::joinable!(posts -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(users, posts);

#[derive(
    AsChangeset,
    Clone,
    Debug,
    Deserialize,
    Identifiable,
    Insertable,
    PartialEq,
    Queryable,
    QueryableByName,
    Selectable,
    Serialize,
)]
#[diesel(table_name = users)]
pub(crate) struct User {
    pub(crate) id: i32,
    pub(crate) name: String,
    pub(crate) age: Option<i32>,
}

pub(crate) fn user(id: i32, name: &str) -> User {
    User { id, name: name.to_owned(), age: None }
}

pub(crate) const TABLES: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT 'nobody', age INTEGER);
    CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, title TEXT NOT NULL);
";
