//! The authority over TLS (RFC 7858) and over HTTPS (RFC 8484), with the web's certificates.
//!
//! Over HTTPS it is `/dns-query` of [`HOST`], or of 127.0.0.1 itself, on the web's HTTPS port; over TLS it has a port of
//! its own.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Uri};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Shared;
use super::reply::Reply;
use crate::accept;
use crate::dns::tcp;

/// The name under which the authority offers DNS over HTTPS.
pub const HOST: &str = "dns.sandbox.test";

/// Where DNS over HTTPS is served.
const PATH: &str = "/dns-query";

/// Longest DNS message in bytes.
const MAX_MESSAGE: usize = 65_535;

/// Connections that DNS over TLS serves at once.
const MAX_CONNECTIONS: usize = 256;

/// Says whether a request is for DNS over HTTPS.
pub(super) fn is_query(host: &str, path: &str) -> bool {
    path == PATH && matches!(host, HOST | "127.0.0.1" | "localhost")
}

/// Answers a request for DNS over HTTPS; silence is a response that never comes.
pub(super) async fn over_https(shared: &Shared, method: &Method, uri: &Uri, body: Body) -> Reply {
    let message = match *method {
        Method::POST => axum::body::to_bytes(body, MAX_MESSAGE).await.ok(),
        Method::GET => query_parameter(uri),
        _ => return Reply::error(405),
    };
    match message.map(|message| shared.dns.stream_answer(&message)) {
        None | Some(Err(_)) => Reply::error(400),
        Some(Ok(None)) => std::future::pending().await,
        Some(Ok(Some((answer, delay)))) => {
            let mut reply = Reply::new(200, "application/dns-message", answer);
            reply.delay = delay;
            reply
        }
    }
}

fn query_parameter(uri: &Uri) -> Option<Bytes> {
    let mut parameters = uri.query()?.split('&');
    let encoded = parameters.find_map(|parameter| parameter.strip_prefix("dns="))?;
    URL_SAFE_NO_PAD.decode(encoded).ok().map(Bytes::from)
}

/// Serves DNS over TLS until the token is cancelled.
pub(super) async fn over_tls(
    listener: TcpListener,
    shared: Arc<Shared>,
    token: CancellationToken,
    tasks: TaskTracker,
) {
    let acceptor = TlsAcceptor::from(shared.certificates.for_dns());
    let serve = move |stream, token: CancellationToken| {
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        async move {
            let answers = async {
                let stream =
                    tokio::time::timeout(super::HANDSHAKE, acceptor.accept(stream)).await??;
                tcp::connection(stream, &shared.dns).await
            };
            tokio::select! {
                () = token.cancelled() => {}
                ended = answers => if let Err(error) = ended {
                    tracing::trace!(%error, "DNS over TLS ended");
                },
            }
        }
    };
    accept::each(listener, MAX_CONNECTIONS, token, tasks, serve).await;
}
