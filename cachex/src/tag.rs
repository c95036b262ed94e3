//! Names of groups of entries: a method says which, an invalidation names one.

use std::borrow::Cow;
use std::fmt;

use smallvec::SmallVec;

/// The name of a group of entries that are invalidated together.
///
/// # Examples
///
/// ```
/// use cachex::Tag;
///
/// assert_eq!(Tag::from("users").as_str(), "users");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Cow<'static, str>);

impl Tag {
    /// Returns the name.
    ///
    /// # Examples
    ///
    /// ```
    /// let tag = cachex::Tag::from(format!("user:{}", 7));
    /// assert_eq!(tag.as_str(), "user:7");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for Tag {
    fn from(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }
}

impl From<String> for Tag {
    fn from(name: String) -> Self {
        Self(Cow::Owned(name))
    }
}

impl From<&Tag> for Tag {
    fn from(tag: &Tag) -> Self {
        tag.clone()
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Collects the tags of an entry or of an invalidation; each is kept once.
///
/// # Examples
///
/// ```
/// use cachex::Tags;
///
/// let tags: Tags = ["users", "users", "admins"].into_iter().collect();
/// assert_eq!(tags.len(), 2);
/// ```
#[derive(Clone, Default)]
pub struct Tags {
    // Most methods have one or two: these are kept without an allocation.
    all: SmallVec<[Tag; 2]>,
}

impl Tags {
    /// Starts without a tag.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(cachex::Tags::new().is_empty());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self { all: SmallVec::new_const() }
    }

    /// Adds a tag unless it is there already.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut tags = cachex::Tags::new();
    /// tags.add("users");
    /// tags.add("users".to_owned());
    /// assert_eq!(tags.len(), 1);
    /// ```
    pub fn add(&mut self, tag: impl Into<Tag>) {
        let tag = tag.into();
        if !self.all.contains(&tag) {
            self.all.push(tag);
        }
    }

    /// Returns the number of distinct tags.
    ///
    /// # Examples
    ///
    /// ```
    /// let tags: cachex::Tags = ["users", "user:7", "users"].into_iter().collect();
    /// assert_eq!(tags.len(), 2);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns whether there is no tag.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut tags = cachex::Tags::new();
    /// assert!(tags.is_empty());
    /// tags.add("users");
    /// assert!(!tags.is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Visits the tags in the order they were added.
    ///
    /// # Examples
    ///
    /// ```
    /// let tags: cachex::Tags = ["users", "admins"].into_iter().collect();
    /// let names: Vec<_> = tags.iter().map(|tag| tag.as_str()).collect();
    /// assert_eq!(names, ["users", "admins"]);
    /// ```
    pub fn iter(&self) -> std::slice::Iter<'_, Tag> {
        self.all.iter()
    }
}

impl PartialEq for Tags {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl Eq for Tags {}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tags")?;
        f.debug_list().entries(self).finish()
    }
}

impl<'a> IntoIterator for &'a Tags {
    type Item = &'a Tag;
    type IntoIter = std::slice::Iter<'a, Tag>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Into<Tag>> Extend<T> for Tags {
    fn extend<I: IntoIterator<Item = T>>(&mut self, tags: I) {
        for tag in tags {
            self.add(tag);
        }
    }
}

impl<T: Into<Tag>> FromIterator<T> for Tags {
    fn from_iter<I: IntoIterator<Item = T>>(tags: I) -> Self {
        let mut all = Self::new();
        all.extend(tags);
        all
    }
}
