//! Settings of methods against their annotations: every mistake is shown where it is written.

use cachex::{Cache, Codec, MethodSettings, Tiers, cached};

use super::{Directory, seconds};

#[cached(name = "configured.plain", ttl = "10s")]
fn plain(id: u64) -> u64 {
    id
}

#[cached(name = "configured.soft", ttl = "10m", soft_ttl = "1m")]
fn soft(id: u64) -> u64 {
    id
}

#[cached(name = "configured.local", ttl = "10m", local)]
fn local(id: u64) -> u64 {
    id
}

const NO_TIMEOUT: &str = "settings of `configured.plain`: `timeout` can only be changed where the annotation has one, because the \
                          method must be able to return the error; add `timeout` there";

/// Checks what is said about a `cachex.toml` under these variables when a cache is made.
fn check(text: &str, variables: &[(&str, &str)], expected: &[&str]) {
    let directory = Directory::with(&[("cachex.toml", text)]);
    let settings = directory.load(variables).expect(text);
    let error = Cache::builder().settings(settings).build().expect_err(text);
    assert!(error.is_configuration());
    let error = error.to_string().replace(&format!("{}/", directory.0.display()), "");
    assert_eq!(error, expected.join("\n"), "{text}");
}

#[test]
fn a_mistake_against_an_annotation_is_shown_with_the_line_of_its_key() {
    let text = "[methods.\"configured.plain\"]\nenabled = true\n\n\ntimeout = \"1s\"\n";
    check(text, &[], &[&format!("cachex.toml:5: {NO_TIMEOUT}")]);
}

#[test]
fn a_mistake_against_an_annotation_is_shown_with_its_variable() {
    let text = "[methods.\"configured.plain\"]\nenabled = true\n";
    let variable = "CACHEX_METHODS__configured.plain__TIMEOUT";
    check(text, &[(variable, "1s")], &[&format!("{variable}: {NO_TIMEOUT}")]);
}

#[test]
fn the_half_of_a_contradiction_that_is_written_here_is_shown() {
    let says = "settings of `configured.soft`: `soft_ttl` must be shorter than `ttl` (30s); lower it, or remove it to \
                disable staleness";
    let text = "[methods.\"configured.soft\"]\nenabled = true\ngrace = \"1h\"\nttl = \"30s\"\n";
    check(text, &[], &[&format!("cachex.toml:4: {says}")]);
}

#[test]
fn each_mistake_of_a_method_has_its_own_line() {
    let text = "[methods.\"configured.plain\"]\nsoft_ttl = \"20s\"\ntimeout = \"1s\"\nsoft_timeout = \"20ms\"\n";
    let settings = Directory::with(&[("cachex.toml", text)]).load(&[]).unwrap();
    let error = Cache::builder().settings(settings).build().unwrap_err().to_string();
    let line = |setting: &str| {
        let of_setting = format!("`configured.plain`: `{setting}` ");
        error.lines().find(|line| line.contains(&of_setting)).map(|line| line.split(": ").next().unwrap().to_owned())
    };
    for (setting, number) in [("soft_ttl", 2), ("timeout", 3), ("soft_timeout", 4)] {
        let place = line(setting).unwrap_or_default();
        assert!(place.ends_with(&format!("cachex.toml:{number}")), "{setting} in {error}");
    }
}

#[test]
fn what_values_that_are_local_can_not_have_is_shown() {
    let text = "[methods.\"configured.local\"]\ntiers = \"remote\"\ncodec = \"json\"\n";
    let says = "settings of `configured.local`: ";
    let tiers = "`tiers` is \"remote\", but the annotation says `local`: these values are kept in memory only; remove one of the two";
    let codec =
        "`codec` has no effect, as the annotation says `local`: these values are kept in memory only; remove it";
    check(text, &[], &[&format!("cachex.toml:2: {says}{tiers}"), &format!("cachex.toml:3: {says}{codec}")]);
    let text = "[defaults]\ntiers = \"remote\"\ncodec = \"json\"\n";
    let settings = Directory::with(&[("cachex.toml", text)]).load(&[]).unwrap();
    let cache = Cache::builder().settings(settings).build().unwrap();
    let policy = |name: &str| cache.methods().into_iter().find(|method| method.name == name).unwrap().policy;
    assert_eq!((policy("configured.local").tiers, policy("configured.local").codec), (Some(Tiers::Memory), None));
    assert_eq!(
        (policy("configured.plain").tiers, policy("configured.plain").codec),
        (Some(Tiers::Remote), Some(Codec::Json))
    );
    assert_eq!(local(1), 1);
}

#[test]
fn protobuf_is_not_chosen_by_configuration_alone() {
    let chosen = |text: &str| Directory::with(&[("cachex.toml", text)]).load(&[]).unwrap_err().to_string();
    let of_method = chosen("[methods.\"configured.plain\"]\ncodec = \"protobuf\"\n");
    let says = "`methods.\"configured.plain\".codec` is \"protobuf\", which the configuration can't choose alone, because the values must \
                be messages; write `codec = \"protobuf\"` in the annotation";
    assert!(of_method.ends_with(says), "{of_method}");
    let of_all = chosen("[remote]\ncodec = \"protobuf\"\n");
    let says = "`remote.codec` is `protobuf`, which is for methods whose values are messages; write `codec = \"protobuf\"` in their annotations";
    assert!(of_all.ends_with(says), "{of_all}");
    let near = chosen("[defaults]\ntiers = \"remot\"\n");
    assert!(near.contains("remote"), "{near}");
}

#[test]
fn a_timeout_can_not_be_a_default() {
    let defaults = MethodSettings::new().timeout(seconds(1));
    let error = Cache::builder().defaults(defaults).build().unwrap_err();
    assert!(error.is_configuration());
    let says = "`defaults.timeout` can't be a default, because a method must be able to return the error; set it at a method \
                whose annotation has `timeout`";
    assert_eq!(error.to_string(), says);
}

#[test]
fn what_fits_the_annotation_is_in_force() {
    let text = "[methods.\"configured.soft\"]\nttl = \"20m\"\n[methods.\"configured.plain\"]\nenabled = false\n";
    let settings = Directory::with(&[("cachex.toml", text)]).load(&[]).unwrap();
    let cache = Cache::builder().settings(settings).build().unwrap();
    let policy = |name: &str| cache.methods().into_iter().find(|method| method.name == name).unwrap().policy;
    assert_eq!(policy("configured.soft").ttl, Some(seconds(1_200)));
    assert_eq!(policy("configured.soft").soft_ttl, Some(seconds(60)));
    assert!(!policy("configured.plain").enabled);
    assert_eq!((plain(1), soft(1)), (1, 1));
}
