//! Questions over UDP.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::net::UdpSocket;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::answer::Outcome;
use super::received::{Received, Receiver};
use super::script::{Forgery, ResolverScript};
use super::wire::{Answer, Code, Data, Query, Response};
use crate::world::draw::Draw;

/// Questions answered before other tasks of the runtime get a turn.
const BURST: usize = 128;

/// Late answers that wait at once.
const MAX_LATE: usize = 65_536;

/// A late answer; ordered by its time, then by arrival.
type Late = Reverse<(Instant, u64, SocketAddr, Vec<u8>)>;

struct Server {
    socket: UdpSocket,
    receiver: Receiver,
    shared: Arc<Shared>,
    late: BinaryHeap<Late>,
    arrivals: u64,
    losses: Draw,
}

pub(super) async fn serve(
    (socket, receiver): (UdpSocket, Receiver),
    shared: Arc<Shared>,
    token: CancellationToken,
) {
    let losses = Draw::new(shared.loss_seed, "losses");
    let mut server = Server {
        losses,
        socket,
        receiver,
        shared,
        late: BinaryHeap::new(),
        arrivals: 0,
    };
    loop {
        let due = server.late.peek().map(|Reverse((at, ..))| *at);
        tokio::select! {
            biased;
            () = token.cancelled() => return,
            () = async { if let Some(due) = due { tokio::time::sleep_until(due).await } }, if due.is_some() => server.send_due().await,
            ready = server.socket.readable() => match ready {
                Ok(()) => server.burst().await,
                Err(error) => tracing::debug!(%error, "sandbox resolver's socket is not readable"),
            },
        }
    }
}

impl Server {
    async fn burst(&mut self) {
        let mut buffer = [0_u8; 4096];
        let script = self.shared.script();
        for _ in 0..BURST {
            match self.receiver.read(&self.socket, &mut buffer) {
                Ok(Received { length, from, at }) => {
                    if let Some(packet) = buffer.get(..length) {
                        self.question(&script, packet, (from, at)).await;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // A client that closed its socket comes back as an ICMP error on ours; the next question is fine.
                Err(_) => {}
            }
        }
        tokio::task::yield_now().await;
    }

    async fn question(
        &mut self,
        script: &ResolverScript,
        packet: &[u8],
        (from, at): (SocketAddr, std::time::Instant),
    ) {
        self.arrivals += 1;
        self.shared.tally.arrived(script.timed, at);
        if self.losses.chance(script.loss) {
            return;
        }
        let Some(query) = Query::parse(packet) else {
            return;
        };
        let Outcome::Send {
            mut response,
            delay,
            truncate_udp,
        } = self.shared.outcome(script, &query)
        else {
            return;
        };
        response.truncated |= truncate_udp;
        if let Some(forgery) = script.forge {
            self.forge(forgery, packet, from).await;
        }
        let bytes = response.encode(&query, query.udp_limit());
        if delay.is_zero() {
            self.send(&bytes, from).await;
        } else if self.late.len() < MAX_LATE {
            self.late.push(Reverse((
                Instant::now() + delay,
                self.arrivals,
                from,
                bytes,
            )));
            let late = u64::try_from(self.late.len()).unwrap_or(u64::MAX);
            self.shared.tally.peak.fetch_max(late, Ordering::Relaxed);
        }
    }

    /// Sends the wrong answer that a careful client drops.
    async fn forge(&self, forgery: Forgery, packet: &[u8], from: SocketAddr) {
        let Some(mut query) = Query::parse(packet) else {
            return;
        };
        let mut response = Response::empty(Code::NoError);
        response.answers.push(Answer {
            owner: None,
            ttl: 300,
            data: Data::A([192, 0, 2, 66].into()),
        });
        match forgery {
            Forgery::WrongId => {
                query.id = !query.id;
                self.send(&response.encode(&query, usize::MAX), from).await;
            }
            Forgery::WrongQuestion => {
                let mut bytes = response.encode(&query, usize::MAX);
                // Byte 13 is the first letter of the name; flipping its low bit makes it another name.
                if let Some(letter) = bytes.get_mut(13) {
                    *letter ^= 1;
                }
                self.send(&bytes, from).await;
            }
            Forgery::WrongSource => {
                if let Ok(other) = UdpSocket::bind("127.0.0.1:0").await {
                    // Lost or not, the true answer follows.
                    other
                        .send_to(&response.encode(&query, usize::MAX), from)
                        .await
                        .ok();
                }
            }
        }
    }

    async fn send(&self, bytes: &[u8], to: SocketAddr) {
        let sent = match self.socket.try_send_to(bytes, to) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.socket.send_to(bytes, to).await
            }
            sent => sent,
        };
        if let Err(error) = sent {
            tracing::trace!(%error, %to, "answer not sent");
        }
    }

    async fn send_due(&mut self) {
        let now = Instant::now();
        while self.late.peek().is_some_and(|Reverse((at, ..))| *at <= now) {
            if let Some(Reverse((_, _, to, bytes))) = self.late.pop() {
                self.send(&bytes, to).await;
            }
        }
    }
}
