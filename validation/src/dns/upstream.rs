//! One resolver: the way to it, its pace and its health.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    health::Health,
    message::{Answer, Question},
    over_https, over_tls,
    pace::Pacer,
    socket::{Failure, Socket},
    tcp,
};
use crate::suppression::{Held, List};

/// How a resolver is reached.
#[derive(Debug)]
pub(super) enum Way {
    /// Over UDP, on each socket in turn, and over TCP.
    Plain(SocketAddr, Vec<Arc<Socket>>),
    /// Over TLS.
    Tls(over_tls::Client),
    /// Over HTTPS.
    Https(Box<over_https::Client>),
}

/// A resolver as the engine keeps it.
#[derive(Debug)]
pub(super) struct Upstream {
    /// How it is named in reports: the address, with its port where that is not 53, or the URL.
    pub(super) name: String,
    way: Way,
    pub(super) pacer: Option<Arc<Pacer>>,
    pub(super) health: Health,
    turn: AtomicUsize,
    sent: AtomicU64,
    in_flight: AtomicUsize,
}

/// Counts a query for as long as it is in flight.
struct InFlight<'a>(&'a AtomicUsize);

impl<'a> InFlight<'a> {
    fn count(counter: &'a AtomicUsize) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(counter)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Upstream {
    pub(super) fn new(name: String, way: Way, pacer: Option<Arc<Pacer>>, health: Health) -> Self {
        Self {
            name,
            way,
            pacer,
            health,
            turn: AtomicUsize::new(0),
            sent: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
        }
    }

    /// Asks once, the way that the resolver is asked.
    pub(super) async fn ask(
        &self,
        question: &Arc<Question>,
        edns: bool,
        limit: Duration,
    ) -> Result<Answer, Failure> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let _counted = InFlight::count(&self.in_flight);
        match &self.way {
            Way::Plain(_, sockets) => {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed);
                let socket = turn
                    .checked_rem(sockets.len())
                    .and_then(|index| sockets.get(index));
                match socket {
                    Some(socket) => socket.ask(question, edns).await,
                    None => Err(Failure::Stopped),
                }
            }
            // These are larger than the way that nearly all take.
            Way::Tls(client) => Box::pin(client.ask(question, edns, limit)).await,
            Way::Https(client) => Box::pin(client.ask(question, edns)).await,
        }
    }

    /// Tells why the suppression list keeps it from being asked. One that is reached over TLS and has a name looks at its
    /// addresses when it connects.
    pub(super) fn held(&self, list: &List) -> Option<Held> {
        match &self.way {
            Way::Plain(address, _) => list.address(address.ip()),
            Way::Tls(client) => list.host(client.host()),
            Way::Https(client) => list.host(client.host()),
        }
    }

    /// Gives the address where an answer that was cut short can be had whole, if there is one.
    pub(super) const fn tcp_address(&self) -> Option<SocketAddr> {
        match self.way {
            Way::Plain(address, _) => Some(address),
            Way::Tls(_) | Way::Https(_) => None,
        }
    }

    /// Asks over TCP.
    pub(super) async fn ask_over_tcp(
        &self,
        address: SocketAddr,
        question: &Question,
        edns: bool,
        limit: Duration,
    ) -> Result<Answer, Failure> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let _counted = InFlight::count(&self.in_flight);
        tcp::ask(address, question, edns, limit).await
    }

    /// Counts the queries sent so far, repetitions and TCP included.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Counts the queries that wait for an answer.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }
}
