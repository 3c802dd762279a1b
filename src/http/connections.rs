//! Connections: taken as long as there is room, each with as much time as a client in good faith needs.
//!
//! When there are as many as there may be, some wait until one ends, and the others are closed; whoever waits keeps nobody
//! from being looked at. One address has a share only, and the last places are for addresses with few connections, so that
//! nobody takes all places; proxies of the operator's stand for many and have no such share.

use std::{io::ErrorKind, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    bounds::Bounds,
    conversation::converse,
    settings::Settings,
    shares::{Places, Share, Shares},
};

/// How long nobody is let in after the machine refused another connection, for want of file descriptors say.
const AFTER_REFUSAL: Duration = Duration::from_secs(1);
/// The most connections that wait for a place.
const MOST_WAITING: usize = 1_024;

/// Takes connections until the token is cancelled, and then waits for the requests under way.
pub(super) async fn take_connections(
    listener: TcpListener,
    router: Router,
    settings: &Settings,
    cancel: &CancellationToken,
) {
    let bounds = settings.bounds;
    let hall = Hall {
        places: Places::new(bounds.connections),
        waiting: Arc::new(Semaphore::new(MOST_WAITING)),
        bounds,
    };
    let shares = Arc::new(Shares::new(bounds.connections_of_address));
    let mut connections = JoinSet::new();
    while let Some((stream, peer)) = cancel.run_until_cancelled(next(&listener)).await {
        // What is over makes room.
        while connections.try_join_next().is_some() {}
        let Some(share) = shares.of(peer.ip(), settings) else {
            tracing::debug!(%peer, "closed, because its address has as many connections as it may");
            continue;
        };
        let Some(entry) = hall.enter(share) else {
            tracing::debug!(%peer, "closed, because too many wait for a place");
            continue;
        };
        let (router, cancel) = (router.clone(), cancel.clone());
        connections.spawn(async move {
            let entered = cancel.run_until_cancelled(entry.place()).await;
            let Some((_place, share)) = entered.flatten() else {
                return;
            };
            converse(stream, (peer, share.is_a_proxys()), router, bounds, &cancel).await;
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Waits for somebody who connects.
async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
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

/// Where connections come in.
#[derive(Debug)]
struct Hall {
    places: Places,
    waiting: Arc<Semaphore>,
    bounds: Bounds,
}

/// A connection that has a place or waits for one.
enum Entry {
    In(OwnedSemaphorePermit, Share),
    Waiting {
        places: Places,
        share: Share,
        /// Held while it waits.
        seat: OwnedSemaphorePermit,
        longest: Duration,
    },
}

impl Hall {
    /// Gives a place, or a seat to wait for one; nothing where there is neither.
    fn enter(&self, share: Share) -> Option<Entry> {
        if let Some(place) = self.places.take(&share) {
            return Some(Entry::In(place, share));
        }
        Some(Entry::Waiting {
            places: self.places.clone(),
            share,
            seat: self.waiting.clone().try_acquire_owned().ok()?,
            longest: self.bounds.head,
        })
    }
}

impl Entry {
    /// Waits for the place; nothing where it took too long.
    async fn place(self) -> Option<(OwnedSemaphorePermit, Share)> {
        match self {
            Self::In(place, share) => Some((place, share)),
            Self::Waiting {
                places,
                share,
                seat,
                longest,
            } => {
                let place = timeout(longest, places.wait(&share)).await.ok()??;
                drop(seat);
                Some((place, share))
            }
        }
    }
}
