//! Questions over TLS (RFC 7858): one connection to the server, many queries in flight on it (RFC 7766 §6.2.1.1).
//!
//! The connection is made when it is first needed and again when it has ended. A server closes one that is idle when it
//! likes, so a query that was lost with an old connection is sent once more on a new one.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split},
    net::TcpStream,
    sync::{Mutex as TurnMutex, mpsc, oneshot},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    Endpoint, Error,
    endpoint::Host,
    message::{Answer, Header, Question},
    socket::Failure,
    trust::{self, Outside},
};

/// Queries that wait to be written; further askers wait for room.
const UNWRITTEN: usize = 64;

type Stream = TlsStream<TcpStream>;

/// The client of one server.
pub(super) struct Client {
    server: Endpoint,
    host: String,
    name: ServerName<'static>,
    connector: TlsConnector,
    outside: Outside,
    /// Held while connecting, so that one connection serves all who wait for it.
    current: TurnMutex<Option<Arc<Connection>>>,
    stop: CancellationToken,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Client")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Prepares a client; nothing is connected yet.
    pub(super) fn new(
        server: Endpoint,
        tls: Arc<ClientConfig>,
        outside: Outside,
        stop: CancellationToken,
    ) -> Result<Self, Error> {
        let name = match &server.host {
            Host::Ip(ip) => ServerName::IpAddress((*ip).into()),
            Host::Name(name) => ServerName::try_from(name.clone())
                .map_err(|error| Error::invalid("resolvers", format!("{name}: {error}")))?,
        };
        Ok(Self {
            host: match &server.host {
                Host::Ip(ip) => ip.to_string(),
                Host::Name(name) => name.clone(),
            },
            server,
            name,
            connector: TlsConnector::from(tls),
            outside,
            current: TurnMutex::new(None),
            stop,
        })
    }

    /// Gives the server's name, or its address where it has none.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Asks and waits for the answer, connecting first where that is needed, all within `limit`.
    pub(super) async fn ask(
        &self,
        question: &Arc<Question>,
        edns: bool,
        limit: Duration,
    ) -> Result<Answer, Failure> {
        let asking = self.ask_patiently(question, edns);
        match self.stop.run_until_cancelled(timeout(limit, asking)).await {
            Some(Ok(answer)) => answer,
            Some(Err(_)) => Err(Failure::Timeout),
            None => Err(Failure::Stopped),
        }
    }

    async fn ask_patiently(&self, question: &Arc<Question>, edns: bool) -> Result<Answer, Failure> {
        let (connection, is_new) = self.connection(None).await?;
        match self.ask_on(&connection, question, edns).await {
            Err(Failure::Unreachable(_)) if !is_new => {
                let (connection, _) = self.connection(Some(&connection)).await?;
                self.ask_on(&connection, question, edns).await
            }
            ended => ended,
        }
    }

    /// Asks on a connection, and lets go of it if nothing at all came over it while we waited.
    async fn ask_on(
        &self,
        connection: &Arc<Connection>,
        question: &Arc<Question>,
        edns: bool,
    ) -> Result<Answer, Failure> {
        let heard = connection.table.heard.load(Ordering::Relaxed);
        let mut silence = Silence {
            client: self,
            connection,
            heard: Some(heard),
        };
        let ended = connection.ask(question, edns).await;
        silence.heard = None;
        ended
    }

    /// Gives the connection, a new one where there is none or only the one that has failed; says whether it is new.
    async fn connection(
        &self,
        failed: Option<&Arc<Connection>>,
    ) -> Result<(Arc<Connection>, bool), Failure> {
        let mut current = self.current.lock().await;
        if let Some(connection) = &*current
            && !connection.table.is_closed()
            && self.outside.held(connection.peer).is_none()
            && failed.is_none_or(|failed| !Arc::ptr_eq(failed, connection))
        {
            return Ok((Arc::clone(connection), false));
        }
        let (stream, peer) = self.connect().await.map_err(|error| match error.kind() {
            // What TLS says is worth more than its kind.
            io::ErrorKind::InvalidData | io::ErrorKind::PermissionDenied => {
                Failure::Transport(error.to_string())
            }
            kind => Failure::Unreachable(kind),
        })?;
        let connection = Arc::new(Connection::start(stream, peer, &self.stop));
        *current = Some(Arc::clone(&connection));
        Ok((connection, true))
    }

    async fn connect(&self) -> io::Result<(Stream, IpAddr)> {
        let addresses = match &self.server.host {
            Host::Ip(ip) => vec![SocketAddr::new(*ip, self.server.port)],
            Host::Name(name) => trust::look_up(name, self.server.port, &self.outside).await?,
        };
        let (tcp, peer) = self.dial(&addresses).await?;
        tcp.set_nodelay(true)?;
        let stream = self.connector.connect(self.name.clone(), tcp).await?;
        Ok((stream, peer))
    }

    /// Connects to the first address that lets us and that the suppression list does not name at that moment.
    async fn dial(&self, addresses: &[SocketAddr]) -> io::Result<(TcpStream, IpAddr)> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in addresses {
            if let Some(why) = self.outside.held(address.ip()) {
                last = io::Error::new(io::ErrorKind::PermissionDenied, why);
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(tcp) => return Ok((tcp, address.ip())),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Lets go of a connection that stayed silent until its asker gave up: the way there may be gone.
struct Silence<'a> {
    client: &'a Client,
    connection: &'a Arc<Connection>,
    /// What was heard before the asking; nothing once it has ended by itself.
    heard: Option<u64>,
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        if self.heard == Some(self.connection.table.heard.load(Ordering::Relaxed))
            && let Ok(mut current) = self.client.current.try_lock()
            && current
                .as_ref()
                .is_some_and(|current| Arc::ptr_eq(current, self.connection))
        {
            // Others who wait on it still hold it, and may be luckier.
            *current = None;
        }
    }
}

#[derive(Debug)]
struct Pending {
    question: Arc<Question>,
    reply: oneshot::Sender<Result<Answer, Failure>>,
    /// Which of the uses of its id it is.
    generation: u64,
}

/// The queries in flight on a connection; at most [`MAX_IN_FLIGHT`](super::MAX_IN_FLIGHT), the engine's permits.
#[derive(Debug, Default)]
struct Table {
    /// Nothing once the connection has ended.
    pending: Mutex<Option<HashMap<u16, Pending>>>,
    /// Messages that came.
    heard: AtomicU64,
    /// Queries registered.
    generations: AtomicU64,
}

impl Table {
    fn lock(&self) -> MutexGuard<'_, Option<HashMap<u16, Pending>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.lock().is_none()
    }

    /// Ends all queries and takes no more.
    fn close(&self) {
        for (_, pending) in self.lock().take().into_iter().flatten() {
            let lost = Failure::Unreachable(io::ErrorKind::ConnectionAborted);
            let _ = pending.reply.send(Err(lost));
        }
    }

    /// Gives an answer to whoever asked for it, or ignores it.
    fn accept(&self, message: &[u8]) {
        self.heard.fetch_add(1, Ordering::Relaxed);
        let Some(header) = Header::read(message).filter(|header| header.response) else {
            return;
        };
        let mut table = self.lock();
        let Some(Entry::Occupied(found)) = table.as_mut().map(|table| table.entry(header.id))
        else {
            return;
        };
        if !found.get().question.is_asked_by(&header, message) {
            return;
        }
        let pending = found.remove();
        drop(table);
        let answer =
            Answer::read(&header, message, &pending.question).map_err(|_| Failure::Malformed);
        let _ = pending.reply.send(answer);
    }
}

/// One connection and the two tasks that serve it, which end with it.
struct Connection {
    peer: IpAddr,
    table: Arc<Table>,
    queries: mpsc::Sender<Vec<u8>>,
    _guard: DropGuard,
}

impl Connection {
    fn start(stream: Stream, peer: IpAddr, stop: &CancellationToken) -> Self {
        let table = Arc::new(Table {
            pending: Mutex::new(Some(HashMap::new())),
            ..Table::default()
        });
        let (queries, unwritten) = mpsc::channel(UNWRITTEN);
        let (reading, writing) = split(stream);
        let stop = stop.child_token();
        let (served, stopped) = (Arc::clone(&table), stop.clone());
        tokio::spawn(async move {
            let both = async {
                tokio::select! {
                    ended = read(reading, &served) => ended,
                    ended = write(writing, unwritten) => ended,
                }
            };
            if let Some(Err(error)) = stopped.run_until_cancelled(both).await {
                tracing::trace!(%error, "a connection for DNS over TLS ended");
            }
            served.close();
        });
        Self {
            peer,
            table,
            queries,
            _guard: stop.drop_guard(),
        }
    }

    async fn ask(&self, question: &Arc<Question>, edns: bool) -> Result<Answer, Failure> {
        let gone = || Failure::Unreachable(io::ErrorKind::ConnectionAborted);
        let (in_flight, answered) = self.register(question).ok_or_else(gone)?;
        let message = question.message(in_flight.id, edns);
        let length = u16::try_from(message.len()).map_err(|_| Failure::Malformed)?;
        let framed = [&length.to_be_bytes(), message.as_slice()].concat();
        self.queries.send(framed).await.map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Finds a free random id and puts the query under it; nothing once the connection has ended.
    fn register(
        &self,
        question: &Arc<Question>,
    ) -> Option<(InFlight<'_>, oneshot::Receiver<Result<Answer, Failure>>)> {
        let (reply, answered) = oneshot::channel();
        let mut table = self.table.lock();
        let pending = table.as_mut()?;
        let generation = self.table.generations.fetch_add(1, Ordering::Relaxed);
        let id = loop {
            let id = rand::random();
            if let Entry::Vacant(free) = pending.entry(id) {
                free.insert(Pending {
                    question: Arc::clone(question),
                    reply,
                    generation,
                });
                break id;
            }
        };
        drop(table);
        let in_flight = InFlight {
            table: &self.table,
            id,
            generation,
        };
        Some((in_flight, answered))
    }
}

/// Takes the query out of the table when its caller goes away.
struct InFlight<'a> {
    table: &'a Table,
    id: u16,
    generation: u64,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if let Some(pending) = self.table.lock().as_mut()
            && let Entry::Occupied(found) = pending.entry(self.id)
            && found.get().generation == self.generation
        {
            found.remove();
        }
    }
}

async fn read(mut stream: ReadHalf<Stream>, table: &Table) -> io::Result<()> {
    let mut message = Vec::new();
    loop {
        let length = stream.read_u16().await?;
        message.resize(usize::from(length), 0);
        stream.read_exact(&mut message).await?;
        table.accept(&message);
    }
}

async fn write(
    mut stream: WriteHalf<Stream>,
    mut unwritten: mpsc::Receiver<Vec<u8>>,
) -> io::Result<()> {
    while let Some(query) = unwritten.recv().await {
        stream.write_all(&query).await?;
        // What else waits goes into the same records.
        if unwritten.is_empty() {
            stream.flush().await?;
        }
    }
    Ok(())
}
