//! A fetcher for the sandbox that finds names as a run does, by the engine for DNS.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use sandbox::Sandbox;
use tokio_util::sync::CancellationToken;
use validation::Waits;
use validation::dns;
use validation::http::{AllowedRanges, Config, Fetcher, Resolve, Resolving, Unresolved};

struct Names(dns::Engine);

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str, _: &'a Waits) -> Resolving<'a> {
        Box::pin(async move {
            let report = self.0.check(host).await;
            match report.outcome {
                dns::Outcome::Ok => Ok(report.addresses),
                other => Err(Unresolved::Error(format!("{other:?}"))),
            }
        })
    }
}

/// Makes the engine for names.
pub(crate) fn names(sandbox: &Sandbox) -> dns::Engine {
    let config = dns::Config {
        resolvers: vec![dns::Resolver::Address(sandbox.resolvers()[0])],
        allow: AllowedRanges::Private,
        ..dns::Config::default()
    };
    dns::Engine::start(config.without_limits(), CancellationToken::new()).unwrap()
}

/// Makes a fetcher that may go to these addresses.
pub(crate) fn fetcher(sandbox: &Sandbox, allow: AllowedRanges) -> Fetcher {
    let roots = CertificateDer::pem_slice_iter(sandbox.ca_pem().as_bytes());
    let config = Config {
        allow,
        http_port: Some(sandbox.http_port()),
        https_port: Some(sandbox.https_port()),
        trusted_roots: roots.map(|root| root.unwrap().to_vec()).collect(),
        timeout: Duration::from_secs(60),
        ..Config::new("Test/1 (+https://example.test/bot)")
    };
    Fetcher::new(config, Arc::new(Names(names(sandbox)))).unwrap()
}
