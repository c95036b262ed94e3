//! Why a store did not do what it was asked.

use std::fmt;

/// Why a store did not do what it was asked. Its message has no key and no value.
///
/// # Examples
///
/// ```
/// use cachex::store::{StoreError, StoreErrorKind};
///
/// let error = StoreError::new(StoreErrorKind::Down, "the store can't be reached");
/// assert_eq!(error.to_string(), "the store can't be reached");
/// ```
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    is_in_part: bool,
}

/// What a store's error means.
///
/// # Examples
///
/// ```
/// use cachex::store::StoreErrorKind;
///
/// assert_ne!(StoreErrorKind::Down, StoreErrorKind::Unknown);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// It is out of reach: nothing was done.
    Down,
    /// It did not answer in time, or the connection broke: it may have been done or not.
    Unknown,
    /// It refused: nothing was done.
    Refused,
    /// What is there is of another kind: nothing was done.
    OtherKind,
}

impl StoreError {
    /// Makes an error; a message begins in lower case, and has neither key nor value.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::store::{StoreError, StoreErrorKind};
    ///
    /// let error = StoreError::new(StoreErrorKind::Refused, "the store is full");
    /// assert_eq!(error.kind(), StoreErrorKind::Refused);
    /// ```
    #[must_use]
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), is_in_part: false }
    }

    /// Of several steps, of which others may have been done, or told of: what is out of reach in one of them may have been reached in another.
    // Break this (leave it as it is) and the number of a notice that was told is used for another one.
    #[cfg(feature = "ring")]
    pub(crate) fn in_part(self) -> Self {
        match self.kind {
            StoreErrorKind::Down => Self { kind: StoreErrorKind::Unknown, is_in_part: true, ..self },
            StoreErrorKind::Unknown | StoreErrorKind::Refused | StoreErrorKind::OtherKind => self,
        }
    }

    /// Whether all that is wrong is that a part is out of reach.
    #[cfg(feature = "remote")]
    pub(crate) fn is_in_part(&self) -> bool {
        self.is_in_part
    }

    /// Returns what it means.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::store::{StoreError, StoreErrorKind};
    ///
    /// assert_eq!(StoreError::new(StoreErrorKind::Down, "gone").kind(), StoreErrorKind::Down);
    /// ```
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StoreError {}
