//! Groups of values, which are invalidated together.

use std::sync::Arc;

/// The name by which a store knows a group of values: a tag of users, a method, or everything.
///
/// # Examples
///
/// ```
/// use cachex::store::Group;
///
/// assert_eq!(Group::tag("users").as_str(), "t:users");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group(Arc<str>);

impl Group {
    /// Names what all values belong to.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(cachex::store::Group::all().as_str(), "*");
    /// ```
    #[must_use]
    pub fn all() -> Self {
        Self("*".into())
    }

    /// Names the values of a method.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(cachex::store::Group::method("Users::find").as_str(), "m:Users::find");
    /// ```
    #[must_use]
    pub fn method(id: &str) -> Self {
        Self(["m:", id].concat().into())
    }

    /// Names the values with a tag.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(cachex::store::Group::tag("users").as_tag(), Some("users"));
    /// ```
    #[must_use]
    pub fn tag(name: &str) -> Self {
        Self(["t:", name].concat().into())
    }

    /// Returns the group that was written as [`as_str`](Self::as_str) says.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::store::Group;
    ///
    /// assert_eq!(Group::read("t:users"), Some(Group::tag("users")));
    /// assert_eq!(Group::read("users"), None);
    /// ```
    #[must_use]
    pub fn read(written: &str) -> Option<Self> {
        let is_known = written == "*" || written.starts_with("m:") || written.starts_with("t:");
        is_known.then(|| Self(written.into()))
    }

    /// Returns the tag of users, if it is one.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(cachex::store::Group::all().as_tag(), None);
    /// ```
    #[must_use]
    pub fn as_tag(&self) -> Option<&str> {
        self.0.strip_prefix("t:")
    }

    /// Returns the method, if it is one.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(cachex::store::Group::method("find").as_method(), Some("find"));
    /// ```
    #[must_use]
    pub fn as_method(&self) -> Option<&str> {
        self.0.strip_prefix("m:")
    }

    /// Returns the name: different for each group.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::store::Group;
    ///
    /// assert_ne!(Group::tag("a").as_str(), Group::method("a").as_str());
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
