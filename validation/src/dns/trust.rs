//! Whom encrypted DNS trusts, and where a server with a name may be.

use std::{io, net::SocketAddr, sync::Arc};

use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use tokio::net::lookup_host;

use super::Error;
use crate::http::AllowedRanges;

/// Makes the client's side of TLS: the system's authorities and the given ones (DER), and nothing unverified.
///
/// # Errors
/// A given authority that is no certificate.
pub(super) fn client(authorities: &[Vec<u8>], protocols: &[&[u8]]) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        // A small container has no certificates of its own.
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for authority in authorities {
        roots
            .add(CertificateDer::from(authority.clone()))
            .map_err(|error| Error::invalid("trusted_roots", error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::invalid("trusted_roots", error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(config)
}

/// Looks a server's name up with the machine's own resolver. Whoever configures resolvers freely must not reach the
/// network around the process by a name that points into it, so addresses that are not allowed are left out.
///
/// # Errors
/// A name without an address, or with none that is allowed.
pub(super) async fn look_up(
    name: &str,
    port: u16,
    allowed: &AllowedRanges,
) -> io::Result<Vec<SocketAddr>> {
    let mut refused = None;
    let addresses: Vec<SocketAddr> = lookup_host((name, port))
        .await?
        .filter(|address| {
            let why = allowed.refuses(address.ip());
            refused = refused.or(why);
            why.is_none()
        })
        .collect();
    match refused {
        Some(why) if addresses.is_empty() => {
            let message = format!("{name} may not be connected to: {why}");
            Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
        }
        _ if addresses.is_empty() => Err(io::ErrorKind::NotFound.into()),
        _ => Ok(addresses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_points_inside_is_no_server_unless_that_is_allowed() {
        let refused = look_up("localhost", 853, &AllowedRanges::Public).await;
        assert!(refused.unwrap_err().to_string().contains("loopback"));
        let found = look_up("localhost", 853, &AllowedRanges::Private).await;
        assert!(found.unwrap().iter().all(|found| found.ip().is_loopback()));
    }
}
