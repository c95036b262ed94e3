//! Rows of a table as names beside those of tables: so all that is done with what was written is done with them as well.
//!
//! `users` is any of its rows, `users\u{0}7` the one of this key, `users\u{0}` none that was there before. No table has such a name.

use std::collections::{BTreeMap, BTreeSet};

use cachex::{Tag, Tags};

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

/// Puts the table in the place of its rows, where these are more than are told one by one.
// Break this (leave them) and a transaction that writes thousands of rows takes as long for the commit as for all of them.
pub(crate) fn bound(names: &mut BTreeSet<Name>) {
    if names.len() <= MOST {
        return;
    }
    let mut rows: BTreeMap<Name, usize> = BTreeMap::new();
    for (table, _) in names.iter().filter_map(|name| name.split_once(BETWEEN)).filter(|(_, key)| !key.is_empty()) {
        *rows.entry(table.into()).or_default() += 1;
    }
    for (table, _) in rows.into_iter().filter(|(_, count)| *count > MOST) {
        names.retain(|name| !(apart(name).1.is_some() && apart(name).0 == &*table));
        names.insert(table);
    }
}

/// Has rows that were looked for by their keys depend on the whole table as well, where one was not found: it may be added.
// Break this (leave it out) and a row that was added stays unfound.
#[expect(clippy::ptr_arg, reason = "it is called with what was loaded, whatever that is")]
pub(crate) fn depend_on_table<U>(rows: &Vec<U>, tags: &mut Tags) {
    let (mut keys, mut of_tables) = (BTreeSet::new(), Vec::new());
    for tag in tags.iter().map(Tag::as_str) {
        let Some((table, key)) = tag.split_once(SIGN) else { continue };
        match key.strip_prefix(ANY) {
            Some(scope) => of_tables.push(format!("{table}{scope}")),
            // Each key has a tag in each of its scopes. What looks alike and is somebody's own makes them more at most.
            None => {
                let end = key.find(|sign: char| sign != '-' && !sign.is_ascii_digit()).unwrap_or(key.len());
                keys.insert((table.to_owned(), key[..end].to_owned()));
            }
        }
    }
    if rows.len() < keys.len() {
        of_tables.into_iter().for_each(|tag| tags.add(tag));
    }
}

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
        // Whatever the scope is called.
        for scope in ["*", "a@*", "#*", "7"] {
            let scoped = [format!("users#*@{scope}"), format!("users#7@{scope}")];
            let made = made(0, &[&scoped[0], &scoped[1]]);
            assert!(made.ends_with(&format!(" users@{scope}")), "{made}");
        }
        // One of the user's own is no reason to be content with less.
        assert_eq!(made(1, &["users#*", "users#7", "mine#1"]), "users#* users#7 mine#1 users");
        assert_eq!(made(0, &["mine@*", "users"]), "mine@* users");
    }

    #[test]
    fn more_rows_than_are_told_one_by_one_are_the_table() {
        let (users, posts): (Name, Name) = ("users".into(), "posts".into());
        let made = |count: i64| {
            let rows = (0..count).map(|key| of(&users, key));
            let mut names: BTreeSet<_> = rows.chain([of(&posts, 1), none_of(&posts), "likes".into()]).collect();
            bound(&mut names);
            names
        };
        let most = i64::try_from(MOST).unwrap();
        assert_eq!(made(most).len(), MOST + 3);
        assert_eq!(made(most + 1), ["likes".into(), none_of(&posts), of(&posts, 1), users.clone()].into());
    }
}
