//! What the operator, not a campaign's user, says about the network.

use std::net::IpAddr;

use rustls_pki_types::{CertificateDer, pem::PemObject as _};

/// What the operator says about the network.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// The port of http sites in place of 80; set, https is not tried unless its port is set too.
    pub http_port: Option<u16>,
    /// The port of https sites in place of 443.
    pub https_port: Option<u16>,
    /// Addresses that are private, shared or loopback may be fetched from. Link-local ones, where clouds keep their
    /// credentials, stay refused.
    pub allow_private: bool,
    /// Certificates (DER) of authorities that are trusted besides the system's.
    pub trusted_roots: Vec<Vec<u8>>,
    /// Resolvers of campaigns that name no DNS persona; the machine's own where there is none.
    pub resolvers: Vec<String>,
}

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
}

/// Tells whether a server is one's own: on this machine, where the limits that protect others are not needed.
pub(super) const fn is_own(address: IpAddr) -> bool {
    address.is_loopback()
}
