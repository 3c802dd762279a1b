//! What counts as one address where attempts are counted.

use std::net::{IpAddr, Ipv6Addr};

/// Returns what limits go by: the address, of IPv6 the network of 64 bits that one client has to himself.
pub(crate) const fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        v4 @ IpAddr::V4(_) => v4,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}
