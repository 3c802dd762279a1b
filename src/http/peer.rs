//! From where a request comes: the other end of its connection, or, where that is a proxy of the operator's, whom the proxy
//! names.
//!
//! `X-Forwarded-For` grows to the right: each proxy appends whom it was asked by. So it is read from the right for as long
//! as the operator's own proxies are named; the first other address is the client's. What stands left of it the client may
//! have written himself.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use axum::{
    extract::{ConnectInfo, Request, State as Extract},
    http::{HeaderMap, HeaderName},
    middleware::Next,
    response::Response,
};

use super::{router::State, settings::Settings};
use crate::auth::neighbourhood;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Addresses with a common beginning, in the notation of CIDR (RFC 4632): `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    network: u128,
    mask: u128,
    v4: bool,
}

/// The mask of `::ffff:0:0/96`, which has all of IPv4 (RFC 4291, section 2.5.5.2).
const ALL_V4: u128 = u128::MAX << 32;

impl FromStr for Cidr {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "must be an address or a network, such as 192.0.2.7 or 10.0.0.0/8";
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| WRONG)?;
        let bits: u32 = if address.is_ipv4() { 32 } else { 128 };
        let length: u32 = match length {
            Some(length) => length.parse().map_err(|_| WRONG)?,
            None => bits,
        };
        if length > bits {
            return Err(WRONG);
        }
        let mask = u128::MAX.checked_shl(bits - length).unwrap_or(0);
        let network = number(address) & mask;
        Ok(Self {
            network,
            mask,
            // IPv4 in IPv6 is IPv4, unless the network is larger than all of it.
            v4: address.to_canonical().is_ipv4() && mask & ALL_V4 == ALL_V4,
        })
    }
}

impl Cidr {
    /// Tells whether an address is one of them; IPv4 in IPv6 is IPv4.
    pub(super) fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.v4 && number(address) & self.mask == self.network
    }
}

/// Writes an address as a number of 128 bits; IPv4 where IPv6 has it.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The address of a request's client, among its extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClientAddress(pub(super) IpAddr);

impl ClientAddress {
    /// Returns what limits go by: the address, of IPv6 the network of 64 bits that one client has to himself.
    pub(super) const fn neighbourhood(self) -> IpAddr {
        neighbourhood(self.0)
    }
}

/// Notes from where a request comes.
pub(super) async fn with_client_address(
    Extract(state): Extract<State>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if let Some(ConnectInfo(peer)) = peer {
        let address = client(peer.ip(), request.headers(), &state.settings);
        request.extensions_mut().insert(ClientAddress(address));
    }
    next.run(request).await
}

fn client(peer: IpAddr, headers: &HeaderMap, settings: &Settings) -> IpAddr {
    let mut client = peer.to_canonical();
    if !settings.trusts(client) {
        return client;
    }
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let named = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    for name in named {
        let Some(address) = named_address(name.trim()) else {
            break;
        };
        client = address.to_canonical();
        if !settings.trusts(client) {
            break;
        }
    }
    client
}

/// Reads an address as proxies write it, some of them with its port.
fn named_address(name: &str) -> Option<IpAddr> {
    let with_port = || name.parse().map(|socket: SocketAddr| socket.ip());
    name.parse().or_else(|_| with_port()).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_contains_the_addresses_with_its_beginning() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.7/24", "192.0.2.200", "192.0.3.7"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("::/0", "2001:db8::1", "203.0.113.9"),
            ("::ffff:10.0.0.0/104", "10.255.0.1", "11.0.0.0"),
            ("::ffff:192.0.2.7", "192.0.2.7", "::192.0.2.7"),
        ] {
            let network: Cidr = network.parse().unwrap();
            assert!(network.contains(address(inside)), "{network:?} {inside}");
            assert!(!network.contains(address(outside)), "{network:?} {outside}");
        }
        let mapped = address("::ffff:10.1.2.3");
        assert!("10.0.0.0/8".parse::<Cidr>().unwrap().contains(mapped));
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "proxy.example",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
        ] {
            assert!(text.parse::<Cidr>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_operators_proxies_are_believed_and_only_what_they_wrote() {
        let settings = Settings {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..Settings::default()
        };
        let of = |peer: &str, lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(FORWARDED_FOR, HeaderValue::from_static(line));
            }
            client(address(peer), &headers, &settings).to_string()
        };
        assert_eq!(of("203.0.113.5", &["198.51.100.1"]), "203.0.113.5");
        assert_eq!(of("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["1.1.1.1, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            of("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"]),
            "198.51.100.1"
        );
        assert_eq!(of("10.0.0.1", &["1.1.1.1", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            of("::ffff:10.0.0.1", &["::ffff:198.51.100.1"]),
            "198.51.100.1"
        );
        assert_eq!(of("10.0.0.1", &["198.51.100.1:50000"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["[2001:db8::1]:443"]), "2001:db8::1");
        // What does not read was not written by a proxy that is to be believed.
        assert_eq!(of("10.0.0.1", &["198.51.100.1, unknown"]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn a_client_with_a_network_of_its_own_is_one() {
        let of = |text: &str| ClientAddress(address(text)).neighbourhood();
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
