//! URLs of the crate `url`, by their text, which the crate has made canonical and compares by.

use ::url::{Host, Url};

use crate::key::{CacheKey, KeyWriter};

impl CacheKey for Url {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_str(self.as_str());
    }
}

impl<S: CacheKey> CacheKey for Host<S> {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        match self {
            // Marked, because a caller's own `S` may be written as an address is.
            Host::Domain(name) => {
                out.write_variant("Domain", 1);
                name.encode(out);
            }
            Host::Ipv4(address) => address.encode(out),
            Host::Ipv6(address) => address.encode(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    #[test]
    fn equal_urls_are_one_key() {
        let key = |url: &str| Key::new("k").part(&Url::parse(url).unwrap());
        assert_eq!(key("HTTP://Example.org:80"), key("http://example.org/"));
        assert_ne!(key("http://example.org/a"), key("http://example.org/A"));
    }

    #[test]
    fn a_domain_is_not_an_address() {
        let address = Key::new("k").part(&Host::<&str>::Ipv4([127, 0, 0, 1].into()));
        assert_eq!(address.text(), "k(127.0.0.1)");
        assert_ne!(address, Key::new("k").part(&Host::Domain("127.0.0.1")));
    }
}
