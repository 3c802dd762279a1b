//! TLS: what is offered and trusted, and what is kept of a handshake.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, ProtocolVersion, RootCertStore,
    SupportedProtocolVersion,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::signatures;
use crate::http::config::{Config, Error, TlsVersion};
use crate::http::fault::{Fault, Reason};

/// What is known of a connection's TLS.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Facts {
    /// `TLSv1.2` or `TLSv1.3`.
    pub(in crate::http) version: Option<&'static str>,
    /// When the certificate expires.
    pub(in crate::http) expires: Option<DateTime<Utc>>,
}

/// Makes the configurations for sites and for proxies.
///
/// # Errors
///
/// Says which root is none, or that the library refuses the versions.
pub(super) fn configs(config: &Config) -> Result<(ClientConfig, ClientConfig), Error> {
    let roots = Arc::new(roots(config)?);
    let protocols: &[&[u8]] = match config.http2 {
        true => &[b"h2", b"http/1.1"],
        false => &[b"http/1.1"],
    };
    let versions: Vec<&'static SupportedProtocolVersion> = [
        (TlsVersion::V1_2, &rustls::version::TLS12),
        (TlsVersion::V1_3, &rustls::version::TLS13),
    ]
    .into_iter()
    .filter(|(version, _)| (config.tls_min..=config.tls_max).contains(version))
    .map(|(_, known)| known)
    .collect();
    let site = client(Arc::clone(&roots), &versions, protocols)?;
    let proxy = client(roots, rustls::ALL_VERSIONS, &[b"http/1.1"])?;
    Ok((site, proxy))
}

fn roots(config: &Config) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        // A small container has no certificates of its own.
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for root in &config.trusted_roots {
        roots
            .add(CertificateDer::from(root.clone()))
            .map_err(|error| Error::Root(error.to_string()))?;
    }
    Ok(roots)
}

fn client(
    roots: Arc<RootCertStore>,
    versions: &[&'static SupportedProtocolVersion],
    protocols: &[&[u8]],
) -> Result<ClientConfig, Error> {
    let mut tls = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(versions)
        .map_err(|error| Error::Tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    // Hosts are visited once: remembering sessions costs memory, and a resumed one shows no certificate.
    tls.resumption = rustls::client::Resumption::disabled();
    Ok(tls)
}

/// The library's provider, with the suites of AES-128 and SHA-256 first: processors have instructions for both, and a
/// handshake hashes a good deal. Signatures of certificates are checked once.
fn provider() -> CryptoProvider {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.cipher_suites.sort_by_key(|suite| {
        !matches!(
            suite.suite(),
            CipherSuite::TLS13_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        )
    });
    provider.signature_verification_algorithms = signatures::remembered();
    provider
}

/// Shakes hands with the owner of a name, which is also the one that is asked for (SNI, RFC 6066 §3). A host in brackets is
/// an IPv6 address.
pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    config: &Arc<ClientConfig>,
    host: &str,
    stream: S,
) -> Result<TlsStream<S>, Fault> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(bare.to_owned())
        .map_err(|error| Fault::new(Reason::TlsError, "server_name_invalid", error))?;
    TlsConnector::from(Arc::clone(config))
        .connect(name, stream)
        .await
        .map_err(|error| Fault::handshake(&error))
}

/// Reads what is kept of a handshake.
pub(super) fn facts(connection: &ClientConnection) -> Facts {
    let expires = connection
        .peer_certificates()
        .and_then(<[_]>::first)
        .and_then(|certificate| expiry(certificate));
    Facts {
        version: connection.protocol_version().and_then(version_name),
        expires,
    }
}

fn version_name(version: ProtocolVersion) -> Option<&'static str> {
    match version {
        ProtocolVersion::TLSv1_2 => Some("TLSv1.2"),
        ProtocolVersion::TLSv1_3 => Some("TLSv1.3"),
        _ => None,
    }
}

fn expiry(certificate: &[u8]) -> Option<DateTime<Utc>> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    DateTime::from_timestamp(certificate.validity().not_after.timestamp(), 0)
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::SignatureVerificationAlgorithm;

    use super::*;

    #[test]
    fn suites_that_processors_are_quick_at_come_first_and_certificates_are_checked_once() {
        let provider = provider();
        let suites = provider.cipher_suites.iter().map(|suite| suite.suite());
        let first: Vec<CipherSuite> = suites.take(3).collect();
        assert_eq!(
            first,
            [
                CipherSuite::TLS13_AES_128_GCM_SHA256,
                CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            ]
        );
        let library = rustls::crypto::aws_lc_rs::default_provider();
        assert_eq!(provider.cipher_suites.len(), library.cipher_suites.len());
        let algorithms = provider.signature_verification_algorithms;
        let known = library.signature_verification_algorithms;
        assert_eq!(algorithms.all.len(), known.all.len());
        let remembers = |algorithm: &&dyn SignatureVerificationAlgorithm| {
            format!("{algorithm:?}").starts_with("Remembering")
        };
        assert!(algorithms.all.iter().all(remembers));
        let mut of_handshakes = algorithms
            .mapping
            .iter()
            .flat_map(|(_, several)| several.iter());
        assert!(!of_handshakes.any(remembers));
    }
}
