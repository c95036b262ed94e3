//! Every cached method of the program, and the rules in force for each.

use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock};

use super::Engine;
use super::cache::Cache;
use crate::config::Places;
use crate::error::Error;
#[cfg(feature = "remote")]
use crate::method::region::remote_name;
use crate::method::site::Registered;
use crate::observe::Stats;
use crate::policy::{MethodSettings, Mistake, Policy};

/// The rules that stand above those of the annotations.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// For methods that say nothing themselves.
    defaults: MethodSettings,
    /// By name of the method, above its annotation.
    by_name: RwLock<BTreeMap<String, MethodSettings>>,
}

impl Rules {
    pub(crate) fn new(defaults: MethodSettings, by_name: BTreeMap<String, MethodSettings>) -> Self {
        Self { defaults, by_name: RwLock::new(by_name) }
    }

    /// Returns the rules in force for a region: the defaults, below the annotation, below the settings for its name.
    pub(crate) fn policy(&self, name: &str, annotated: &Policy) -> Policy {
        let filled = self.defaults.fill(annotated.clone());
        let by_name = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        match by_name.get(name) {
            Some(settings) => settings.apply(filled),
            None => filled,
        }
    }

    /// Returns the rules of the manual API: the defaults.
    pub(crate) fn manual(&self) -> Policy {
        self.defaults.fill(Policy::new())
    }

    /// Replaces the settings of a name.
    fn set(&self, name: &str, settings: MethodSettings) {
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), settings);
    }

    /// Returns `settings` over those a name has already.
    pub(super) fn merged(&self, name: &str, settings: &MethodSettings) -> MethodSettings {
        let by_name = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let earlier = by_name.get(name).cloned().unwrap_or_default();
        MethodSettings {
            ttl: settings.ttl.or(earlier.ttl),
            tti: settings.tti.or(earlier.tti),
            soft_ttl: settings.soft_ttl.or(earlier.soft_ttl),
            refresh_ahead: settings.refresh_ahead.or(earlier.refresh_ahead),
            grace: settings.grace.or(earlier.grace),
            jitter: settings.jitter.or(earlier.jitter),
            negative_ttl: settings.negative_ttl.or(earlier.negative_ttl),
            timeout: settings.timeout.or(earlier.timeout),
            soft_timeout: settings.soft_timeout.or(earlier.soft_timeout),
            single_flight: settings.single_flight.or(earlier.single_flight),
            enabled: settings.enabled.or(earlier.enabled),
            tiers: settings.tiers.or(earlier.tiers),
            codec: settings.codec.or(earlier.codec),
            compression: settings.compression.or(earlier.compression),
            optional: settings.optional || earlier.optional,
        }
    }
}

/// What is known of a cached method.
///
/// # Examples
///
/// ```
/// #[cachex::cached(ttl = "10s")]
/// fn quadrupled(x: u64) -> u64 {
///     4 * x
/// }
///
/// let methods = cachex::installed().methods();
/// let info = methods.iter().find(|method| method.name.ends_with("quadrupled")).expect("it is annotated");
/// assert_eq!(info.signature, "fn quadrupled(x: u64) -> u64");
/// assert_eq!(info.options, "ttl = \"10s\"");
/// assert_eq!(info.stats.hits, 0);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MethodInfo {
    /// Module, type and method; or the name given by the annotation or the registered loader.
    pub name: String,
    /// The signature as written; empty for a registered loader.
    pub signature: String,
    /// The version given by the annotation: another version is another key on a shared store. 0 if none is given.
    pub version: u32,
    /// The annotation's options as written.
    pub options: String,
    /// Where the annotation stands: `file:line`.
    pub location: String,
    /// The rules in force in this cache.
    pub policy: Policy,
    /// What this cache has counted for the method, all its generic instances together.
    pub stats: Stats,
}

/// Returns what other processes call the methods of a name: one for each version of it.
#[cfg(feature = "remote")]
pub(crate) fn remote_names(name: &str) -> impl Iterator<Item = String> + '_ {
    let sites = inventory::iter::<Registered>().filter(move |registered| registered.0.name() == name);
    let annotated = sites.map(|registered| remote_name(registered.0.name(), "", registered.0.site().version));
    annotated.chain(std::iter::once(name.to_owned()))
}

/// Returns the names of all annotated methods of the program, called or not.
pub(crate) fn annotated_names() -> impl Iterator<Item = &'static str> + Clone {
    inventory::iter::<Registered>().map(|registered| registered.0.name())
}

/// Refuses two annotations of one name: on a shared store their entries would meet.
pub(crate) fn check_names() -> Result<(), Error> {
    let mut places: BTreeMap<&str, &Registered> = BTreeMap::new();
    for registered in inventory::iter::<Registered>() {
        let site = registered.0.site();
        if let Some(other) = places.insert(registered.0.name(), registered) {
            let other = other.0.site();
            return Err(Error::configuration(format!(
                "two cached methods are named `{}` ({}:{} and {}:{}); give one another name: `#[cached(name = \"…\")]`",
                registered.0.name(),
                other.file,
                other.line,
                site.file,
                site.line,
            )));
        }
    }
    Ok(())
}

impl Cache {
    /// Lists every annotated method of the program, called or not, and every registered loader, by name.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    /// use cachex::{Cache, MethodSettings};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.register_loader("area", MethodSettings::new(), |(x,): (u64,)| async move { Ok::<_, io::Error>(x * x) })?;
    /// assert!(cache.methods().iter().any(|method| method.name == "area"));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn methods(&self) -> Vec<MethodInfo> {
        let engine = self.engine();
        let holdings = engine.holdings();
        let annotated = inventory::iter::<Registered>().map(|registered| {
            let site = registered.0.site();
            MethodInfo {
                name: registered.0.name().to_owned(),
                signature: site.signature.to_owned(),
                version: site.version,
                options: site.options.to_owned(),
                location: format!("{}:{}", site.file, site.line),
                policy: engine.rules.policy(registered.0.name(), &site.policy),
                stats: engine.stats_of(registered.0.name(), &holdings),
            }
        });
        let loaders = engine.loaders.regions().into_iter().map(|region| MethodInfo {
            name: region.name().to_owned(),
            signature: String::new(),
            version: 0,
            options: String::new(),
            location: String::new(),
            policy: engine.rules.policy(region.name(), region.policy()),
            stats: engine.stats_of(region.name(), &holdings),
        });
        let mut all: Vec<_> = annotated.chain(loaders).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Returns what was counted for a method, all its generic instances together. Looks at every entry, to count the method's.
    ///
    /// # Errors
    ///
    /// No method of that name is annotated or registered.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::cached;
    ///
    /// #[cached(name = "cubed")]
    /// fn cubed(x: u64) -> u64 {
    ///     x * x * x
    /// }
    ///
    /// assert_eq!((cubed(2), cubed(2)), (8, 8));
    /// let stats = cachex::installed().method_stats("cubed")?;
    /// assert_eq!((stats.hits, stats.loads, stats.entries), (1, 1, 1));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn method_stats(&self, name: &str) -> Result<Stats, Error> {
        let engine = self.engine();
        engine.check_name(name)?;
        Ok(engine.stats_of(name, &engine.holdings()))
    }

    /// Changes the rules of a method while the program runs; what is `None` stays as it was set before, by
    /// configuration or an earlier call. Entries keep the times they were stored with; a disabled method is run as if
    /// it had no annotation.
    ///
    /// # Errors
    ///
    /// No method of that name is annotated or registered, or the rules contradict each other or the annotation.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{MethodSettings, cached};
    ///
    /// #[cached(name = "doubled")]
    /// fn doubled(x: u64) -> u64 {
    ///     2 * x
    /// }
    ///
    /// let cache = cachex::installed();
    /// cache.set_method_config("doubled", MethodSettings::new().enabled(false))?;
    /// assert_eq!(doubled(4), 8);
    /// assert_eq!(cache.method_stats("doubled")?.bypasses, 1);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn set_method_config(&self, name: &str, settings: MethodSettings) -> Result<(), Error> {
        let engine = self.engine();
        engine.check_name(name)?;
        let settings = engine.rules.merged(name, &settings);
        engine.check_settings(name, &settings)?;
        engine.rules.set(name, settings);
        for method in engine.methods_named(name) {
            method.set_policy(|| engine.policy_of(method.region));
            if !method.is_kept_here() {
                // What is there answers nobody any more, and is given back.
                engine.invalidate_method_here(method);
            }
        }
        Ok(())
    }
}

impl Engine {
    /// Takes the settings for methods that the cache is made with; all that can't be followed are reported.
    pub(crate) fn preset(&self, methods: BTreeMap<String, MethodSettings>, places: &Places) -> Result<(), Error> {
        let mut mistakes = Vec::new();
        for (name, settings) in methods {
            let place = places.start(&name);
            let wrong = self.mistakes_of(&name, &settings);
            if !settings.optional && !annotated_names().any(|known| known == name) {
                let nearest = nearest_method(&name, annotated_names());
                let hint = nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"));
                mistakes.push(format!(
                    "{place}settings of `{name}`: there is no such method{hint} (set `optional = true` if it belongs to \
                     another program, or is a loader that is registered later)"
                ));
            } else if !wrong.is_empty() {
                let line = |mistake: &Mistake| {
                    let place = places.start_of(&name, mistake.setting, &mistake.text);
                    format!("{place}settings of `{name}`: {mistake}")
                };
                mistakes.extend(wrong.iter().map(line));
            } else {
                self.rules.set(&name, settings);
            }
        }
        if mistakes.is_empty() { Ok(()) } else { Err(Error::configuration(mistakes.join("\n"))) }
    }

    /// Counts the entries of each region and what they weigh.
    fn holdings(&self) -> HashMap<u32, (u64, u64)> {
        self.trim();
        let mut holdings = HashMap::new();
        self.tier.for_each(&mut |entry| {
            let (entries, weight) = holdings.entry(entry.region_id()).or_insert((0, 0));
            *entries += 1;
            *weight += entry.weight();
        });
        holdings
    }

    fn stats_of(&self, name: &str, holdings: &HashMap<u32, (u64, u64)>) -> Stats {
        let mut all = Stats::default();
        for method in self.methods_named(name) {
            let mut stats = Stats::read(&method.counters);
            (stats.entries, stats.weight) = holdings.get(&method.region.id()).copied().unwrap_or_default();
            all.add(&stats);
        }
        all
    }

    /// Refuses a name that no method has.
    pub(crate) fn check_name(&self, name: &str) -> Result<(), Error> {
        let loaders = self.loaders.regions();
        let names = || annotated_names().chain(loaders.iter().map(|region| region.name()));
        if names().any(|known| known == name) {
            return Ok(());
        }
        let nearest = nearest_method(name, names()).map(str::to_owned);
        Err(Error::unknown_method(name, nearest))
    }

    /// Refuses settings that can't be followed by the methods of that name.
    pub(crate) fn check_settings(&self, name: &str, settings: &MethodSettings) -> Result<(), Error> {
        let wrong = self.mistakes_of(name, settings);
        let lines: Vec<_> = wrong.iter().map(|mistake| format!("settings of `{name}`: {mistake}")).collect();
        if lines.is_empty() { Ok(()) } else { Err(Error::configuration(lines.join("\n"))) }
    }

    /// Returns what can't be followed by the methods of that name.
    fn mistakes_of(&self, name: &str, settings: &MethodSettings) -> Vec<Mistake> {
        let loaders = self.loaders.regions();
        let annotated = inventory::iter::<Registered>()
            .filter(|registered| registered.0.name() == name)
            .map(|registered| &registered.0.site().policy);
        let mut mistakes = Vec::new();
        for loader in loaders.iter().filter(|region| region.name() == name) {
            mistakes.extend(self.mistakes_of_loader(loader.policy(), settings));
        }
        for base in annotated {
            let mut add = |setting, text: &str| mistakes.push(Mistake { setting, text: text.to_owned() });
            if settings.timeout.is_some() && base.timeout.is_none() {
                let why = "can only be changed where the annotation has one, because the method must be able to return \
                           the error; add `timeout` there";
                add("timeout", why);
            }
            if settings.soft_timeout.is_some() && !outlives_call(base) {
                let why = "needs loads that can outlive their call; add `soft_timeout`, `soft_ttl`, `refresh_ahead` or \
                           `timeout` to the annotation";
                add("soft_timeout", why);
            }
            mistakes.extend(settings.apply(self.rules.defaults.fill(base.clone())).mistakes());
        }
        mistakes
    }

    /// Returns what a registered loader can't follow.
    pub(super) fn mistakes_of_loader(&self, base: &Policy, settings: &MethodSettings) -> Vec<Mistake> {
        let policy = settings.apply(self.rules.defaults.fill(base.clone()));
        let mut mistakes = policy.mistakes();
        if settings.negative_ttl.is_some() || base.negative_ttl.is_some() {
            let text = "has no effect on a loader, whose value is never negative; remove it".to_owned();
            mistakes.push(Mistake { setting: "negative_ttl", text });
        }
        mistakes
    }
}

/// Returns the name that is most likely meant: the only one that ends in what was written, or the nearest.
pub(super) fn nearest_method<'a>(name: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let tail = format!("::{name}");
    let mut ending = names.clone().filter(|known| known.ends_with(&tail));
    match (ending.next(), ending.next()) {
        (Some(only), None) => Some(only),
        _ => crate::error::nearest(name, names),
    }
}

/// Whether the annotation's loads own what they need.
fn outlives_call(annotated: &Policy) -> bool {
    [annotated.soft_ttl, annotated.refresh_ahead, annotated.timeout, annotated.soft_timeout].iter().any(Option::is_some)
}
