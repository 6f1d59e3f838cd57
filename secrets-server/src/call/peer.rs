//! Where a call comes from.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Who is at the other end of a connection; in each request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The address the connection comes from.
    pub address: SocketAddr,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

/// Whose address it is, for what is counted by address: an IPv6 site can choose among 2⁶⁴ of them.
pub fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_one_ipv6_site_are_one() {
        let site = |text: &str| site(text.parse().unwrap()).to_string();
        assert_eq!(site("2001:db8:0:1:ffff::2"), "2001:db8:0:1::");
        assert_eq!(site("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(site("192.0.2.1"), "192.0.2.1");
    }
}
