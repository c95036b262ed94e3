//! What is set of a directory.

use std::path::PathBuf;
use std::time::Duration;

/// A directory as the second tier, which processes of one machine share: `[file]` in a configuration. Needs the feature `remote`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::FileSettings;
///
/// let mut file = FileSettings::new("/var/cache/shop");
/// file.poll_interval = Duration::from_millis(20);
/// assert_eq!(file.file_mode, 0o600);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FileSettings {
    /// Where it is; it is made if it is not there. It has to be on a disk of the machine, and nobody else's to write to.
    pub directory: PathBuf,
    /// The folder in it, in which each namespace has one of its own. Default: `cx`.
    pub prefix: String,
    /// The mode of folders that are made: in a configuration octal in quotes. No effect but on Unix. Default: 0700.
    pub directory_mode: u32,
    /// The mode of files. Default: 0600.
    pub file_mode: u32,
    /// How long a call waits for other processes that have the directory locked, or for the disk. Then it goes on without. Default: 250 ms.
    pub timeout: Duration,
    /// How often what has expired is removed. Default: one minute.
    pub sweep_interval: Duration,
    /// How often it is looked for notices of other processes: so long may a process be stale, and twice `timeout` longer on a disk that is slow. Default: 50 ms.
    pub poll_interval: Duration,
}

impl FileSettings {
    /// Starts with a directory, and the default for all else.
    ///
    /// # Examples
    ///
    /// ```
    /// let file = cachex::FileSettings::new("/var/cache/shop");
    /// assert_eq!(file.prefix, "cx");
    /// ```
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            prefix: "cx".to_owned(),
            directory_mode: 0o700,
            file_mode: 0o600,
            timeout: Duration::from_millis(250),
            sweep_interval: Duration::from_secs(60),
            poll_interval: Duration::from_millis(50),
        }
    }
}
