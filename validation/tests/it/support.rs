//! A fetcher for the sandbox, and names that all lead there.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use sandbox::Sandbox;
use uuid::Uuid;
use validation::Waits;
use validation::http::{
    AllowedRanges, Config, Credentials, Fetcher, Member, Pool, PoolConfig, Protocol, Proxy,
    ProxyId, Resolve, Resolving, Unresolved,
};

pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Every name is on loopback, but for one that points where it must not and those that do not exist.
pub(crate) struct Names;

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str, _: &'a Waits) -> Resolving<'a> {
        Box::pin(std::future::ready(match host {
            "metadata.test" => Ok(vec![Ipv4Addr::new(169, 254, 169, 254).into()]),
            _ if host.starts_with("nowhere") => Err(Unresolved::Error("NXDOMAIN".to_owned())),
            _ => Ok(vec![LOOPBACK]),
        }))
    }
}

pub(crate) fn roots(sandbox: &Sandbox) -> Vec<Vec<u8>> {
    CertificateDer::pem_slice_iter(sandbox.ca_pem().as_bytes())
        .map(|certificate| certificate.unwrap().to_vec())
        .collect()
}

/// A configuration for the sandbox, whose proxies are on loopback too.
pub(crate) fn config(sandbox: &Sandbox) -> Config {
    Config {
        http_port: Some(sandbox.http_port()),
        https_port: Some(sandbox.https_port()),
        trusted_roots: roots(sandbox),
        ..open()
    }
}

/// A configuration that may connect to loopback, to sites and to proxies.
pub(crate) fn open() -> Config {
    Config {
        allow: AllowedRanges::Private,
        proxy_guard: Arc::new(AllowedRanges::Private),
        forward_inside: true,
        timeout: Duration::from_secs(20),
        ..Config::new("Test/1 (+https://example.test/bot)")
    }
}

pub(crate) fn fetcher(config: Config) -> Fetcher {
    Fetcher::new(config, Arc::new(Names)).unwrap()
}

/// A proxy at an address of the sandbox; its id is its port.
pub(crate) fn proxy(protocol: Protocol, at: SocketAddr, who: Option<(&str, &str)>) -> Proxy {
    Proxy {
        id: ProxyId(Uuid::from_u128(at.port().into())),
        protocol,
        host: at.ip().to_string(),
        port: at.port(),
        credentials: who.map(|(username, password)| Credentials {
            username: username.to_owned(),
            password: password.to_owned(),
        }),
    }
}

pub(crate) fn pool(config: PoolConfig, proxies: impl IntoIterator<Item = Proxy>) -> Arc<Pool> {
    let members = proxies
        .into_iter()
        .map(|proxy| Member { proxy, weight: 1 })
        .collect();
    Arc::new(Pool::new(config, members).unwrap())
}
