//! Connections: taken as long as there is room, each with as much time as a client in good faith needs.
//!
//! When there are as many as there may be, nobody is let in until one ends; the machine keeps a few who wait. One address
//! has a share only, so that nobody takes all places; proxies of the operator's stand for many and have no such share.

use std::{
    collections::HashMap,
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::{bounds::Bounds, peer::ClientAddress, settings::Settings};

/// How long nobody is let in after the machine refused another connection, for want of file descriptors say.
const AFTER_REFUSAL: Duration = Duration::from_secs(1);

/// The most of a request's head, and of what waits to be read or written, that a connection of HTTP/1 holds, bytes.
const BUFFER: usize = 64 << 10;
/// The most that a connection of HTTP/2 holds of bodies that nobody has read, bytes.
const WINDOW: u32 = 256 << 10;

/// Takes connections until the token is cancelled, and then waits for the requests under way.
pub(super) async fn take_connections(
    listener: TcpListener,
    router: Router,
    settings: &Settings,
    cancel: &CancellationToken,
) {
    let bounds = settings.bounds;
    let places = Arc::new(Semaphore::new(
        bounds.connections.min(Semaphore::MAX_PERMITS),
    ));
    let shares = Arc::new(Shares::new(bounds.connections_of_address));
    let mut connections = JoinSet::new();
    while let Some(Some((stream, peer, place))) =
        cancel.run_until_cancelled(next(&listener, &places)).await
    {
        // What is over makes room.
        while connections.try_join_next().is_some() {}
        let Some(share) = shares.of(peer.ip(), settings) else {
            tracing::debug!(%peer, "closed, because its address has as many connections as it may");
            continue;
        };
        let (router, cancel) = (router.clone(), cancel.clone());
        connections.spawn(async move {
            converse(stream, peer, router, bounds, &cancel).await;
            drop((place, share));
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Waits for a place and for somebody to take it.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return Some((stream, peer, place)),
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection, trying again");
                sleep(AFTER_REFUSAL).await;
            }
        }
    }
}

/// Tells whether it was a connection that failed before it was taken, and not the machine.
fn is_of_the_client(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
    )
}

/// How many connections each address has.
#[derive(Debug)]
struct Shares {
    most: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection of an address's share, until it is dropped.
#[derive(Debug)]
struct Share {
    of: Option<(Arc<Shares>, IpAddr)>,
}

impl Shares {
    fn new(most: usize) -> Self {
        Self {
            most,
            taken: Mutex::default(),
        }
    }

    /// Takes one of an address's share; nothing where it has all of it.
    fn of(self: &Arc<Self>, address: IpAddr, settings: &Settings) -> Option<Share> {
        if settings.trusts(address) {
            return Some(Share { of: None });
        }
        let address = ClientAddress(address).neighbourhood();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = taken.entry(address).or_default();
        if *of_address >= self.most {
            return None;
        }
        *of_address += 1;
        Some(Share {
            of: Some((Arc::clone(self), address)),
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some((shares, address)) = &self.of else {
            return;
        };
        let mut taken = shares.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_address) = taken.get_mut(address) {
            *of_address = of_address.saturating_sub(1);
            if *of_address == 0 {
                taken.remove(address);
            }
        }
    }
}

/// Answers the requests of one connection.
async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    bounds: Bounds,
    cancel: &CancellationToken,
) {
    let spoken = CancellationToken::new();
    let first = spoken.clone();
    let service = router.map_request(move |mut request: Request<Incoming>| {
        first.cancel();
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .max_buf_size(BUFFER);
    // A client that is gone without a word does not keep its place.
    builder
        .http2()
        .timer(TokioTimer::new())
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .keep_alive_interval(bounds.head)
        .keep_alive_timeout(bounds.head);
    let service = TowerToHyperService::new(service);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // The timers begin when the version of HTTP is known: not for a client that does not even say that.
    let silent = async {
        if timeout(bounds.head, spoken.cancelled()).await.is_ok() {
            std::future::pending::<()>().await;
        }
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = silent => return,
        () = cancel.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %peer, "a connection broke off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_and_a_proxy_of_the_operators_has_none() {
        let settings = Settings {
            trusted_proxies: vec!["10.0.0.1".parse().unwrap()],
            ..Settings::default()
        };
        let shares = Arc::new(Shares::new(2));
        let of = |text: &str| shares.of(text.parse().unwrap(), &settings);
        let (first, second) = (of("192.0.2.1"), of("192.0.2.1"));
        assert!(first.is_some() && second.is_some() && of("192.0.2.1").is_none());
        assert!(of("192.0.2.2").is_some());
        drop(first);
        assert!(of("192.0.2.1").is_some());
        drop(second);
        assert!(shares.taken.lock().unwrap().is_empty());
        let proxied: Vec<_> = (0..9).map(|_| of("10.0.0.1")).collect();
        assert!(proxied.iter().all(Option::is_some));
    }
}
