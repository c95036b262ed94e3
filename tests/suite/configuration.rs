//! Settings from files and the environment: what is read, what counts more, and what is said about mistakes; in [`methods`], about
//! those against annotations, and in [`stores`], about which store there is.

mod methods;
mod stores;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cachex::{Cache, Eviction, Jitter, MemoryEngine, MethodSettings, Settings};
use proptest::prelude::*;
use proptest::sample::Index;

const NOWHERE: &str = "/there/is/no/such/directory";

/// A directory that is removed in the end.
struct Directory(PathBuf);

impl Directory {
    fn with(files: &[(&str, &str)]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("cachex-configuration-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        for (name, text) in files {
            fs::write(path.join(name), text).unwrap();
        }
        Self(path)
    }

    /// Loads what is here under these variables; the directory's own path is cut from messages.
    fn load(&self, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let settings = Settings::load_from(&self.0, variables.iter().copied());
        settings.map_err(|error| error.to_string().replace(&format!("{}/", self.0.display()), ""))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Checks what is said about a `cachex.toml`.
fn toml_says(text: &str, expected: &[&str]) {
    let error = Directory::with(&[("cachex.toml", text)]).load(&[]).expect_err(text);
    assert_eq!(error, expected.join("\n"), "{text}");
}

/// Checks what is said about a `cachex.yaml`.
fn yaml_says(text: &str, expected: &[&str]) {
    let error = Directory::with(&[("cachex.yaml", text)]).load(&[]).expect_err(text);
    assert_eq!(error, expected.join("\n"), "{text}");
}

/// Checks what is said about variables.
fn environment_says(variables: &[(&str, &str)], expected: &[&str]) {
    let error = Settings::load_from(Path::new(NOWHERE), variables.iter().copied()).unwrap_err();
    assert!(error.is_configuration());
    assert_eq!(error.to_string(), expected.join("\n"), "{variables:?}");
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn full() -> Settings {
    let mut settings = Settings::default();
    settings.namespace = "shop".to_owned();
    settings.memory.max_entries = 5_000;
    settings.memory.max_bytes = Some(256 << 20);
    settings.memory.engine = MemoryEngine::Moka;
    settings.memory.eviction = Some(Eviction::Lru);
    settings.memory.reclaim_interval = Duration::from_millis(500);
    settings.defaults = MethodSettings::new().ttl(seconds(300)).jitter(Jitter::Share(0.1));
    let find = MethodSettings::new().ttl(seconds(600)).tti(seconds(60)).soft_ttl(seconds(540)).grace(seconds(3600));
    let find = find.negative_ttl(seconds(5)).timeout(seconds(2)).soft_timeout(Duration::from_millis(50));
    let find = find.single_flight(false).enabled(true).optional(true).jitter(Jitter::Span(seconds(30)));
    settings.methods.insert("shop::Users::find".to_owned(), find);
    settings.methods.insert("search".to_owned(), MethodSettings::new().refresh_ahead(seconds(10)));
    settings
}

const FULL_TOML: &str = r#"
namespace = "shop"
[memory]
max_entries = 5_000
max_bytes = "256MiB"
engine = "moka"
eviction = "lru"
reclaim_interval = "500ms"
[defaults]
ttl = "5m"
jitter = "10%"
[methods."shop::Users::find"]
ttl = "10m"
tti = "1m"
soft_ttl = "9m"
grace = "1h"
negative_ttl = "5s"
timeout = "2s"
soft_timeout = "50ms"
single_flight = false
enabled = true
optional = true
jitter = "30s"
[methods]
search.refresh_ahead = "10s"
"#;

const FULL_YAML: &str = r#"
namespace: shop
memory:
  max_entries: 5_000
  max_bytes: 256MiB
  engine: moka
  eviction: lru
  reclaim_interval: "500ms"
defaults: { ttl: 5m, jitter: 10% }
methods:
  shop::Users::find:
    ttl: 10m
    tti: 1m
    soft_ttl: 9m
    grace: 1h
    negative_ttl: 5s
    timeout: 2s
    soft_timeout: 50ms
    single_flight: false
    enabled: true
    optional: true
    jitter: 30s
  search:
    refresh_ahead: 10s
"#;

const FULL_ENVIRONMENT: [(&str, &str); 20] = [
    ("CACHEX_NAMESPACE", "shop"),
    ("CACHEX_MEMORY__MAX_ENTRIES", "5000"),
    ("CACHEX_MEMORY__MAX_BYTES", "256MiB"),
    ("CACHEX_MEMORY__ENGINE", "moka"),
    ("CACHEX_MEMORY__EVICTION", "lru"),
    ("CACHEX_MEMORY__RECLAIM_INTERVAL", "500ms"),
    ("CACHEX_DEFAULTS__TTL", "5m"),
    ("CACHEX_DEFAULTS__JITTER", "10%"),
    ("CACHEX_METHODS__shop::Users::find__TTL", "10m"),
    ("CACHEX_METHODS__shop::Users::find__TTI", "1m"),
    ("CACHEX_METHODS__shop::Users::find__SOFT_TTL", "9m"),
    ("CACHEX_METHODS__shop::Users::find__GRACE", "1h"),
    ("CACHEX_METHODS__shop::Users::find__NEGATIVE_TTL", "5s"),
    ("CACHEX_METHODS__shop::Users::find__TIMEOUT", "2s"),
    ("CACHEX_METHODS__shop::Users::find__SOFT_TIMEOUT", "50ms"),
    ("CACHEX_METHODS__shop::Users::find__SINGLE_FLIGHT", "false"),
    ("CACHEX_METHODS__shop::Users::find__ENABLED", "true"),
    ("CACHEX_METHODS__shop::Users::find__OPTIONAL", "true"),
    ("CACHEX_METHODS__shop::Users::find__JITTER", "30s"),
    ("CACHEX_METHODS__search__REFRESH_AHEAD", "10s"),
];

#[test]
fn nothing_at_all_is_the_default() {
    assert_eq!(Directory::with(&[]).load(&[]), Ok(Settings::default()));
    assert_eq!(Settings::from_toml_str("").unwrap(), Settings::default());
    assert_eq!(Settings::from_yaml_str("# nothing\n").unwrap(), Settings::default());
    assert_eq!(Settings::from_yaml_str("memory:\nmethods: ~\n").unwrap(), Settings::default());
}

#[test]
fn every_source_can_say_everything() {
    assert_eq!(Settings::from_toml_str(FULL_TOML).unwrap(), full());
    assert_eq!(Settings::from_yaml_str(FULL_YAML).unwrap(), full());
    assert_eq!(Settings::load_from(Path::new(NOWHERE), FULL_ENVIRONMENT).unwrap(), full());
}

#[test]
fn settings_may_be_a_part_of_a_larger_configuration() {
    #[derive(serde::Deserialize)]
    struct Program {
        cache: Settings,
    }
    let text = r#"{ "cache": { "memory": { "max_entries": 5, "max_bytes": null }, "defaults": { "ttl": "5m" } } }"#;
    let program: Program = serde_json::from_str(text).unwrap();
    assert_eq!(program.cache.memory.max_entries, 5);
    assert_eq!(program.cache.defaults.ttl, Some(seconds(300)));
    let error = serde_json::from_str::<Settings>(r#"{ "memory": { "max_entrys": 5 } }"#).err().unwrap();
    assert!(error.to_string().starts_with("unknown key `memory.max_entrys`; did you mean `memory.max_entries`?"));
}

#[test]
fn the_environment_counts_more_than_the_file() {
    let directory = Directory::with(&[("cachex.toml", FULL_TOML)]);
    let changed = [("CACHEX_MEMORY__MAX_ENTRIES", "7"), ("CACHEX_METHODS__shop::Users::find__TTL", "11m")];
    let mut expected = full();
    expected.memory.max_entries = 7;
    expected.methods.get_mut("shop::Users::find").unwrap().ttl = Some(seconds(660));
    assert_eq!(directory.load(&changed), Ok(expected));
}

#[test]
fn an_empty_variable_unsets_what_the_file_says() {
    let directory = Directory::with(&[("cachex.toml", FULL_TOML)]);
    let mut expected = full();
    expected.defaults.jitter = None;
    expected.memory.max_bytes = None;
    assert_eq!(directory.load(&[("CACHEX_DEFAULTS__JITTER", ""), ("CACHEX_MEMORY__MAX_BYTES", "")]), Ok(expected));
}

#[test]
fn other_variables_are_left_alone() {
    let variables = [("PATH", "/bin"), ("CACHEX_MACROS_DEBUG", "*"), ("CACHEX_CONFIG", "")];
    assert_eq!(Settings::load_from(Path::new(NOWHERE), variables).unwrap(), Settings::default());
}

#[test]
fn a_variable_names_the_file() {
    let directory = Directory::with(&[("cachex.toml", "namespace = \"a\""), ("other.yml", "namespace: b")]);
    assert_eq!(directory.load(&[]).unwrap().namespace, "a");
    assert_eq!(directory.load(&[("CACHEX_CONFIG", "other.yml")]).unwrap().namespace, "b");
}

#[test]
fn a_named_file_must_be_there() {
    let error = Directory::with(&[]).load(&[("CACHEX_CONFIG", "gone.toml")]).unwrap_err();
    assert!(error.starts_with("gone.toml: the file of settings can't be read ("), "{error}");
    assert!(error.ends_with("); correct its path or its rights"), "{error}");
}

#[test]
fn of_two_files_none_is_preferred() {
    let error = Directory::with(&[("cachex.toml", ""), ("cachex.yaml", "")]).load(&[]).unwrap_err();
    let expected = "there is `cachex.toml` and `cachex.yaml`; remove one, or name the one to read in `CACHEX_CONFIG`";
    assert_eq!(error, expected);
}

#[test]
fn an_unknown_key_is_shown_with_the_nearest_name() {
    let unknown = "cachex.toml:2: unknown key `memory.max_entrys`; did you mean `memory.max_entries`?";
    toml_says("[memory]\nmax_entrys = 5\n", &[unknown]);
    toml_says("[memroy]\n", &["cachex.toml:1: unknown key `memroy`; did you mean `memory`?"]);
    toml_says("max_entries = 5\n", &["cachex.toml:1: unknown key `max_entries`; did you mean `memory.max_entries`?"]);
    toml_says("[memory]\nttl = \"5m\"\n", &["cachex.toml:2: unknown key `memory.ttl`; did you mean `defaults.ttl`?"]);
    toml_says("colour = \"red\"\n", &["cachex.toml:1: unknown key `colour`; remove it"]);
    let method = r#"cachex.toml:2: unknown key `methods."shop::find".tttl`; did you mean `methods."shop::find".ttl`?"#;
    toml_says("[methods.\"shop::find\"]\ntttl = \"5m\"\n", &[method]);
    yaml_says("memory:\n  max_entrys: 5\n", &[&unknown.replace("toml", "yaml")]);
    let variable = "CACHEX_MEMORY__MAX_ENTRYS: unknown key `memory.max_entrys`; did you mean `memory.max_entries`?";
    environment_says(&[("CACHEX_MEMORY__MAX_ENTRYS", "5")], &[variable]);
}

#[test]
fn a_bad_value_says_what_to_write() {
    toml_says(
        "[methods.\"shop::find\"]\n\nttl = 300\n",
        &[r#"cachex.toml:3: `methods."shop::find".ttl` is not a duration: 300 has no unit, write for example "300s""#],
    );
    toml_says(
        "[memory]\neviction = \"lru2\"\n",
        &["cachex.toml:2: `memory.eviction` is not an eviction policy: `lru2`, did you mean \"lru\"?"],
    );
    toml_says(
        "[memory]\nengine = \"mokka\"\n",
        &["cachex.toml:2: `memory.engine` is not a memory engine: `mokka`, did you mean \"moka\"?"],
    );
    toml_says(
        "[memory]\nmax_entries = 1.5\nmax_bytes = \"big\"\n",
        &[
            "cachex.toml:2: `memory.max_entries` is not a number: a number with a fraction, write for example 100_000",
            "cachex.toml:3: `memory.max_bytes` is not a size: `big`, write for example \"256MiB\"",
        ],
    );
    toml_says(
        "memory = 5\n",
        &["cachex.toml:1: `memory` is not a table of settings: the number 5; write its keys under it"],
    );
    toml_says(
        "methods.find = 5\n",
        &["cachex.toml:1: `methods.find` is not a table of settings: the number 5; write its keys under it"],
    );
    environment_says(
        &[("CACHEX_METHODS__shop::Users::find", "5m")],
        &[
            "CACHEX_METHODS__shop::Users::find: `methods.\"shop::Users::find\"` is not a table of settings: `5m`; write \
           its keys under it",
        ],
    );
    environment_says(
        &[("CACHEX_METHODS__find__ENABLED", "yes")],
        &["CACHEX_METHODS__find__ENABLED: `methods.find.enabled` is not true or false: `yes`, write `true` or `false`"],
    );
}

#[test]
fn a_ttl_beyond_the_end_of_time_is_refused() {
    let long = "cachex.toml:1: `defaults.ttl` is longer than 100 years; shorten it, or remove it";
    toml_says("defaults.ttl = \"1000000years\"\n", &[long]);
    let error = Settings::from_toml_str("defaults.ttl = \"99999999999999999999years\"").unwrap_err();
    assert!(error.to_string().starts_with("line 1: `defaults.ttl` is not a duration: "), "{error}");
    assert!(Settings::from_toml_str("defaults.ttl = \"100years\"").is_ok());
}

#[test]
fn zero_capacity_is_refused() {
    let entries = "cachex.toml:2: `memory.max_entries` is 0; a memory tier keeps at least one entry";
    let bytes =
        "cachex.toml:3: `memory.max_bytes` is 0; write for example \"256MiB\", or remove it to have no such bound";
    toml_says("[memory]\nmax_entries = 0\nmax_bytes = 0\n", &[entries, bytes]);
    let too_large = "`memory.max_entries` is too large; a memory tier keeps at most 4294967295 entries";
    environment_says(
        &[("CACHEX_MEMORY__MAX_ENTRIES", "4294967296")],
        &[&format!("CACHEX_MEMORY__MAX_ENTRIES: {too_large}")],
    );
}

#[test]
fn a_policy_that_the_engine_does_not_have_is_refused_with_the_nearest() {
    let lacks = |eviction: &str, nearest: &str| {
        let text = format!("[memory]\neviction = \"{eviction}\"\nengine = \"moka\"\n");
        let place = "cachex.toml:2: `memory.eviction`";
        let what = format!("is \"{eviction}\", which the engine \"moka\" does not have; write \"{nearest}\"");
        toml_says(&text, &[&format!("{place} {what}")]);
    };
    for (eviction, nearest) in [("s3-fifo", "lfu"), ("sieve", "lfu"), ("random", "lfu"), ("fifo", "lru")] {
        lacks(eviction, nearest);
    }
    for eviction in ["", "eviction = \"lfu\"", "eviction = \"lru\""] {
        let settings = Settings::from_toml_str(&format!("[memory]\nengine = \"moka\"\n{eviction}\n")).unwrap();
        assert!(Cache::builder().settings(settings).build().is_ok(), "{eviction}");
    }
    let built = Cache::builder().memory_engine(MemoryEngine::Moka).eviction(Eviction::Sieve).build();
    let message = "`memory.eviction` is \"sieve\", which the engine \"moka\" does not have; write \"lfu\"";
    assert_eq!(built.unwrap_err().to_string(), message);
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let mend = "must be shorter than `ttl` (5m); lower it, or remove it to disable staleness";
    toml_says(
        "[defaults]\nttl = \"5m\"\nsoft_ttl = \"5m\"\n",
        &[&format!("cachex.toml:3: `defaults.soft_ttl` {mend}")],
    );
    // The message names where the mistake stands, also when the other half stands elsewhere.
    let directory = Directory::with(&[("cachex.toml", "[defaults]\nttl = \"5m\"\n")]);
    let error = directory.load(&[("CACHEX_DEFAULTS__SOFT_TTL", "10m")]).unwrap_err();
    assert_eq!(error, format!("CACHEX_DEFAULTS__SOFT_TTL: `defaults.soft_ttl` {mend}"));
    // The annotation may have the grace.
    assert!(Settings::from_toml_str("methods.find.soft_timeout = \"50ms\"").is_ok());
}

#[test]
fn all_mistakes_are_reported_in_the_order_of_the_lines() {
    toml_says(
        "namespace = \"\"\nmemroy = 1\n[defaults]\nttl = \"never\"\noptional = true\ntimeout = \"1s\"\n\
         [memory]\nmax_entries = 0\n",
        &[
            "cachex.toml:1: `namespace` is empty; write for example \"shop\"",
            "cachex.toml:2: unknown key `memroy`; did you mean `memory`?",
            "cachex.toml:4: `defaults.ttl` is not a duration: `never` (expected number at 0), write for example \"5m\"",
            "cachex.toml:5: `defaults.optional` has no effect here; set it at a method",
            "cachex.toml:6: `defaults.timeout` can't be a default, because a method must be able to return the error; set \
             it at a method whose annotation has `timeout`",
            "cachex.toml:8: `memory.max_entries` is 0; a memory tier keeps at least one entry",
        ],
    );
}

#[test]
fn what_is_no_toml_is_shown_with_its_line() {
    let error = Directory::with(&[("cachex.toml", "[memory]\nmax_entries = = 5\n")]).load(&[]).unwrap_err();
    assert!(error.starts_with("cachex.toml:2: is not TOML here: "), "{error}");
    let error = Settings::from_toml_str("namespace = \"a\"\nnamespace = \"b\"").unwrap_err().to_string();
    assert!(error.starts_with("line 2: is not TOML here: duplicate key"), "{error}");
}

#[test]
fn what_is_no_yaml_is_shown_with_its_line() {
    let error = Directory::with(&[("cachex.yaml", "memory:\n  max_entries: [5\n")]).load(&[]).unwrap_err();
    assert!(error.starts_with("cachex.yaml:"), "{error}");
    assert!(error.contains(": is not YAML here: "), "{error}");
    yaml_says("namespace: a\nnamespace: b\n", &["cachex.yaml:2: gives `namespace` twice; remove one"]);
    yaml_says("namespace: &a b\n", &["cachex.yaml:1: has an anchor; write the value where it is used"]);
    yaml_says("namespace: !!str b\n", &["cachex.yaml:1: has a tag; remove it"]);
    yaml_says("--- \nnamespace: a\n---\nnamespace: b\n", &["cachex.yaml:4: is a second document; write one document"]);
    yaml_says("- a\n- b\n", &["cachex.yaml: is not a table of settings: a list; write for example `namespace: shop`"]);
    yaml_says(
        "memory: [1, 2]\n",
        &["cachex.yaml:1: `memory` is not a table of settings: a list; write its keys under it"],
    );
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let yaml = format!("memory: {}", "[".repeat(100_000));
    assert!(Settings::from_yaml_str(&yaml).unwrap_err().is_configuration());
    let closed = format!("memory: {}{}", "[".repeat(40), "]".repeat(40));
    assert!(Settings::from_yaml_str(&closed).unwrap_err().is_configuration());
    let toml = format!("memory = {}", "[".repeat(100_000));
    assert!(Settings::from_toml_str(&toml).unwrap_err().is_configuration());
}

const TOML: &str = "\
[memory]
max_entries = 1_000
max_bytes = \"64MiB\"
[defaults]
ttl = \"10m\"
soft_ttl = \"5m\"
jitter = \"10%\"
[methods.\"users::find\"]
ttl = \"1h\" # longer
enabled = true
[remote]
lease = \"5s\"
codec = \"postcard\"
[redis]
url = \"redis://localhost:6379/1\"
connections = 2
";

const YAML: &str = "\
memory:
  max_entries: 1000
defaults:
  ttl: 10m
  soft_ttl: 5m
methods:
  users::find: { ttl: 1h, enabled: true }
  \"other\": { ttl: 2m }
remote:
  lease: 5s
redis:
  url: 'redis://localhost:6379/1'
  connections: 2
";

/// Which part is taken out, and where it, or something else, is put in.
fn alteration() -> impl Strategy<Value = (Index, Index, Index, Option<&'static str>)> {
    let odd = [
        "18446744073709551616",
        "-1",
        "1e400",
        "0",
        "\0",
        "\u{feff}",
        "[",
        "{",
        "\"",
        "'''",
        "&some",
        "*some",
        "<<: ",
        "!!int ",
        "\n---\n",
        "= ",
        ": ",
        "\r\n",
        "\t",
        "#",
        "999999999999y",
        "nan",
        "..",
        "é",
    ];
    let put = proptest::option::of(proptest::sample::select(odd.to_vec()));
    (any::<Index>(), any::<Index>(), any::<Index>(), put)
}

#[test]
fn what_is_altered_is_read_as_it_was() {
    for read in [Settings::from_toml_str(TOML), Settings::from_yaml_str(YAML)] {
        let settings = read.unwrap();
        assert_eq!(settings.memory.max_entries, 1_000);
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in "([a-z_.\\[\\]{}:=\"'&*! \n0-9-]|ttl|memory|methods){0,60}") {
        for result in [Settings::from_toml_str(&text), Settings::from_yaml_str(&text)] {
            if let Err(error) = result {
                prop_assert!(error.is_configuration());
            }
        }
    }

    /// What somebody wrote, with some of its parts somewhere else, or something else in their place.
    #[test]
    fn no_altered_file_makes_a_reader_panic(is_yaml: bool, how in proptest::collection::vec(alteration(), 1..5)) {
        let mut text: Vec<char> = if is_yaml { YAML } else { TOML }.chars().collect();
        for (from, to, at, put) in how {
            let (from, to) = (from.index(text.len()), to.index(text.len()));
            let part: Vec<_> = text.drain(from.min(to)..from.max(to).min(from.min(to) + 20)).collect();
            let at = at.index(text.len());
            text.splice(at..at, put.map_or(part, |put| put.chars().collect()));
        }
        let text: String = text.into_iter().collect();
        let read = if is_yaml { Settings::from_yaml_str(&text) } else { Settings::from_toml_str(&text) };
        match read {
            Ok(settings) => prop_assert!(settings.check().is_ok(), "{}", text),
            Err(error) => prop_assert!(error.is_configuration(), "{}", text),
        }
    }

    #[test]
    fn what_is_read_passes_its_own_check(ttl in 0_u64..9, soft in 0_u64..9, entries in 0_u64..3) {
        let text = format!(
            "memory.max_entries = {entries}\n[defaults]\nttl = \"{ttl}s\"\nsoft_ttl = \"{soft}s\"\n"
        );
        let makes_sense = entries > 0 && ttl > 0 && soft > 0 && soft < ttl;
        let read = Settings::from_toml_str(&text);
        prop_assert_eq!(read.is_ok(), makes_sense, "{}", text);
        if let Ok(settings) = read {
            prop_assert!(settings.check().is_ok());
        }
    }
}

#[test]
fn a_method_that_does_not_exist_is_shown_with_its_line() {
    let directory = Directory::with(&[("cachex.toml", "\n[methods.no_such]\nttl = \"5m\"\n[methods.nor_this]\n")]);
    let settings = directory.load(&[("CACHEX_METHODS__from_outside__TTL", "5m")]).unwrap();
    let error = Cache::builder().settings(settings.clone()).build().unwrap_err();
    assert!(error.is_configuration());
    let error = error.to_string().replace(&format!("{}/", directory.0.display()), "");
    let starts: Vec<_> = error.lines().filter_map(|line| line.split_once(" (set")).map(|(start, _)| start).collect();
    let expected = [
        "CACHEX_METHODS__from_outside__TTL: settings of `from_outside`: there is no such method",
        "cachex.toml:2: settings of `no_such`: there is no such method",
        "cachex.toml:4: settings of `nor_this`: there is no such method",
    ];
    assert_eq!(starts, expected);

    let mut optional = settings;
    for method in optional.methods.values_mut() {
        method.optional = true;
    }
    assert!(Cache::builder().settings(optional).build().is_ok());
}

#[test]
fn a_cache_is_made_as_a_file_says() {
    let directory = Directory::with(&[("shop.yaml", "namespace: shop\n")]);
    let cache = Cache::from_config(directory.0.join("shop.yaml")).unwrap();
    assert_eq!(cache.namespace(), "shop");
    assert!(Cache::from_config(directory.0.join("gone.yaml")).unwrap_err().is_configuration());
}
