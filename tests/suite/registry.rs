//! What is known of every annotated method: names, rules, and entries by name.

use std::time::Duration;

use cachex::time::ManualClock;
use cachex::{
    Builder, Cache, CacheKey, CacheScope, EntryOptions, Error, Key, MethodSettings, Policy, Settings, Ttl, cached,
};

const SECOND: Duration = Duration::from_secs(1);
const PLACE: &str = "suite::registry::Registry";

#[derive(Clone, CacheScope)]
struct Registry {
    #[scope]
    tenant: u32,
    #[scope]
    region: String,
    #[scope(cache)]
    cache: Cache,
}

impl Registry {
    #[cached(ttl = "10s", grace = "1m", tags = ["registry:{id}"])]
    fn listed(&self, id: u64, name: &str) -> u64 {
        id + name.len() as u64
    }

    #[cached(ttl = "10s")]
    fn generic<T: CacheKey + ToString>(&self, id: T) -> String {
        id.to_string()
    }

    #[cached(name = "manual", ttl = "10s")]
    fn by_hand(&self, id: u64) -> u64 {
        id
    }

    #[cached(ttl = "10s")]
    async fn never_called(&self, id: u64) -> u64 {
        id
    }
}

fn builder() -> Builder {
    Cache::builder().clock(ManualClock::new()).reclaim_interval(3_600 * SECOND)
}

fn registry_in(cache: Cache) -> Registry {
    Registry { tenant: 1, region: "eu".to_owned(), cache }
}

fn registry() -> Registry {
    registry_in(builder().build().unwrap())
}

fn name(method: &str) -> String {
    format!("{PLACE}::{method}")
}

fn policy(cache: &Cache, name: &str) -> Policy {
    cache.methods().into_iter().find(|method| method.name == name).expect("it is listed").policy
}

#[test]
fn every_method_is_listed_without_having_been_called() {
    let cache = builder().build().unwrap();
    let methods = cache.methods();
    assert!(methods.is_sorted_by_key(|method| method.name.clone()));
    let find = |method: &str| methods.iter().find(|known| known.name == name(method)).expect("it is listed");
    let listed = find("listed");
    assert_eq!(listed.signature, "fn listed(&self, id: u64, name: &str) -> u64");
    assert_eq!(listed.options, "ttl = \"10s\", grace = \"1m\", tags = [\"registry:{id}\"]");
    assert!(listed.location.contains("registry.rs:"), "{}", listed.location);
    assert_eq!(listed.policy, Policy::new().ttl(10 * SECOND).grace(60 * SECOND));
    assert_eq!(listed.stats, cachex::Stats::default());
    assert!(find("never_called").signature.starts_with("async fn never_called("));
}

#[test]
fn an_entry_is_invalidated_by_name_scope_and_arguments() {
    let registry = registry();
    let invalidate = |arguments: (u32, &str, u64, &str)| {
        registry.cache.invalidate_method(&name("listed"), arguments).unwrap().wait()
    };
    registry.listed(1, "x");
    registry.listed(2, "x");
    for other in [(2, "eu", 1, "x"), (1, "us", 1, "x"), (1, "eu", 3, "x"), (1, "eu", 1, "y")] {
        assert!(!invalidate(other), "{other:?}");
    }
    assert!(invalidate((1, "eu", 1, "x")) && !invalidate((1, "eu", 1, "x")));
    assert_eq!((registry.cache.stats().entries, registry.cache.stats().removed), (1, 1));
}

#[test]
fn of_a_generic_method_all_instances_are_meant() {
    let registry = registry();
    let stats = || registry.cache.method_stats(&name("generic")).unwrap();
    let call = || (registry.generic(5_u32), registry.generic("five".to_owned()));
    assert_eq!((call(), registry.generic(5_u32)), (("5".to_owned(), "five".to_owned()), "5".to_owned()));
    assert_eq!((stats().entries, stats().hits, stats().misses), (2, 1, 2));
    assert!(registry.cache.invalidate_method(&name("generic"), (1_u32, "eu", 5_u32)).unwrap().wait());
    registry.cache.invalidate_method_all(&name("generic")).unwrap();
    assert_eq!(call(), ("5".to_owned(), "five".to_owned()));
    assert_eq!((stats().hits, stats().misses), (1, 4));
}

#[test]
fn only_an_entry_that_could_answer_counts_as_invalidated_by_name() {
    let clock = ManualClock::new();
    let registry = registry_in(builder().clock(clock.clone()).build().unwrap());
    let invalidate = || registry.cache.invalidate_method("manual", (1_u32, "eu", 1_u64)).unwrap().wait();
    registry.by_hand(1);
    clock.advance(10 * SECOND);
    assert!(!invalidate(), "it has expired");
    registry.by_hand(1);
    clock.advance(10 * SECOND);
    assert!(!registry.by_hand_remove(&1));
    registry.by_hand(1);
    registry.cache.clear();
    assert!(!invalidate(), "it was invalidated");
    registry.by_hand(1);
    assert!(invalidate());
    assert_eq!(registry.cache.stats().removed, 1);
}

#[test]
fn a_method_may_be_named_as_entries_by_hand() {
    let registry = registry();
    let blocking = registry.cache.blocking();
    let by_hand = Key::new("by hand");
    let set = || blocking.set(&by_hand, 1, &EntryOptions::new()).unwrap();
    set();
    registry.by_hand(1);
    assert_eq!(registry.cache.method_stats("manual").unwrap().entries, 1, "of the method only");
    registry.cache.invalidate_method_all("manual").unwrap();
    assert!(blocking.exists(&by_hand) && !blocking.exists(&registry.by_hand_key(&1)));
    registry.cache.set_method_config("manual", MethodSettings::new().ttl(3 * SECOND)).unwrap();
    set();
    registry.by_hand(1);
    assert_eq!(blocking.ttl_of(&by_hand), Some(Ttl::Never));
    assert_eq!(blocking.ttl_of(&registry.by_hand_key(&1)), Some(Ttl::Left(3 * SECOND)));
}

/// Checks what is said about a name that no method has.
fn check_unknown(wrong: &str, meant: Option<&str>) {
    let cache = builder().build().unwrap();
    let settings = MethodSettings::new();
    let errors: [Error; 4] = [
        cache.invalidate_method(wrong, ()).unwrap_err(),
        cache.invalidate_method_all(wrong).unwrap_err(),
        cache.method_stats(wrong).unwrap_err(),
        cache.set_method_config(wrong, settings.clone()).unwrap_err(),
    ];
    let hint = meant.map_or_else(String::new, |meant| format!("; the nearest name is `{meant}`"));
    for error in errors {
        assert!(error.is_unknown_method());
        assert_eq!(error.to_string(), format!("there is no cached method `{wrong}`{hint}"));
    }
    let error = builder().method(wrong, settings).build().unwrap_err();
    assert!(error.is_configuration());
    let hint = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
    let start = format!("settings of `{wrong}`: there is no such method{hint} (set `optional = true`");
    assert!(error.to_string().starts_with(&start), "{error}");
}

#[test]
fn a_name_that_is_unknown_is_told_with_the_one_that_is_meant() {
    check_unknown("Registry::never_called", Some(&name("never_called")));
    check_unknown("never_called", Some(&name("never_called")));
    check_unknown("suite::registry::Registry::never_caled", Some(&name("never_called")));
    check_unknown("there_is_nothing_of_the_kind", None);
}

#[test]
fn what_is_not_set_anew_stays_as_it_was_set() {
    let file = format!("[methods.\"{}\"]\nttl = \"20s\"\ngrace = \"2m\"\n", name("listed"));
    let settings = Settings::from_toml_str(&file).unwrap();
    let cache = builder().settings(settings).build().unwrap();
    let name = name("listed");
    let set = |settings| cache.set_method_config(&name, settings).unwrap();
    let configured = Policy::new().ttl(20 * SECOND).grace(120 * SECOND);
    assert_eq!(policy(&cache, &name), configured);
    set(MethodSettings::new().enabled(false));
    assert_eq!(policy(&cache, &name), configured.clone().enabled(false), "as the file says");
    set(MethodSettings::new().ttl(30 * SECOND));
    assert_eq!(policy(&cache, &name), configured.ttl(30 * SECOND).enabled(false), "as the call before");
}

#[test]
fn settings_that_are_refused_change_nothing() {
    let registry = registry();
    let (cache, name) = (&registry.cache, name("listed"));
    let before = policy(cache, &name);
    let refused = |settings: MethodSettings, says: &str| {
        let error = cache.set_method_config(&name, settings).unwrap_err();
        assert!(error.is_configuration());
        assert!(error.to_string().starts_with(&format!("settings of `{name}`: {says}")), "{error}");
    };
    refused(MethodSettings::new().timeout(SECOND), "`timeout` can only be changed where the annotation has one");
    refused(MethodSettings::new().soft_timeout(SECOND), "`soft_timeout` needs loads that can outlive their call");
    refused(MethodSettings::new().soft_ttl(20 * SECOND), "`soft_ttl` must be shorter than `ttl` (10s)");
    refused(MethodSettings::new().ttl(Duration::ZERO), "`ttl` is zero");
    refused(MethodSettings::new().ttl(Duration::MAX), "`ttl` is longer than 100 years");
    assert_eq!(policy(cache, &name), before);
    // What was refused is not there to contradict what comes later.
    cache.set_method_config(&name, MethodSettings::new().ttl(15 * SECOND)).unwrap();
    registry.listed(1, "x");
    assert_eq!(cache.blocking().ttl_of(&registry.listed_key(&1, "x")), Some(Ttl::Left(15 * SECOND)));
}

#[test]
fn defaults_stand_below_the_annotations() {
    let defaults = MethodSettings::new().ttl(99 * SECOND).grace(5 * SECOND).soft_ttl(20 * SECOND);
    let cache = builder().defaults(defaults).build().unwrap();
    assert_eq!(policy(&cache, &name("listed")), Policy::new().ttl(10 * SECOND).grace(60 * SECOND));
    assert_eq!(policy(&cache, &name("generic")), Policy::new().ttl(10 * SECOND).grace(5 * SECOND));
}
