//! An HTTP client on reqwest for which every name is 127.0.0.1.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, ClientBuilder};
use sandbox::Sandbox;

struct Loopback;

impl Resolve for Loopback {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(std::iter::once(SocketAddr::from(([127, 0, 0, 1], 0))));
        Box::pin(std::future::ready(Ok(addresses)))
    }
}

/// A client that trusts the sandbox's authority and nobody else, follows seven redirects and waits 1.5 s.
pub(crate) fn builder(sandbox: &Sandbox) -> ClientBuilder {
    Client::builder()
        .tls_certs_only([Certificate::from_pem(sandbox.ca_pem().as_bytes()).unwrap()])
        .dns_resolver(Arc::new(Loopback))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::limited(7))
        .timeout(Duration::from_millis(1500))
}

pub(crate) fn client(sandbox: &Sandbox) -> Client {
    // Thousands of hosts, and an ordinary user's process may have a thousand files open.
    builder(sandbox).pool_max_idle_per_host(0).build().unwrap()
}

pub(crate) fn http(sandbox: &Sandbox, host: &str, path: &str) -> String {
    format!("http://{host}:{}{path}", sandbox.http_port())
}

pub(crate) fn https(sandbox: &Sandbox, host: &str, path: &str) -> String {
    format!("https://{host}:{}{path}", sandbox.https_port())
}

/// The error and all its causes in one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = format!("{error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(" <- {cause:?}"));
        source = cause.source();
    }
    text
}
