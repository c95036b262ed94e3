//! Addresses of the internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::key::{CacheKey, KeyWriter, kind};

impl CacheKey for Ipv4Addr {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.put_fixed(kind::IPV4, &self.octets());
    }
}

impl CacheKey for Ipv6Addr {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.put_fixed(kind::IPV6, &self.octets());
    }
}

impl CacheKey for IpAddr {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        match self {
            IpAddr::V4(address) => address.encode(out),
            IpAddr::V6(address) => address.encode(out),
        }
    }
}

impl CacheKey for SocketAddrV4 {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        (self.ip(), self.port()).encode(out);
    }
}

// The flow label and the scope are part of equality.
impl CacheKey for SocketAddrV6 {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        (self.ip(), self.port(), self.flowinfo(), self.scope_id()).encode(out);
    }
}

impl CacheKey for SocketAddr {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        match self {
            SocketAddr::V4(address) => address.encode(out),
            SocketAddr::V6(address) => address.encode(out),
        }
    }
}
