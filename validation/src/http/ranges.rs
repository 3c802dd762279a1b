//! Which addresses may be connected to.
//!
//! A name anyone can register may point anywhere, so a crawler that follows names is a way into the network it runs in.
//! Public unicast addresses are allowed; everything the IANA special-purpose registries (RFC 6890 and its updates) set apart
//! is refused unless the operator names it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address block such as `10.1.0.0/16` or `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    network: u128,
    mask: u128,
    v4: bool,
}

/// Says why a text is not an address block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address block, write it as 10.1.0.0/16 or fd00::/8")]
pub struct RangeError(String);

impl FromStr for Range {
    type Err = RangeError;

    /// Reads an address or a block in CIDR notation; bits after the prefix are ignored.
    fn from_str(text: &str) -> Result<Self, RangeError> {
        let fault = || RangeError(text.to_owned());
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| fault())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let length: u32 = match length {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| fault())?
            }
            Some(_) => return Err(fault()),
            None => width,
        };
        let host_bits = width.checked_sub(length).ok_or_else(fault)?;
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        Ok(Self {
            network: number(address) & mask,
            mask,
            v4: address.is_ipv4(),
        })
    }
}

impl Range {
    /// Tells whether an address lies in the block. An IPv4 address that is written as IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.v4 && number(address) & self.mask == self.network
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// Lists what may be connected to besides public addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AllowedRanges {
    /// Public addresses only.
    #[default]
    Public,
    /// Loopback, RFC 1918, shared (RFC 6598) and unique local (RFC 4193) addresses too. Link-local ones are not among them,
    /// and neither are those of the others where clouds keep their metadata and credentials.
    Private,
    /// These blocks too, whatever they are.
    Ranges(Vec<Range>),
}

impl AllowedRanges {
    /// Tells why an address is refused, or nothing when it may be connected to.
    pub fn refuses(&self, address: IpAddr) -> Option<&'static str> {
        let (why, private) = special(address)?;
        let lifted = match self {
            Self::Public => false,
            Self::Private => private,
            Self::Ranges(ranges) => ranges.iter().any(|range| range.contains(address)),
        };
        (!lifted).then_some(why)
    }
}

/// Names what is special about an address, and whether it is one of a private network.
fn special(address: IpAddr) -> Option<(&'static str, bool)> {
    match address.to_canonical() {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<(&'static str, bool)> {
    let found = match address.octets() {
        [127, ..] => ("loopback", true),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => ("private", true),
        // Where a large cloud keeps its metadata, within the shared space.
        [100, 100, 100, 200] => ("metadata", false),
        [100, 64..=127, ..] => ("shared address space", true),
        [169, 254, ..] => ("link-local or metadata", false),
        // A public address by number, the host agent of a large cloud by use.
        [168, 63, 129, 16] => ("metadata", false),
        [0, ..] => ("this network", false),
        [192, 0, 0, _] => ("protocol assignments", false),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => ("documentation", false),
        [192, 88, 99, _] => ("6to4 relay", false),
        [198, 18..=19, ..] => ("benchmarking", false),
        [224..=239, ..] => ("multicast", false),
        [240..=255, ..] => ("reserved or broadcast", false),
        _ => return None,
    };
    Some(found)
}

fn special_v6(address: Ipv6Addr) -> Option<(&'static str, bool)> {
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        special_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(("loopback", true)),
        // Where two large clouds keep their metadata and other services, among the unique local addresses.
        [0xfd00, 0x0ec2, ..] | [0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254] => Some(("metadata", false)),
        [0xfc00..=0xfdff, ..] => Some(("unique local", true)),
        [0xfe80..=0xfebf, ..] => Some(("link-local", false)),
        [0xff00..=0xffff, ..] => Some(("multicast", false)),
        // A translator at the edge would turn these into the IPv4 address they hold.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => embedded(high, low),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some(("documentation", false)),
        [0x2001, 0..=0x1ff, ..] => Some(("protocol assignments", false)),
        [0x2000..=0x3fff, ..] => None,
        _ => Some(("not global unicast", false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(allowed: &AllowedRanges, address: &str) -> bool {
        allowed.refuses(address.parse().unwrap()).is_some()
    }

    #[test]
    fn special_addresses_are_refused_in_every_spelling() {
        for address in [
            "127.0.0.1",
            "0.0.0.0",
            "10.0.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.100.100.200",
            "169.254.169.254",
            "168.63.129.16",
            "192.0.0.192",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "3fff::1",
        ] {
            assert!(refused(&AllowedRanges::Public, address), "{address}");
        }
        for address in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
            "::ffff:8.8.8.8",
        ] {
            assert!(!refused(&AllowedRanges::Public, address), "{address}");
        }
    }

    #[test]
    fn private_lifts_private_networks_and_not_metadata() {
        for address in [
            "127.0.0.1",
            "10.0.0.1",
            "::1",
            "fd00::1",
            "::ffff:127.0.0.1",
        ] {
            assert!(!refused(&AllowedRanges::Private, address), "{address}");
        }
        for address in [
            "169.254.169.254",
            "168.63.129.16",
            "100.100.100.200",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fe80::1",
            "224.0.0.1",
        ] {
            assert!(refused(&AllowedRanges::Private, address), "{address}");
        }
    }

    #[test]
    fn named_ranges_lift_what_they_contain_and_nothing_else() {
        let allowed =
            AllowedRanges::Ranges(vec!["10.1.2.3/16".parse().unwrap(), "::1".parse().unwrap()]);
        assert!(
            !refused(&allowed, "10.1.255.255")
                && !refused(&allowed, "::ffff:10.1.0.1")
                && !refused(&allowed, "::1")
        );
        assert!(refused(&allowed, "10.2.0.0") && refused(&allowed, "127.0.0.1"));
        let everything = AllowedRanges::Ranges(vec!["0.0.0.0/0".parse().unwrap()]);
        assert!(!refused(&everything, "127.0.0.1") && refused(&everything, "::1"));
    }

    #[test]
    fn what_is_not_a_range_is_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "x",
        ] {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
    }
}
