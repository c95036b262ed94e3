//! Rows of a table as names beside those of tables: so all that is done with what was written is done with them as well.
//!
//! `users` is any of its rows, `users\u{0}7` the one of this key, `users\u{0}` none that was there before. No table has such a name.

use cachex::Tags;

use crate::lex::Name;

const BETWEEN: char = '\0';
/// Between the name of a table and the key in the tag of a row.
pub(crate) const SIGN: char = '#';
/// What stands for any key in a tag.
pub(crate) const ANY: &str = "*";
/// If there are more, it may be any.
pub(crate) const MOST: usize = 64;

/// Returns the row of a key.
pub(crate) fn of(table: &Name, key: i64) -> Name {
    format!("{table}{BETWEEN}{key}").into()
}

/// Returns what is written where rows are added only.
pub(crate) fn none_of(table: &Name) -> Name {
    format!("{table}{BETWEEN}").into()
}

/// Returns the table of a name, and the key, which is empty where rows are added only.
pub(crate) fn apart(name: &str) -> (&str, Option<&str>) {
    name.split_once(BETWEEN).map_or((name, None), |(table, key)| (table, Some(key)))
}

/// Has rows that were looked for by their keys depend on the whole table as well, where one was not found: it may be added.
///
/// The tags say how many there were: one for each key in each scope, and one for any key.
// Break this (leave it out) and a row that was added stays unfound.
pub(crate) fn depend_on_table<U>(rows: &Vec<U>, tags: &mut Tags) {
    let is_of_row = |tag: &&str| tag.contains(SIGN) && !tag.contains(ANY_KEY) && !tag.ends_with(IN_ANY_SCOPE);
    // Tags of users that look alike make them more at most.
    let keys = tags.iter().map(|tag| tag.as_str()).filter(is_of_row).count();
    if rows.len() < keys {
        let of_any = tags.iter().map(|tag| tag.as_str()).filter(|tag| tag.contains(ANY_KEY));
        let of_tables: Vec<_> = of_any.map(|tag| tag.replace(ANY_KEY, "")).collect();
        of_tables.into_iter().for_each(|tag| tags.add(tag));
    }
}

const ANY_KEY: &str = "#*";
const IN_ANY_SCOPE: &str = "@*";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_found_depends_on_the_whole_table() {
        let made = |rows: usize, tags: &[&str]| {
            let mut tags: Tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            depend_on_table(&vec![(); rows], &mut tags);
            tags.iter().map(|tag| tag.as_str().to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(made(1, &["db/*", "db/users#*", "db/users#7"]), "db/* db/users#* db/users#7");
        assert_eq!(made(0, &["users#*", "users#7"]), "users#* users#7 users");
        assert_eq!(made(1, &["users#*", "users#7", "users#8"]), "users#* users#7 users#8 users");
        let scoped = ["users#*@a", "users#*@*", "users#7@a", "users#7@*"];
        assert_eq!(made(1, &scoped), scoped.join(" "));
        assert_eq!(made(0, &scoped), format!("{} users@a users@*", scoped.join(" ")));
        // One of the user's own is no reason to be content with less.
        assert_eq!(made(1, &["users#*", "users#7", "mine#1"]), "users#* users#7 mine#1 users");
        assert_eq!(made(0, &["mine@*", "users"]), "mine@* users");
    }
}
