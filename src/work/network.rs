//! What the operator, not a campaign's user, says about the network.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use ::validation::{
    dns,
    http::{AllowedRanges, Politeness},
    suppression::Suppression,
    technologies::Technologies,
};
use aggregates::persona::Resolver;
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use url::Url;

use super::trials::Target;
use crate::credentials::Keys;

/// What the operator says about the network.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// The port of http sites in place of 80; set, https is not tried unless its port is set too.
    pub http_port: Option<u16>,
    /// The port of https sites in place of 443.
    pub https_port: Option<u16>,
    /// Addresses that are private, shared or loopback may be fetched from. Link-local ones and others
    /// where clouds keep their credentials stay refused.
    pub allow_private: bool,
    /// Certificates (DER) of authorities that are trusted besides the system's.
    pub trusted_roots: Vec<Vec<u8>>,
    /// Resolvers of campaigns that name no DNS persona; the machine's own where there is none.
    pub resolvers: Vec<String>,
    /// The page that checks of proxies fetch; without one proxies are not checked.
    pub proxy_check_url: Option<Url>,
    /// What personas are tried on where nobody says; `example.com` where this is not said either.
    pub persona_test_target: Option<Target>,
    /// What the passwords of proxies are sealed under.
    pub keys: Keys,
    /// What technologies are told by; the rules of the program alone where there is nothing.
    pub technologies: Option<Arc<Technologies>>,
    /// The paces towards resolvers and zones that all runs of this process keep together.
    pub dns_limits: dns::Limits,
    /// How often sites are asked, for all runs of this process together.
    pub politeness: Politeness,
    /// Keeps to that towards loopback addresses too, which are one's own where they are allowed at all.
    pub polite_to_loopback: bool,
    /// Whom nothing may be sent to, for all engines of this process.
    pub suppression: Suppression,
}

/// The rules of the program, compiled when they are first needed.
static BUNDLED: OnceLock<Arc<Technologies>> = OnceLock::new();

/// A text that holds no certificate in PEM.
#[derive(Debug, thiserror::Error)]
#[error("no certificate in PEM form")]
pub struct BadCertificate;

impl Network {
    /// Trusts the certificates of a PEM text besides the system's.
    ///
    /// # Errors
    /// When the text holds none, or one that is not PEM.
    pub fn trust_pem(&mut self, pem: &str) -> Result<(), BadCertificate> {
        let certificates: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let certificates = certificates.map_err(|_| BadCertificate)?;
        if certificates.is_empty() {
            return Err(BadCertificate);
        }
        self.trusted_roots.extend(
            certificates
                .into_iter()
                .map(|certificate| certificate.to_vec()),
        );
        Ok(())
    }

    /// Returns what technologies are told by.
    ///
    /// # Errors
    /// When the program's own rules do not compile, in words.
    pub(super) fn technologies(&self) -> Result<Arc<Technologies>, String> {
        if let Some(given) = &self.technologies {
            return Ok(Arc::clone(given));
        }
        if let Some(known) = BUNDLED.get() {
            return Ok(Arc::clone(known));
        }
        let bundled = Technologies::bundled().map_err(|error| error.to_string())?;
        Ok(Arc::clone(BUNDLED.get_or_init(|| Arc::new(bundled))))
    }

    /// Tells why a campaign may not ask a resolver, or nothing when it may.
    ///
    /// A user names resolvers freely, so that they would be a way into the network around the process: what the fetcher
    /// may not connect to may not be asked either, unless the operator named that very server.
    #[must_use]
    pub fn refuses_resolver(&self, server: SocketAddr) -> Option<&'static str> {
        let why = self.allowed().refuses(server.ip())?;
        (!self.names(server)).then_some(why)
    }

    /// Returns the addresses that may be connected to: those of pages, and those of proxies, which users name as freely.
    #[must_use]
    pub const fn allowed(&self) -> AllowedRanges {
        match self.allow_private {
            true => AllowedRanges::Private,
            false => AllowedRanges::Public,
        }
    }

    /// Tells whether a server is one's own: on this machine by the operator's word, where the limits that protect
    /// others are not needed.
    pub(super) fn is_own(&self, server: SocketAddr) -> bool {
        server.ip().to_canonical().is_loopback() && (self.allow_private || self.names(server))
    }

    fn names(&self, server: SocketAddr) -> bool {
        self.resolvers
            .iter()
            .filter_map(|named| Resolver::parse(named).ok()?.address())
            .any(|named| named == server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    const INSIDE: [&str; 6] = [
        "127.0.0.1:9999",
        "[::1]:53",
        "[::ffff:127.0.0.1]:53",
        "10.1.2.3:53",
        "192.168.0.1:53",
        "[fd00::1]:53",
    ];
    const NEVER: [&str; 3] = ["169.254.169.254:53", "168.63.129.16:53", "[fe80::1]:53"];

    #[test]
    fn a_resolver_inside_is_asked_only_by_the_operators_word() {
        let strict = Network::default();
        let open = Network {
            allow_private: true,
            ..Network::default()
        };
        for text in INSIDE {
            assert!(strict.refuses_resolver(at(text)).is_some(), "{text}");
            assert_eq!(open.refuses_resolver(at(text)), None, "{text}");
        }
        for text in NEVER {
            assert!(strict.refuses_resolver(at(text)).is_some(), "{text}");
            assert!(open.refuses_resolver(at(text)).is_some(), "{text}");
        }
        assert_eq!(strict.refuses_resolver(at("9.9.9.9:53")), None);
    }

    #[test]
    fn a_named_resolver_opens_its_own_port_and_no_other() {
        let network = Network {
            resolvers: vec!["10.1.2.3".to_owned(), "127.0.0.1:5353".to_owned()],
            ..Network::default()
        };
        assert_eq!(network.refuses_resolver(at("10.1.2.3:53")), None);
        assert_eq!(network.refuses_resolver(at("127.0.0.1:5353")), None);
        assert_eq!(
            network.refuses_resolver(at("127.0.0.1:53")),
            Some("loopback")
        );
        assert_eq!(
            network.refuses_resolver(at("10.1.2.3:5353")),
            Some("private")
        );
        assert!(network.is_own(at("127.0.0.1:5353")));
        assert!(!network.is_own(at("127.0.0.1:53")));
        assert!(
            !network.is_own(at("10.1.2.3:53")),
            "it is somebody else's machine"
        );
    }
}
