//! Keys without a method, for the manual API.

use super::{CacheKey, Key, KeyBytes, KeyWriter, kind};
use crate::method::Region;

/// # Keys of the manual API
///
/// The key of a method comes from its annotation; these are made by hand. Keys made in different ways are never equal:
/// `Key::new("user").part(&7)`, `Key::entity("user", &7)` and `Key::list("user", &7)` are three entries.
impl Key {
    /// Makes a key from a name; add what tells its entries apart with [`part`](Self::part).
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Key;
    ///
    /// let key = Key::new("prices").part("EUR").part(&[1_u8, 2]);
    /// assert_eq!(key.text(), r#"prices("EUR", 0x0102)"#);
    /// ```
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut bytes = KeyBytes::new();
        let mut out = KeyWriter::keeping(&mut bytes);
        out.write_str(name);
        Self::written(Region::manual(), &out)
    }

    /// Adds a part.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Key;
    ///
    /// assert_eq!(Key::new("sum").part(&1).part(&2).text(), "sum(1, 2)");
    /// assert_ne!(Key::new("sum").part(&1).part(&2), Key::new("sum").part(&(1, 2)));
    /// ```
    #[must_use]
    pub fn part<T: CacheKey + ?Sized>(self, part: &T) -> Self {
        let mut bytes = KeyBytes::new();
        let mut out = KeyWriter::keeping(&mut bytes);
        out.put_written(self.bytes());
        part.encode(&mut out);
        Self::written(self.region, &out)
    }

    /// Makes the key of one thing that is known by its id.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Key;
    ///
    /// assert_eq!(Key::entity("user", &7).text(), "entity:user(7)");
    /// ```
    #[must_use]
    pub fn entity<T: CacheKey + ?Sized>(name: &str, id: &T) -> Self {
        scheme(kind::ENTITY, Some(name), id)
    }

    /// Makes the key of a list of things chosen by `filter`: all that chooses them, with page and order.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{CacheKey, Key};
    ///
    /// #[derive(CacheKey)]
    /// struct Filter<'a> {
    ///     city: &'a str,
    ///     page: u32,
    /// }
    ///
    /// let key = Key::list("users", &Filter { city: "Bonn", page: 2 });
    /// assert_eq!(key.text(), r#"list:users({"Bonn", 2})"#);
    /// ```
    #[must_use]
    pub fn list<T: CacheKey + ?Sized>(name: &str, filter: &T) -> Self {
        scheme(kind::LIST, Some(name), filter)
    }

    /// Makes the key of something known by several things at once, usually a tuple of their ids.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Key;
    ///
    /// assert_eq!(Key::composite("membership", &(7, "staff")).text(), r#"composite:membership((7, "staff"))"#);
    /// ```
    #[must_use]
    pub fn composite<T: CacheKey + ?Sized>(name: &str, parts: &T) -> Self {
        scheme(kind::COMPOSITE, Some(name), parts)
    }

    /// Makes the key of a session.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Key;
    ///
    /// assert_eq!(Key::session("4f1c").text(), r#"session("4f1c")"#);
    /// ```
    #[must_use]
    pub fn session<T: CacheKey + ?Sized>(id: &T) -> Self {
        scheme(kind::SESSION, None, id)
    }
}

// A kind byte that begins no value comes first: so a scheme's key is never the key of `Key::new` or of another scheme.
fn scheme<T: CacheKey + ?Sized>(kind: u8, name: Option<&str>, part: &T) -> Key {
    let mut bytes = KeyBytes::new();
    let mut out = KeyWriter::keeping(&mut bytes);
    out.put_kind(kind);
    if let Some(name) = name {
        out.write_str(name);
    }
    part.encode(&mut out);
    Key::written(Region::manual(), &out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_each_scheme_are_frozen() {
        let (name, seven) = ([0x30, 1, b'a'], [0x10, 7]);
        assert_eq!(Key::new("a").part(&7_u8).bytes(), [&name[..], &seven].concat());
        for (key, head) in
            [(Key::entity("a", &7_u8), 0x50), (Key::list("a", &7_u8), 0x51), (Key::composite("a", &7_u8), 0x52)]
        {
            assert_eq!(key.bytes(), [&[head][..], &name, &seven].concat());
        }
        assert_eq!(Key::session(&7_u8).bytes(), [&[0x53][..], &seven].concat());
    }
}
