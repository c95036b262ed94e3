//! Whether a store keeps the [contract](super): a suite for the tests of any store, ours and others.
//!
//! Reading order: this file (how it is run), `ground` (what rules work with), `safety` (what must hold whatever a store loses), `keeping`
//! (what a store is there for), `updates` (of the source), `told` (notices), `races` (all of it under many at once).

mod ground;
mod keeping;
mod races;
mod safety;
mod told;
mod updates;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::Store;
use ground::Ground;

/// Checks all rules of the [contract](super).
///
/// `make` returns a store over the same bytes each time, as another process would have it; two of them are used. What is there from before does
/// no harm, and some is left there. It takes some seconds, for it waits for leases and values to expire.
///
/// # Errors
///
/// The rules that were broken, each with what was seen.
///
/// # Examples
///
/// ```
/// use cachex::FileSettings;
/// use cachex::store::conformance;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = std::env::temp_dir().join(format!("cachex-conformance-{}", std::process::id()));
/// let mut settings = FileSettings::new(&directory);
/// settings.timeout = std::time::Duration::from_secs(10);
/// let checked = conformance::check(async || settings.open("tests").expect("it is a directory")).await;
/// assert!(checked.is_ok(), "{checked:?}");
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok(())
/// # }
/// ```
pub async fn check<S: Store>(make: impl AsyncFn() -> S) -> Result<(), Broken> {
    run(make, &[safety::RULES, updates::RULES, keeping::RULES, told::RULES, races::RULES]).await
}

/// Checks the rules that hold also for a store which loses whatever it likes, as one that is too small: that nothing wrong is taken from it.
///
/// # Errors
///
/// As of [`check`].
///
/// # Examples
///
/// ```
/// use cachex::store::{Null, conformance};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let checked = conformance::check_safety(async || Null).await;
/// assert!(checked.is_ok(), "{checked:?}");
/// assert!(conformance::check(async || Null).await.is_err_and(|broken| broken.names().any(|name| name == "a value that was put is read")));
/// # }
/// ```
pub async fn check_safety<S: Store>(make: impl AsyncFn() -> S) -> Result<(), Broken> {
    run(make, &[safety::RULES, updates::RULES, told::RULES, races::RULES]).await
}

/// The rules that a store has broken.
///
/// # Examples
///
/// ```
/// use cachex::store::{Null, conformance};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let broken = conformance::check(async || Null).await.expect_err("it keeps nothing");
/// assert!(broken.to_string().starts_with("the store breaks "));
/// # }
/// ```
#[derive(Debug)]
pub struct Broken(Vec<(&'static str, String)>);

impl Broken {
    /// Returns the rules.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::store::{Null, conformance};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let broken = conformance::check(async || Null).await.expect_err("it keeps nothing");
    /// assert!(broken.names().all(|name| !name.is_empty()));
    /// # }
    /// ```
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store breaks {} of its rules", self.0.len())?;
        self.0.iter().try_for_each(|(name, seen)| write!(f, "\n- {name}: {seen}"))
    }
}

impl std::error::Error for Broken {}

/// What a rule found: what is wrong, if something is.
type Verdict<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;

/// A rule, in words, and how it is checked.
type Rule = (&'static str, for<'a> fn(&'a Ground) -> Verdict<'a>);

async fn run<S: Store>(make: impl AsyncFn() -> S, rules: &[&[Rule]]) -> Result<(), Broken> {
    let ground = Ground::new(Box::new(make().await), Box::new(make().await));
    let mut broken = Vec::new();
    if let Err(seen) = ground.is_ready().await {
        return Err(Broken(vec![("a store that is started is up before long", seen)]));
    }
    for (name, rule) in rules.iter().copied().flatten() {
        if let Err(seen) = rule(&ground).await {
            broken.push((*name, seen));
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(Broken(broken)) }
}
