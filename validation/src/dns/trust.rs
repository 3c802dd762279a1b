//! Whom encrypted DNS trusts, and where a server with a name may be.

use std::{
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs as _},
    sync::{Arc, LazyLock},
};

use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::Error;
use crate::{
    http::AllowedRanges,
    suppression::{SUPPRESSED, Suppression},
};

/// Where servers of encrypted DNS may be.
#[derive(Clone, Debug)]
pub(super) struct Outside {
    pub(super) allowed: AllowedRanges,
    pub(super) suppression: Suppression,
}

impl Outside {
    /// Tells why a server at an address may not be connected to, in words.
    pub(super) fn refuses(&self, address: IpAddr) -> Option<String> {
        let why = self.allowed.refuses(address).map(str::to_owned);
        why.or_else(|| self.held(address))
    }

    /// Tells why the suppression list keeps from an address, in words.
    pub(super) fn held(&self, address: IpAddr) -> Option<String> {
        let held = self.suppression.address(address);
        held.map(|held| format!("{SUPPRESSED}: {address}: {held}"))
    }
}

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

/// Names that are looked up at once. The machine's resolver takes as long as it likes, whoever waits for it or no longer does,
/// and the process has threads that may block for others too.
const LOOK_UPS_AT_ONCE: usize = 16;

static LOOK_UPS: LazyLock<Arc<Semaphore>> =
    LazyLock::new(|| Arc::new(Semaphore::new(LOOK_UPS_AT_ONCE)));

/// Does what blocks on a thread for that, in a turn that ends with it and not with whoever waits for it.
async fn in_turn<T: Send + 'static>(
    turns: &Arc<Semaphore>,
    blocking: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let turn = Arc::clone(turns).acquire_owned().await;
    let turn = turn.map_err(io::Error::other)?;
    let done = spawn_blocking(move || {
        let done = blocking();
        drop(turn);
        done
    });
    done.await.map_err(io::Error::other)?
}

/// Looks a server's name up with the machine's own resolver. Whoever configures resolvers freely must not reach the
/// network around the process by a name that points into it, so addresses that are not allowed are left out.
///
/// # Errors
/// A name without an address, or with none that is allowed and that the suppression list does not name.
pub(super) async fn look_up(
    name: &str,
    port: u16,
    outside: &Outside,
) -> io::Result<Vec<SocketAddr>> {
    let mut refused: Option<String> = None;
    let asked = name.to_owned();
    let look = move || Ok((asked.as_str(), port).to_socket_addrs()?.collect());
    let found: Vec<SocketAddr> = in_turn(&LOOK_UPS, look).await?;
    let addresses: Vec<SocketAddr> = found
        .into_iter()
        .filter(|address| {
            let why = outside.refuses(address.ip());
            let is_fine = why.is_none();
            refused = refused.take().or(why);
            is_fine
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
    use futures::FutureExt as _;
    use uuid::Uuid;

    use super::*;
    use crate::suppression::{Entry, Kind, List};

    fn outside(allowed: AllowedRanges) -> Outside {
        Outside {
            allowed,
            suppression: Suppression::default(),
        }
    }

    #[tokio::test]
    async fn a_name_at_an_address_on_the_suppression_list_is_no_server() {
        let outside = outside(AllowedRanges::Private);
        let entries = ["127.0.0.0/8", "::1/128"].map(|block| Entry {
            id: Uuid::from_u128(7),
            kind: Kind::Cidr,
            value: block.to_owned(),
        });
        outside.suppression.set(List::new(entries).unwrap());
        let refused = look_up("localhost", 853, &outside).await.unwrap_err();
        assert!(refused.to_string().contains(SUPPRESSED), "{refused}");
    }

    #[tokio::test]
    async fn a_look_up_that_nobody_waits_for_keeps_its_turn_until_it_ends() {
        let turns = Arc::new(Semaphore::new(1));
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let mut stuck = Box::pin(in_turn(&turns, move || {
            ended.recv().map_err(io::Error::other)
        }));
        assert!((&mut stuck).now_or_never().is_none(), "it has begun");
        drop(stuck);
        let mut next = Box::pin(in_turn(&turns, || Ok(1)));
        assert!((&mut next).now_or_never().is_none(), "the thread is held");
        end.send(()).unwrap();
        assert_eq!(next.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_name_that_points_inside_is_no_server_unless_that_is_allowed() {
        let refused = look_up("localhost", 853, &outside(AllowedRanges::Public)).await;
        assert!(refused.unwrap_err().to_string().contains("loopback"));
        let found = look_up("localhost", 853, &outside(AllowedRanges::Private)).await;
        assert!(found.unwrap().iter().all(|found| found.ip().is_loopback()));
    }
}
