//! The DNS of the sandbox: one authority and any number of scripted resolvers, each on a loopback port of its own, over
//! UDP and TCP.
//!
//! [`crate::Sandbox`] starts them. All answer from the same world; a resolver's [`ResolverScript`] comes on top. One task
//! per UDP socket reads in bursts and answers in place: at some microseconds an answer a task a query would cost more
//! than the answer. Late answers wait in a heap that is bounded; beyond the bound they are dropped, as a busy server would.

pub(crate) mod answer;
mod received;
mod script;
pub(crate) mod tcp;
mod udp;
pub(crate) mod wire;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

pub use script::{Always, Forgery, ResolverScript};
use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Error;
use crate::world::World;
use answer::Outcome;
use wire::{Code, Query};

/// Attempts at finding a port that is free for UDP and TCP at once.
const PORT_ATTEMPTS: usize = 32;

/// Receive buffer of each UDP socket in bytes, so that a burst of thousands of questions is not lost. The kernel may
/// give less.
const RECEIVE_BUFFER: usize = 4 * 1024 * 1024;

/// Moments that a resolver keeps at most.
pub const KEPT_ARRIVALS: usize = 1_000_000;

/// Queries seen so far, for tests that prove who was asked how often.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    udp: AtomicU64,
    tcp: AtomicU64,
    // The most late answers that waited at once.
    peak: AtomicU64,
    arrivals: Mutex<Vec<Instant>>,
}

impl Tally {
    /// Takes note of a question over UDP, of its moment only where the script says so.
    fn arrived(&self, timed: bool, at: Instant) {
        self.udp.fetch_add(1, Ordering::Relaxed);
        if !timed {
            return;
        }
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        if arrivals.len() < KEPT_ARRIVALS {
            arrivals.push(at);
        }
    }
}

/// A running resolver.
#[derive(Debug)]
pub(crate) struct Resolver {
    pub(crate) addr: SocketAddr,
    pub(crate) shared: Arc<Shared>,
}

/// What the tasks of one resolver have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Arc<RwLock<World>>,
    script: RwLock<ResolverScript>,
    authoritative: bool,
    // Every resolver loses other packets than its neighbour, or a retry elsewhere would be lost with the first.
    loss_seed: u64,
    tally: Tally,
    queries: Arc<Queries>,
}

/// Questions for each name that was scripted by itself, which bounds it. Generated names are not counted one by one.
#[derive(Debug, Default)]
pub(crate) struct Queries(Mutex<Asked>);

#[derive(Debug, Default)]
struct Asked {
    counts: HashMap<String, u64>,
    /// The names, in the order in which they were first asked for.
    order: Vec<String>,
}

impl Queries {
    fn count(&self, name: &str) {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match asked.counts.get_mut(name) {
            Some(count) => *count += 1,
            None => {
                asked.counts.insert(name.to_owned(), 1);
                asked.order.push(name.to_owned());
            }
        }
    }

    /// Returns the names that were asked for, in the order in which they first were.
    pub(crate) fn in_order(&self) -> Vec<String> {
        let asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.order.clone()
    }

    /// Returns how often a name was asked for, of all types together, at all resolvers.
    pub(crate) fn of(&self, name: &str) -> u64 {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .counts
            .get(name)
            .copied()
            .unwrap_or(0)
    }
}

impl Shared {
    fn script(&self) -> ResolverScript {
        *self.script.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides what becomes of a question, the resolver's habits first.
    fn outcome(&self, script: &ResolverScript, query: &Query<'_>) -> Outcome {
        let world = self.world.read().unwrap_or_else(PoisonError::into_inner);
        if world.is_explicit(&query.name) {
            self.queries.count(&query.name);
        }
        let mut outcome = match script.always {
            Some(Always::Silent) => Outcome::Silence,
            Some(Always::Refused) => Outcome::code(Code::Refused),
            Some(Always::ServFail) => Outcome::code(Code::ServFail),
            Some(Always::NxDomain) => Outcome::code(Code::NxDomain),
            None => answer::answer(&world, query),
        };
        if let Outcome::Send {
            response,
            delay,
            truncate_udp,
        } = &mut outcome
        {
            response.authoritative = self.authoritative && script.always.is_none();
            *delay = delay.saturating_add(script.delay);
            *truncate_udp |= script.truncate;
        }
        outcome
    }

    /// Answers a message that came over a stream (TCP, TLS, HTTPS), where nothing is lost or cut: the answer and how
    /// late it is, or none for silence.
    ///
    /// # Errors
    /// When the message is no query.
    pub(crate) fn stream_answer(
        &self,
        packet: &[u8],
    ) -> std::io::Result<Option<(Vec<u8>, Duration)>> {
        self.tally.tcp.fetch_add(1, Ordering::Relaxed);
        let query = Query::parse(packet)
            .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidData, "not a query"))?;
        Ok(match self.outcome(&self.script(), &query) {
            Outcome::Silence => None,
            Outcome::Send {
                response, delay, ..
            } => Some((response.encode(&query, usize::from(u16::MAX)), delay)),
        })
    }
}

impl Resolver {
    /// Binds a free loopback port for UDP and TCP and serves on it until the token is cancelled. `place` is the
    /// resolver's place in the list; the authority has none.
    ///
    /// # Errors
    /// When no port can be had.
    pub(crate) async fn start(
        world: Arc<RwLock<World>>,
        queries: Arc<Queries>,
        script: ResolverScript,
        place: Option<u64>,
        token: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Self, Error> {
        let (udp, tcp, addr) = bind().await.map_err(Error::Dns)?;
        let receiver = received::Receiver::new(&udp).map_err(Error::Dns)?;
        let shared = Arc::new(Shared {
            world,
            script: RwLock::new(script),
            authoritative: place.is_none(),
            loss_seed: place.unwrap_or(0),
            tally: Tally::default(),
            queries,
        });
        tasks.spawn(udp::serve(
            (udp, receiver),
            Arc::clone(&shared),
            token.clone(),
        ));
        tasks.spawn(tcp::serve(
            tcp,
            Arc::clone(&shared),
            token.clone(),
            tasks.clone(),
        ));
        Ok(Self { addr, shared })
    }

    /// Returns the questions received over UDP, lost ones included.
    pub(crate) fn packets(&self) -> u64 {
        self.shared.tally.udp.load(Ordering::Relaxed)
    }

    /// Returns the questions received over TCP.
    pub(crate) fn tcp_queries(&self) -> u64 {
        self.shared.tally.tcp.load(Ordering::Relaxed)
    }

    /// Returns the highest number of answers that were late at the same moment.
    pub(crate) fn peak(&self) -> u64 {
        self.shared.tally.peak.load(Ordering::Relaxed)
    }

    /// Returns when questions came over UDP while the script said that they be timed.
    pub(crate) fn arrivals(&self) -> Vec<Instant> {
        self.shared
            .tally
            .arrivals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes the resolver's habits for questions from now on.
    pub(crate) fn set_script(&self, script: ResolverScript) {
        *self
            .shared
            .script
            .write()
            .unwrap_or_else(PoisonError::into_inner) = script;
    }
}

async fn bind() -> std::io::Result<(UdpSocket, TcpListener, SocketAddr)> {
    let mut refused = None;
    for _ in 0..PORT_ATTEMPTS {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        // Less than asked for is what the system allows; a busy test will then see loss, which clients must stand anyway.
        if let Err(error) = socket2::SockRef::from(&udp).set_recv_buffer_size(RECEIVE_BUFFER) {
            tracing::debug!(%error, "receive buffer left at the system's size");
        }
        let addr = udp.local_addr()?;
        match TcpListener::bind(addr).await {
            Ok(tcp) => return Ok((udp, tcp, addr)),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| std::io::Error::other("no port is free for both UDP and TCP")))
}
