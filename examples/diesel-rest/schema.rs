//! The tables: what Diesel is told of them, and how they are made.

diesel::table! {
    posts {
        id -> Integer,
        title -> Text,
        body -> Text,
        // How often it was edited.
        edits -> Integer,
    }
}

diesel::table! {
    // What a post was called after each edit.
    revisions (post_id, number) {
        post_id -> Integer,
        number -> Integer,
        title -> Text,
    }
}

diesel::joinable!(revisions -> posts (post_id));
diesel::allow_tables_to_appear_in_same_query!(posts, revisions);

/// Makes the tables of SQLite. No id is ever used again.
pub(crate) const SQLITE: &str = "
    CREATE TABLE IF NOT EXISTS posts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL,
        body TEXT NOT NULL,
        edits INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE IF NOT EXISTS revisions (
        post_id INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        title TEXT NOT NULL,
        PRIMARY KEY (post_id, number)
    );";

/// Makes the tables of PostgreSQL.
#[cfg(feature = "postgres")]
pub(crate) const POSTGRES: &str = "
    CREATE TABLE IF NOT EXISTS posts (
        id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        title TEXT NOT NULL,
        body TEXT NOT NULL,
        edits INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE IF NOT EXISTS revisions (
        post_id INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        title TEXT NOT NULL,
        PRIMARY KEY (post_id, number)
    );";

/// Removes the tables.
pub(crate) const REMOVE: &str = "DROP TABLE revisions; DROP TABLE posts";
