//! What is refused of loaders: names that are taken or unknown, other types, and settings that can't be followed.

use std::io;

use cachex::{Cache, MethodSettings, cached};

use super::{Loader, SECOND, cache, call, registered};

#[cached(name = "loaders.annotated", ttl = "1m")]
fn annotated(id: u64) -> u64 {
    id
}

/// Checks what is said about a registration.
fn check_refused(cache: &Cache, settings: MethodSettings, expected: &str) {
    let error = Loader::default().register(cache, settings.clone()).expect_err("it is refused");
    assert!(error.is_configuration());
    assert_eq!(error.to_string(), expected, "{settings:?}");
    assert!(!cache.methods().iter().any(|method| method.name == "loaders.number"), "{settings:?}");
}

#[test]
fn a_name_can_be_taken_once() {
    let (cache, _, loader) = registered(MethodSettings::new());
    let error = loader.register(&cache, MethodSettings::new()).unwrap_err();
    assert!(error.is_configuration());
    assert_eq!(error.to_string(), "the name `loaders.number` is taken by another cached method");
    let load = |(id,): (u64,)| async move { Ok::<_, io::Error>(id) };
    let error = cache.register_loader("loaders.annotated", MethodSettings::new(), load).unwrap_err();
    assert_eq!(error.to_string(), "the name `loaders.annotated` is taken by another cached method");
    assert_eq!(annotated(1), 1);
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let (cache, _) = cache();
    check_refused(
        &cache,
        MethodSettings::new().ttl(SECOND).soft_ttl(2 * SECOND),
        "settings of `loaders.number`: `soft_ttl` must be shorter than `ttl` (1s); lower it, or remove it to disable staleness",
    );
}

#[test]
fn a_loader_has_no_negative_values() {
    let (cache, _) = cache();
    check_refused(
        &cache,
        MethodSettings::new().negative_ttl(SECOND),
        "settings of `loaders.number`: `negative_ttl` has no effect on a loader, whose value is never negative; remove it",
    );
}

#[test]
fn settings_from_the_configuration_are_checked_when_the_loader_is_there() {
    let configured = MethodSettings::new().soft_ttl(100 * SECOND).optional(true);
    let cache = Cache::builder().method("loaders.number", configured).build().unwrap();
    check_refused(
        &cache,
        MethodSettings::new().ttl(10 * SECOND),
        "settings of `loaders.number`: `soft_ttl` must be shorter than `ttl` (10s); lower it, or remove it to disable staleness",
    );
    Loader::default().register(&cache, MethodSettings::new().ttl(200 * SECOND)).unwrap();
    let of_loader = cache.methods().into_iter().find(|method| method.name == "loaders.number").unwrap();
    let policy = of_loader.policy;
    assert_eq!((policy.ttl, policy.soft_ttl), (Some(200 * SECOND), Some(100 * SECOND)));
    assert_eq!((of_loader.signature, of_loader.options), (String::new(), String::new()));
}

#[tokio::test]
async fn a_loader_is_called_with_its_own_types() {
    let (cache, _, loader) = registered(MethodSettings::new());
    let arguments = cache.call_cached::<u64>("loaders.number", (7_i32,)).await.unwrap_err();
    let value = cache.execute::<String>("loaders.number", (7_u64,)).await.unwrap_err();
    for (error, asked) in [(arguments, "`(i32,)` for `u64`"), (value, "`(u64,)` for `alloc::string::String`")] {
        assert!(error.is_type_mismatch());
        let says = format!("the loader `loaders.number` takes `(u64,)` and gives `u64`; it was called with {asked}");
        assert_eq!(error.to_string(), says);
    }
    assert_eq!(loader.loads(), 0);
}

#[tokio::test]
async fn an_unknown_name_is_told_with_the_nearest() {
    let (cache, _, _) = registered(MethodSettings::new());
    let error = cache.call_cached::<u64>("loaders.numbr", (7_u64,)).await.unwrap_err();
    assert!(error.is_unknown_method());
    let says = "there is no cached method `loaders.numbr`; the nearest name is `loaders.number`";
    assert_eq!(error.to_string(), says);
    assert_eq!(call(&cache).await.unwrap(), 1);
}

#[tokio::test]
async fn an_annotated_method_is_no_loader() {
    let (cache, _) = cache();
    let called = cache.call_cached::<u64>("loaders.annotated", (1_u64,)).await.unwrap_err();
    let executed = cache.execute::<u64>("loaders.annotated", (1_u64,)).await.unwrap_err();
    for error in [called, executed] {
        let says = "`loaders.annotated` is an annotated method and not a registered loader; call the method itself";
        assert_eq!(error.to_string(), says);
    }
}
