//! The client, and pinning its connections to addresses that were checked.
//!
//! There is one client for a configuration, because building one loads the trusted roots. Which addresses a request may use is
//! handed to the client's resolver in a task-local value around the request: the client resolves and connects inside the future
//! of the request (its connection pool is off, so there is no connection of another request to pick up and none is made in
//! a task of its own), and so two fetches of the same host with different addresses never see each other's. Should a later
//! version of the client resolve elsewhere, the value is missing there and the request is refused.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, redirect};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use super::config::{Config, Error, TlsVersion};

/// Most headers of an answer.
const MAX_HEADERS: usize = 100;
/// Most bytes of headers over HTTP/2; over HTTP/1 the client's own buffer of some 400 kB is the bound.
const MAX_HEADER_BYTES: u32 = 64 << 10;

tokio::task_local! {
    static PINNED: Pinned;
}

/// The addresses that a request may connect to.
#[derive(Debug, Clone)]
pub(super) struct Pinned {
    pub(super) host: String,
    pub(super) addresses: Vec<IpAddr>,
}

/// Sends a request to a host whose addresses are given.
pub(super) async fn send(
    client: &Client,
    request: reqwest::Request,
    pinned: Pinned,
) -> Result<reqwest::Response, reqwest::Error> {
    PINNED.scope(pinned, client.execute(request)).await
}

/// Hands out pinned addresses, and nothing else.
struct Checked;

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let found = PINNED.try_with(|pinned| {
            let own = pinned.host.eq_ignore_ascii_case(name.as_str());
            own.then(|| pinned.addresses.clone())
        });
        Box::pin(std::future::ready(match found {
            Ok(Some(addresses)) => {
                // Port 0 stands for the port of the address that is asked for.
                let addresses = addresses
                    .into_iter()
                    .map(|address| SocketAddr::new(address, 0));
                Ok(Box::new(addresses) as Addrs)
            }
            _ => Err("a host was asked for that has no checked address".into()),
        }))
    }
}

/// Builds the client.
pub(super) fn build(config: &Config) -> Result<Client, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("text/html,application/xhtml+xml;q=0.9,*/*;q=0.5"),
    );
    for (name, value) in &config.headers {
        if is_credential(name) {
            continue;
        }
        let header =
            HeaderName::try_from(name.as_str()).map_err(|_| Error::HeaderName(name.clone()))?;
        let value = HeaderValue::from_str(value).map_err(|_| Error::HeaderValue(name.clone()))?;
        headers.insert(header, value);
    }
    let mut builder = Client::builder()
        .user_agent(&config.user_agent)
        .default_headers(headers)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .dns_resolver(Checked)
        .pool_max_idle_per_host(0)
        .connect_timeout(config.connect_timeout)
        .http1_max_headers(MAX_HEADERS)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .tls_info(true)
        .tls_backend_preconfigured(tls(config)?);
    if !config.http2 {
        builder = builder.http1_only();
    }
    builder
        .build()
        .map_err(|error| Error::Client(error.to_string()))
}

/// Tells whether a header proves who the sender is, so that only the domain it was set for may have it.
pub(super) fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "authorization"
        || ["token", "api-key", "apikey", "secret", "auth"]
            .iter()
            .any(|word| name.contains(word))
}

fn tls(config: &Config) -> Result<ClientConfig, Error> {
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
    let versions: Vec<&'static SupportedProtocolVersion> = [
        (TlsVersion::V1_2, &rustls::version::TLS12),
        (TlsVersion::V1_3, &rustls::version::TLS13),
    ]
    .into_iter()
    .filter(|(version, _)| (config.tls_min..=config.tls_max).contains(version))
    .map(|(_, known)| known)
    .collect();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .map_err(|error| Error::Tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = match config.http2 {
        true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        false => vec![b"http/1.1".to_vec()],
    };
    // Hosts are visited once: remembering sessions costs memory, and a resumed one shows no certificate.
    tls.resumption = rustls::client::Resumption::disabled();
    Ok(tls)
}
