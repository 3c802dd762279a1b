//! One resolver: its sockets, its pace and its health.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    Resolver,
    health::Health,
    message::{Answer, Question},
    pace::Pacer,
    socket::{Failure, Socket},
    tcp,
};

/// A resolver as the engine keeps it.
#[derive(Debug)]
pub(super) struct Upstream {
    /// How it is named in reports: the address, with its port where that is not 53.
    pub(super) name: String,
    pub(super) address: SocketAddr,
    pub(super) sockets: Vec<Arc<Socket>>,
    pub(super) pacer: Option<Pacer>,
    pub(super) health: Health,
    turn: AtomicUsize,
    sent: AtomicU64,
}

impl Upstream {
    pub(super) fn new(
        address: SocketAddr,
        sockets: Vec<Arc<Socket>>,
        pacer: Option<Pacer>,
        health: Health,
    ) -> Self {
        Self {
            name: Resolver::Address(address).to_string(),
            address,
            sockets,
            pacer,
            health,
            turn: AtomicUsize::new(0),
            sent: AtomicU64::new(0),
        }
    }

    /// Asks over UDP, on each socket in turn.
    pub(super) async fn ask(
        &self,
        question: &Arc<Question>,
        edns: bool,
    ) -> Result<Answer, Failure> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let Some(socket) = turn
            .checked_rem(self.sockets.len())
            .and_then(|index| self.sockets.get(index))
        else {
            return Err(Failure::Stopped);
        };
        self.sent.fetch_add(1, Ordering::Relaxed);
        socket.ask(question, edns).await
    }

    /// Asks over TCP.
    pub(super) async fn ask_over_tcp(
        &self,
        question: &Question,
        edns: bool,
        limit: Duration,
    ) -> Result<Answer, Failure> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        tcp::ask(self.address, question, edns, limit).await
    }

    /// Counts the queries sent so far, repetitions and TCP included.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}
