//! HTTP/2 for hosts that offer it: connections that chose `h2` are handed to axum.

use std::io::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::encrypted_dns;
use super::reply::{Plan, Reply};
use super::request::bare_host;
use super::seen::Seen;

/// Connections that have chosen HTTP/2 and are not yet taken over.
const MAX_WAITING: usize = 64;

/// How long connections may take over their end once the sandbox shuts down.
const GOODBYE: Duration = Duration::from_secs(2);

type Connection = TlsStream<TcpStream>;

/// The way in.
#[derive(Debug, Clone)]
pub(super) struct Door(mpsc::Sender<Connection>);

/// The other side of the door.
pub(super) struct Room(mpsc::Receiver<Connection>);

pub(super) fn open() -> (Door, Room) {
    let (sender, receiver) = mpsc::channel(MAX_WAITING);
    (Door(sender), Room(receiver))
}

impl Door {
    /// Hands over a connection.
    pub(super) async fn enter(&self, connection: Connection) -> Result<(), Error> {
        self.0
            .send(connection)
            .await
            .map_err(|_| Error::other("the sandbox is shutting down"))
    }
}

impl axum::serve::Listener for Room {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        match self.0.recv().await {
            Some(connection) => (connection, nowhere()),
            // The door is gone with the sandbox; the token ends the server.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(nowhere())
    }
}

fn nowhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

pub(super) async fn serve(room: Room, shared: Arc<Shared>, token: CancellationToken) {
    let router = Router::new().fallback(answer).with_state(shared);
    let ended = token.clone().cancelled_owned();
    let serve = async {
        axum::serve(room, router)
            .with_graceful_shutdown(ended)
            .await
    };
    tokio::select! {
        served = serve => if let Err(error) = served {
            tracing::debug!(%error, "sandbox's HTTP/2 server ended");
        },
        () = async { token.cancelled().await; tokio::time::sleep(GOODBYE).await } => {}
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let host = bare_host(
        parts
            .uri
            .authority()
            .map_or("", |authority| authority.as_str()),
    );
    let _under_way = shared.requests.begin(&host, || Seen {
        at: Instant::now(),
        method: parts.method.to_string(),
        target: parts
            .uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string),
        version: format!("{:?}", parts.version),
        secure: true,
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect(),
    });
    let reply = if encrypted_dns::is_query(&host, parts.uri.path()) {
        encrypted_dns::over_https(&shared, &parts.method, &parts.uri, body).await
    } else {
        match shared.plan(&host, parts.uri.path(), true) {
            Plan::Reply(reply) => reply,
            Plan::Fault(_) => Reply::error(501),
        }
    };
    tokio::time::sleep(reply.delay).await;
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, reply.body).into_response();
    response.headers_mut().remove("content-type");
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response
                .headers_mut()
                .append(HeaderName::from_static(name), value);
        }
    }
    response
}
