//! Which sources there are, and in which order they count.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::read::{self, Mistakes};
use super::tree::Node;
use super::{Settings, environment};
use crate::error::Error;

/// The names a file of settings may have in the working directory.
const FILES: [&str; 3] = ["cachex.toml", "cachex.yaml", "cachex.yml"];

#[derive(Clone, Copy)]
enum Format {
    Toml,
    Yaml,
}

impl Settings {
    /// Reads the settings of the program: its file, overlaid by its environment.
    ///
    /// The file is the one named by `CACHEX_CONFIG`, else `cachex.toml`, `cachex.yaml` or `cachex.yml` in the working
    /// directory, else none. What is read and how is said at [`load_from`](Self::load_from).
    ///
    /// # Errors
    ///
    /// Those of [`load_from`](Self::load_from).
    ///
    /// # Examples
    ///
    /// ```
    /// let settings = cachex::Settings::load()?;
    /// assert!(settings.memory.max_entries > 0);
    /// # Ok::<_, cachex::Error>(())
    /// ```
    pub fn load() -> Result<Self, Error> {
        Self::load_from(Path::new(""), std::env::vars_os())
    }

    /// Reads settings from a directory and from variables that are handed in: [`load`](Self::load) without the
    /// process's own directory and environment.
    ///
    /// A variable is `CACHEX_` and the path of a key in upper case, with two underscores for each dot:
    /// `CACHEX_NAMESPACE`, `CACHEX_MEMORY__MAX_ENTRIES`, `CACHEX_DEFAULTS__TTL`. The name of a method stands as it is:
    /// `CACHEX_METHODS__shop::Users::find__TTL`. A shell can't `export` such a name, but `env` and the settings of a
    /// container can; `name = "find_user"` in the annotation gives a method a name that every shell takes. Values are
    /// written as in the file, without quotes; an empty one unsets what the file says. `CACHEX_CONFIG` names the file and may be relative to the directory.
    ///
    /// # Errors
    ///
    /// A configuration error that lists all mistakes, one on a line, each with its file and line or its variable: an
    /// unknown key, a value of the wrong kind, settings that contradict each other. Also a file that is named but can't
    /// be read, several files where none is named, or a file in a format whose feature (`toml`, `yaml`) is off.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    /// use cachex::Settings;
    ///
    /// let directory = Path::new("/nothing/here");
    /// let settings = Settings::load_from(directory, [("CACHEX_MEMORY__MAX_ENTRIES", "5")])?;
    /// assert_eq!(settings.memory.max_entries, 5);
    ///
    /// let error = Settings::load_from(directory, [("CACHEX_DEFAULTS__TTL", "5")]).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "CACHEX_DEFAULTS__TTL: `defaults.ttl` is not a duration: 5 has no unit, write for example \"5s\""
    /// );
    /// # Ok::<_, cachex::Error>(())
    /// ```
    pub fn load_from<K: Into<OsString>, V: Into<OsString>>(
        directory: &Path,
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, Error> {
        let variables: Vec<_> = environment.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        load(found(directory, &variables)?, &variables)
    }

    /// Reads the settings of the program from a file it names itself, overlaid by its environment.
    ///
    /// The variables are those of [`load_from`](Self::load_from), except for `CACHEX_CONFIG`, which is not looked at.
    ///
    /// # Errors
    ///
    /// Those of [`load_from`](Self::load_from).
    ///
    /// # Examples
    ///
    /// ```
    /// let error = cachex::Settings::load_file("/nothing/here.toml").unwrap_err();
    /// assert!(error.is_configuration());
    /// ```
    pub fn load_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let variables: Vec<_> = std::env::vars_os().collect();
        load(Some(path.as_ref().to_owned()), &variables)
    }

    /// Reads settings from one file and nothing else, in the format its extension names: `.toml`, `.yaml` or `.yml`.
    ///
    /// # Errors
    ///
    /// A configuration error that lists all mistakes, as for [`load_from`](Self::load_from).
    ///
    /// # Examples
    ///
    /// ```
    /// let error = cachex::Settings::from_file("settings.ini").unwrap_err();
    /// assert!(error.is_configuration());
    /// assert_eq!(error.to_string(), "settings.ini: settings are TOML or YAML; name the file `.toml` or `.yaml`");
    /// ```
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let mut mistakes = Mistakes::default();
        let tree = file(path.as_ref(), &mut mistakes)?;
        read::settings(&tree, mistakes)
    }

    /// Reads settings from TOML.
    ///
    /// # Errors
    ///
    /// A configuration error that lists all mistakes, one on a line, each with its line.
    ///
    /// # Examples
    ///
    /// ```
    /// let settings = cachex::Settings::from_toml_str("memory.max_entries = 5")?;
    /// assert_eq!(settings.memory.max_entries, 5);
    /// # Ok::<_, cachex::Error>(())
    /// ```
    #[cfg(feature = "toml")]
    pub fn from_toml_str(text: &str) -> Result<Self, Error> {
        let mut mistakes = Mistakes::default();
        let tree = super::toml::tree(&Arc::from(""), text, &mut mistakes);
        read::settings(&tree, mistakes)
    }

    /// Reads settings from YAML: one document, without anchors, aliases and tags.
    ///
    /// # Errors
    ///
    /// A configuration error that lists all mistakes, one on a line, each with its line.
    ///
    /// # Examples
    ///
    /// ```
    /// let settings = cachex::Settings::from_yaml_str("memory:\n  max_entries: 5\n")?;
    /// assert_eq!(settings.memory.max_entries, 5);
    /// # Ok::<_, cachex::Error>(())
    /// ```
    #[cfg(feature = "yaml")]
    pub fn from_yaml_str(text: &str) -> Result<Self, Error> {
        let mut mistakes = Mistakes::default();
        let tree = super::yaml::tree(&Arc::from(""), text, &mut mistakes);
        read::settings(&tree, mistakes)
    }
}

fn load(path: Option<PathBuf>, variables: &[(OsString, OsString)]) -> Result<Settings, Error> {
    let mut mistakes = Mistakes::default();
    let mut tree = match path {
        Some(path) => file(&path, &mut mistakes)?,
        None => Node::empty(),
    };
    tree.overlay(environment::tree(variables, &mut mistakes));
    read::settings(&tree, mistakes)
}

/// Returns the file to read, if there is one.
fn found(directory: &Path, variables: &[(OsString, OsString)]) -> Result<Option<PathBuf>, Error> {
    let named = variables.iter().find(|(name, value)| name == environment::FILE && !value.is_empty());
    if let Some((_, path)) = named {
        return Ok(Some(directory.join(path)));
    }
    let there: Vec<_> = FILES.into_iter().filter(|name| directory.join(name).exists()).collect();
    match there[..] {
        [] => Ok(None),
        [name] => Ok(Some(directory.join(name))),
        [first, second, ..] => Err(Error::configuration(format!(
            "there is `{first}` and `{second}`; remove one, or name the one to read in `{}`",
            environment::FILE
        ))),
    }
}

fn file(path: &Path, mistakes: &mut Mistakes) -> Result<Node, Error> {
    let shown = path.display();
    let format = match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => Format::Toml,
        Some("yaml" | "yml") => Format::Yaml,
        _ => {
            let message = format!("{shown}: settings are TOML or YAML; name the file `.toml` or `.yaml`");
            return Err(Error::configuration(message));
        }
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("{shown}: the file of settings can't be read ({error}); correct its path or its rights");
        Error::configuration_from(message, error)
    })?;
    parse(format, &shown.to_string().into(), &text, mistakes)
}

// Which arm takes part depends on the features; what a feature brings is refused by name without it.
fn parse(format: Format, source: &Arc<str>, text: &str, mistakes: &mut Mistakes) -> Result<Node, Error> {
    match format {
        #[cfg(feature = "toml")]
        Format::Toml => Ok(super::toml::tree(source, text, mistakes)),
        #[cfg(feature = "yaml")]
        Format::Yaml => Ok(super::yaml::tree(source, text, mistakes)),
        #[cfg(not(all(feature = "toml", feature = "yaml")))]
        other => {
            let _ = (text, mistakes);
            let feature = match other {
                Format::Toml => "toml",
                Format::Yaml => "yaml",
            };
            let message = format!("{source}: to read this file, turn on the feature `{feature}` of cachex");
            Err(Error::configuration(message))
        }
    }
}
