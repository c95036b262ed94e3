//! Every public item of `cachex` has an example that compiles (rustdoc sees to that) and shows its result (this test
//! does).

mod examples;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use examples::{Checked, check_file, exported};

fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../cachex/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    files
}

/// Returns what is public: what `lib.rs` exports, by itself and in its public modules.
fn public_names(files: &[PathBuf]) -> BTreeSet<String> {
    let root = files.iter().find(|file| file.ends_with("src/lib.rs")).unwrap();
    let (mut names, modules) = exported(&fs::read_to_string(root).unwrap());
    for module in modules {
        let is_it = |file: &&PathBuf| {
            file.ends_with(format!("src/{module}.rs")) || file.ends_with(format!("src/{module}/mod.rs"))
        };
        let file = files.iter().find(is_it).unwrap();
        names.extend(exported(&fs::read_to_string(file).unwrap()).0);
    }
    names
}

#[test]
fn every_public_item_shows_its_result() {
    let files = files();
    let names = public_names(&files);
    let mut all = Checked::default();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        all.add(&file.display().to_string(), check_file(&text, &names));
    }
    for item in ["Cache", "Cache::get", "Blocking::set", "Clock::now", "Timestamp::NEVER", "install", "$name"] {
        assert!(all.seen.iter().any(|seen| seen == item), "the scan misses `{item}`");
    }
    assert!(
        all.without.is_empty(),
        "these have no example with an assertion in their documentation; add one:\n{}",
        all.without.join("\n")
    );
}

fn check(text: &str, expected: &[&str]) {
    let names = ["Shop", "Till", "open"].map(str::to_owned).into();
    assert_eq!(check_file(text, &names).without, expected, "{text}");
}

const EXAMPLE: &str = "/// Does.\n/// ```\n/// assert!(true);\n/// ```\n";

#[test]
fn an_item_without_an_example_is_found() {
    check("/// Does.\npub fn open() {}", &["open"]);
    check("/// Does.\n/// ```\n/// cachex::open();\n/// ```\npub fn open() {}", &["open"]);
    check("/// Does: assert it.\npub struct Shop;", &["Shop"]);
    check(&format!("{EXAMPLE}pub fn open() {{}}"), &[]);
}

#[test]
fn members_are_items_where_their_type_is_public() {
    check("impl Shop { pub fn sell(&self) {} fn own(&self) {} pub(crate) fn ours(&self) {} }", &["Shop::sell"]);
    check("impl<T> Shop<T> { pub const NAME: &str = \"\"; }", &["Shop::NAME"]);
    check(&format!("{EXAMPLE}pub trait Till {{ fn ring(&self); }}"), &["Till::ring"]);
    let shown =
        "/// Does.\n/// ```\n/// assert!(till.ring());\n/// ```\npub trait Till { fn ring(&self); fn open(&self); }";
    check(shown, &["Till::open"]);
    check("impl Hidden { pub fn sell(&self) {} }", &[]);
    check("impl Till for Shop { fn ring(&self) {} }", &[]);
    check("#[doc(hidden)] pub struct Shop; impl Shop { #[doc(hidden)] pub fn sell(&self) {} }", &[]);
}

#[test]
fn setters_made_by_a_macro_are_items() {
    let rules = |docs: &str| {
        format!("macro_rules! m {{ ($($n:ident)*) => {{$( {docs} #[must_use] pub const fn $n(self) {{}} )*}} }}")
    };
    check(&rules("/// Does.\n"), &["$n"]);
    check(&rules("/// ```\n#[doc = concat!(\"assert!(\", stringify!($n), \");\")]\n/// ```\n"), &[]);
}
