//! Which store is the second tier, and how each is set.

use cachex::{Cache, Settings, StoreKind};

use super::NOWHERE;

fn said(text: &str) -> String {
    Settings::from_toml_str(text).unwrap_err().to_string()
}

#[test]
fn the_store_is_the_one_that_is_named_or_that_has_a_section() {
    let file = "[file]\ndirectory = \"/d\"\n";
    let memcached = "[memcached]\nurl = \"memcached://localhost:1\"\n";
    let names = |text: &str| Settings::from_toml_str(text).unwrap().remote.store;
    assert_eq!(names(file), None);
    assert_eq!(names(&format!("remote.store = \"memcached\"\n{file}{memcached}")), Some(StoreKind::Memcached));
    assert_eq!(names("remote.store = \"null\""), Some(StoreKind::Null));
    let has_store = |text: &str| {
        let settings = Settings::from_toml_str(text).unwrap();
        Cache::builder().settings(settings).build().unwrap().remote_stats().is_some()
    };
    assert!(!has_store(""));
    assert!(has_store("remote.store = \"null\""));
    assert!(has_store(memcached));
}

#[test]
fn what_can_not_be_told_is_refused() {
    let both = "[file]\ndirectory = \"/d\"\n[redis]\nurl = \"redis://localhost:1\"\n";
    assert_eq!(
        said(both),
        "`remote.store` is missing, and there is `[redis]` and `[file]`; name the one to use, as in \"redis\""
    );
    assert_eq!(
        said("[remote]\nstore = \"file\""),
        "line 2: `remote.store` is \"file\", and there is no section `[file]`; add it"
    );
    assert_eq!(
        said("[remote]\nstore = \"files\""),
        "line 2: `remote.store` is not a store: `files`, did you mean \"file\"?"
    );
}

#[test]
fn modes_are_octal_text() {
    let mode = |text: &str| Settings::from_toml_str(&format!("[file]\ndirectory = \"/d\"\nfile_mode = {text}"));
    assert_eq!(mode("\"0640\"").unwrap().file.unwrap().file_mode, 0o640);
    let mend = "write its octal digits in quotes, for example \"0600\"";
    assert_eq!(
        mode("600").unwrap_err().to_string(),
        format!("line 3: `file.file_mode` is not the mode of a file: the number 600, {mend}")
    );
    assert_eq!(
        mode("\"0680\"").unwrap_err().to_string(),
        format!("line 3: `file.file_mode` is not the mode of a file: `0680`, {mend}")
    );
    assert_eq!(
        mode("\"0400\"").unwrap_err().to_string(),
        "line 3: `file.file_mode` keeps the program itself out; write for example \"0600\""
    );
}

#[test]
fn the_environment_sets_a_store() {
    let load = |variables: &[(&str, &str)]| Settings::load_from(NOWHERE.as_ref(), variables.iter().copied()).unwrap();
    let file = load(&[("CACHEX_FILE__DIRECTORY", "/d"), ("CACHEX_FILE__DIRECTORY_MODE", "0750")]).file.unwrap();
    assert_eq!((file.directory.to_str(), file.directory_mode), (Some("/d"), 0o750));
    let memcached = load(&[("CACHEX_MEMCACHED__URLS", "memcached://a, memcached://b:1")]).memcached.unwrap();
    assert_eq!(memcached.urls, ["memcached://a", "memcached://b:1"]);
    assert_eq!(load(&[("CACHEX_REMOTE__STORE", "null")]).remote.store, Some(StoreKind::Null));
}

#[test]
fn servers_and_folders_that_are_none_are_refused() {
    assert_eq!(
        said("[memcached]\nurls = \"memcached://a, memcached://a\""),
        "line 2: `memcached.urls` names a server twice; name each once"
    );
    assert_eq!(
        said("[file]\ndirectory = \"/d\"\nprefix = \"../up\""),
        "line 3: `file.prefix` is not the name of one folder; write for example \"cx\""
    );
    let settings = Settings::from_toml_str("[memcached]\nurl = \"redis://localhost\"").unwrap();
    let error = Cache::builder().settings(settings).build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`memcached.url` is not the address of a server; write for example \"memcached://localhost:11211\""
    );
}
