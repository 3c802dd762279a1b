//! One long-lived UDP socket towards one resolver, with many queries in flight on it.
//!
//! The socket is connected, so the kernel drops datagrams from any other address. An answer is taken only if
//! its id is in flight and its question is the one that was asked under that id; all else is ignored, and the
//! query waits on. Every query ends: answered, timed out by the wheel, or failed with the socket.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use socket2::{Domain, Protocol, SockRef, Socket as RawSocket, Type};
use tokio::{
    io::Interest,
    net::UdpSocket,
    sync::{Notify, oneshot},
};

use super::{
    Error,
    message::{Answer, Header, Question},
    wheel::{Clock, Wheel},
};

/// Bytes asked of the kernel for answers that wait to be read; it may grant less.
const RECEIVE_BUFFER: usize = 4 << 20;
/// Longest datagram read; we announce 1,232 bytes and leave room for servers that do not listen.
const LONGEST_DATAGRAM: usize = 4_096;
/// Answers read before other tasks get their turn.
const BATCH: usize = 128;

/// Why a packet brought no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing that matched came in time.
    Timeout,
    /// The answer that matched cannot be read.
    Malformed,
    /// The operating system says that nobody is there.
    Unreachable(io::ErrorKind),
    /// TLS or HTTPS does not come about, in words.
    Transport(String),
    /// The engine is stopping.
    Stopped,
}

#[derive(Debug)]
struct Pending {
    question: Arc<Question>,
    reply: oneshot::Sender<Result<Answer, Failure>>,
    generation: u32,
}

#[derive(Debug)]
struct Table {
    /// At most [`MAX_IN_FLIGHT`](super::MAX_IN_FLIGHT), the engine's permits.
    pending: HashMap<u16, Pending>,
    wheel: Wheel<(u16, u32)>,
    generation: u32,
    closed: bool,
}

/// A connected socket and its queries in flight.
#[derive(Debug)]
pub(super) struct Socket {
    udp: UdpSocket,
    table: Mutex<Table>,
    clock: Clock,
    timeout: Duration,
    /// Rung when the wheel gets its first entry, so that an idle engine need not tick.
    alarm: Arc<Notify>,
}

/// Takes the query out of the table when its caller goes away.
struct InFlight<'a> {
    socket: &'a Socket,
    id: u16,
    generation: u32,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.socket.forget(self.id, self.generation);
    }
}

impl Socket {
    /// Opens a socket on a port of the kernel's choice.
    pub(super) fn connect(
        resolver: SocketAddr,
        clock: Clock,
        timeout: Duration,
        alarm: Arc<Notify>,
    ) -> Result<Self, Error> {
        let udp = open(resolver).map_err(|source| Error::Socket { resolver, source })?;
        Ok(Self {
            udp,
            table: Mutex::new(Table {
                pending: HashMap::new(),
                wheel: Wheel::new(clock.now()),
                generation: 0,
                closed: false,
            }),
            clock,
            timeout,
            alarm,
        })
    }

    /// Sends one packet and waits for its answer.
    pub(super) async fn ask(
        &self,
        question: &Arc<Question>,
        edns: bool,
    ) -> Result<Answer, Failure> {
        let (in_flight, answered) = self.register(question)?;
        let message = question.message(in_flight.id, edns);
        // Not by way of Tokio's word on whether there is room: of a new socket it says no until the runtime has asked, and
        // packets whose turn had come would leave together when it has.
        let sent = match SockRef::from(&self.udp).send(&message) {
            Err(full) if full.kind() == io::ErrorKind::WouldBlock => self.udp.send(&message).await,
            sent => sent,
        };
        if let Err(error) = sent {
            let failure = Failure::Unreachable(error.kind());
            // The news of an earlier packet, and so of all that went before this one.
            if error.kind() == io::ErrorKind::ConnectionRefused {
                self.fail_all(&failure);
            }
            return Err(failure);
        }
        answered.await.unwrap_or(Err(Failure::Stopped))
    }

    /// Finds a free random id and puts the query under it.
    fn register(
        &self,
        question: &Arc<Question>,
    ) -> Result<(InFlight<'_>, oneshot::Receiver<Result<Answer, Failure>>), Failure> {
        let deadline = self.clock.deadline(self.timeout);
        let (reply, answered) = oneshot::channel();
        let mut table = self.lock();
        if table.closed {
            return Err(Failure::Stopped);
        }
        table.generation = table.generation.wrapping_add(1);
        let generation = table.generation;
        let was_idle = table.wheel.is_empty();
        // The engine's permits keep three quarters of the ids free, so this ends after 1.3 tries on average.
        let id = loop {
            let id = rand::random();
            if let Entry::Vacant(free) = table.pending.entry(id) {
                free.insert(Pending {
                    question: Arc::clone(question),
                    reply,
                    generation,
                });
                break id;
            }
        };
        table.wheel.insert(deadline, (id, generation));
        drop(table);
        if was_idle {
            self.alarm.notify_one();
        }
        Ok((
            InFlight {
                socket: self,
                id,
                generation,
            },
            answered,
        ))
    }

    /// Reads answers until the engine drops the future.
    pub(super) async fn listen(&self) {
        let mut buffer = [0; LONGEST_DATAGRAM];
        loop {
            let Ok(ready) = self.udp.ready(Interest::READABLE | Interest::ERROR).await else {
                return;
            };
            if ready.is_error() {
                self.take_error();
            }
            let mut read = 0;
            while read < BATCH {
                match self.udp.try_recv(&mut buffer) {
                    Ok(length) => self.accept(buffer.get(..length).unwrap_or_default()),
                    Err(empty) if empty.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => self.fail_all(&Failure::Unreachable(error.kind())),
                }
                read += 1;
            }
            if read == BATCH {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Hears what the kernel has to say; most often that an ICMP message told of a closed port.
    fn take_error(&self) {
        let error = self.udp.try_io(Interest::ERROR, || {
            // "Would block" makes Tokio forget the readiness, so it is not heard twice.
            Err::<(), _>(
                self.udp
                    .take_error()?
                    .unwrap_or_else(|| io::ErrorKind::WouldBlock.into()),
            )
        });
        if let Err(error) = error
            && error.kind() != io::ErrorKind::WouldBlock
        {
            self.fail_all(&Failure::Unreachable(error.kind()));
        }
    }

    /// Gives an answer to whoever asked for it, or ignores it.
    fn accept(&self, message: &[u8]) {
        let Some(header) = Header::read(message) else {
            return;
        };
        if !header.response {
            return;
        }
        let mut table = self.lock();
        let Entry::Occupied(found) = table.pending.entry(header.id) else {
            return;
        };
        if !found.get().question.is_asked_by(&header, message) {
            return;
        }
        let pending = found.remove();
        drop(table);
        let answer =
            Answer::read(&header, message, &pending.question).map_err(|_| Failure::Malformed);
        // The asker may have gone away in this very moment.
        let _ = pending.reply.send(answer);
    }

    /// Ends the queries whose time is up; says whether more may fall due.
    pub(super) fn expire(&self) -> bool {
        let now = self.clock.now();
        let mut table = self.lock();
        let Table { pending, wheel, .. } = &mut *table;
        wheel.advance(now, |(id, generation)| {
            if let Entry::Occupied(found) = pending.entry(id)
                && found.get().generation == generation
            {
                let _ = found.remove().reply.send(Err(Failure::Timeout));
            }
        });
        !table.wheel.is_empty()
    }

    /// Ends all queries and takes no more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.fail_all(&Failure::Stopped);
    }

    fn fail_all(&self, failure: &Failure) {
        for (_, pending) in self.lock().pending.drain() {
            let _ = pending.reply.send(Err(failure.clone()));
        }
    }

    fn forget(&self, id: u16, generation: u32) {
        let mut table = self.lock();
        if let Entry::Occupied(found) = table.pending.entry(id)
            && found.get().generation == generation
        {
            found.remove();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(resolver: SocketAddr) -> io::Result<UdpSocket> {
    let socket = RawSocket::new(
        Domain::for_address(resolver),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    let any = match resolver {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    socket.bind(&any.into())?;
    socket.connect(&resolver.into())?;
    UdpSocket::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{RecordType, name::WireName},
        *,
    };

    #[tokio::test]
    async fn an_id_in_use_again_is_not_ended_by_the_deadline_of_its_first_use() {
        let timeout = Duration::from_secs(1);
        let clock = Clock::for_timeout(timeout);
        let resolver = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        let socket = Socket::connect(resolver, clock, timeout, Arc::default()).unwrap();
        let name = WireName::encode("example.com").unwrap();
        let question = Arc::new(Question::new(&name, RecordType::A));
        let (first, _) = socket.register(&question).unwrap();
        let (id, deadline) = (first.id, clock.deadline(timeout));
        drop(first);
        // Until its second use falls due clearly later than its first.
        let (_second, mut answered) = loop {
            let (again, answered) = socket.register(&question).unwrap();
            if again.id == id && clock.deadline(timeout) > deadline + 5 {
                break (again, answered);
            }
        };
        let second_deadline = clock.deadline(timeout);
        while clock.now() <= deadline {
            tokio::task::yield_now().await;
        }
        assert!(
            clock.now() < second_deadline,
            "the machine is too slow to tell"
        );
        assert!(socket.expire(), "the second use is still to come");
        assert_eq!(socket.lock().pending.len(), 1);
        while clock.now() < second_deadline {
            tokio::task::yield_now().await;
        }
        assert!(!socket.expire());
        assert_eq!(answered.try_recv().unwrap(), Err(Failure::Timeout));
    }
}
