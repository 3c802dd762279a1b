//! One connection: its requests, and when it ends.
//!
//! It ends when nothing is asked for a while, whatever the version of HTTP and however much else is said, and when an answer
//! waits too long for its client to read on: what is written for him and not read is memory of the server. As long as he
//! reads, neither is the case, however long it takes him.

mod socket;

use std::{
    collections::HashMap,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::{ConnectInfo, Request},
};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use self::socket::Socket;
use super::bounds::Bounds;

/// The most of a request's head, and of what waits to be read or written, that a connection of HTTP/1 holds, bytes.
const BUFFER: usize = 64 << 10;
/// The most that a connection of HTTP/2 holds of bodies that nobody has read, bytes.
const WINDOW: u32 = 256 << 10;
/// Requests at once on a connection of HTTP/2.
const STREAMS: u32 = 32;
/// The same of a proxy of the operator's, which asks for many.
const STREAMS_OF_PROXY: u32 = 256;

/// So many bytes that go out are of answers, whose client reads; fewer may be pings of HTTP/2, which say nothing of that.
const READ_ON: usize = 4 << 10;

/// Answers the requests of one connection until it is over.
pub(super) async fn converse(
    stream: TcpStream,
    (peer, is_a_proxy): (SocketAddr, bool),
    router: Router,
    bounds: Bounds,
    cancel: &CancellationToken,
) {
    let talk = Arc::new(Talk::new(bounds));
    let talks = Arc::clone(&talk);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (turn, router) = (Turn::begin(&talks), router.clone());
        request.extensions_mut().insert(ConnectInfo(peer));
        async move {
            let answered = router.oneshot(request).await;
            answered.map(|response| response.map(|body| Body::new(Answered { body, turn })))
        }
    });
    let builder = builder(is_a_proxy, bounds);
    let socket = TokioIo::new(Socket::new(stream, &talk));
    let mut connection = pin!(builder.serve_connection(socket, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        end = talk.over() => match end {
            End::Unread => return,
            End::Idle => {
                connection.as_mut().graceful_shutdown();
                let Ok(ended) = timeout(bounds.head, connection).await else {
                    return;
                };
                ended
            }
        },
        () = cancel.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => ended,
                _ = talk.over() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %peer, "a connection broke off");
    }
}

fn builder(is_a_proxy: bool, bounds: Bounds) -> Builder<TokioExecutor> {
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
        .max_concurrent_streams(if is_a_proxy {
            STREAMS_OF_PROXY
        } else {
            STREAMS
        })
        .keep_alive_interval(bounds.head)
        .keep_alive_timeout(bounds.head);
    builder
}

/// What is said on a connection.
#[derive(Debug)]
struct Talk {
    bounds: Bounds,
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    /// Requests whose answers are not yet handed on to be written.
    requests: usize,
    /// Since when there is none, and nothing waits to go out.
    idle_since: Instant,
    /// Since when something waits to go out, where the client has to read before it does.
    waiting: Option<Instant>,
    /// When the client last read on: [`READ_ON`] bytes went out.
    read_on: Instant,
    /// Bytes that went out since.
    written: usize,
    /// Answers whose client has to read on before there is more of them, and since when.
    unread: HashMap<u64, Instant>,
    next: u64,
}

/// Why a connection is over.
enum End {
    /// Nothing was asked.
    Idle,
    /// An answer was not read.
    Unread,
}

impl Talk {
    fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            now: Mutex::new(Now {
                requests: 0,
                idle_since: Instant::now(),
                waiting: None,
                read_on: Instant::now(),
                written: 0,
                unread: HashMap::new(),
                next: 0,
            }),
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the connection is over.
    async fn over(&self) -> End {
        loop {
            let (idle, unread) = self.ends();
            let now = Instant::now();
            if unread.is_some_and(|end| end <= now) {
                return End::Unread;
            }
            if idle.is_some_and(|end| end <= now) {
                return End::Idle;
            }
            let soonest = now + self.bounds.head.min(self.bounds.reading);
            let ends = [idle, unread].into_iter().flatten();
            sleep_until(ends.fold(soonest, Instant::min)).await;
        }
    }

    /// Tells when the connection is over if all stays as it is: because nothing is asked, and because nothing is read.
    fn ends(&self) -> (Option<Instant>, Option<Instant>) {
        let now = self.now();
        let is_idle = now.requests == 0 && now.waiting.is_none();
        let idle = is_idle.then(|| now.idle_since + self.bounds.head);
        let unread = now.unread.values().chain(&now.waiting).min();
        let unread = unread.map(|since| now.read_on.max(*since) + self.bounds.reading);
        (idle, unread)
    }

    /// Notes that bytes went out.
    fn writes(&self, bytes: usize) {
        let mut now = self.now();
        now.written = now.written.saturating_add(bytes);
        if now.written >= READ_ON {
            now.written = 0;
            now.read_on = Instant::now();
        }
    }

    /// Notes that something cannot go out before the client reads.
    fn waits(&self) {
        self.now().waiting.get_or_insert_with(Instant::now);
    }

    /// Notes that all went out that was to.
    fn is_written(&self) {
        let mut now = self.now();
        if now.waiting.take().is_some() {
            now.idle_since = Instant::now();
        }
    }
}

/// A request, until its answer is handed on to be written.
#[derive(Debug)]
struct Turn {
    talk: Arc<Talk>,
    number: u64,
}

impl Turn {
    fn begin(talk: &Arc<Talk>) -> Self {
        let mut now = talk.now();
        now.requests += 1;
        now.next += 1;
        Self {
            number: now.next,
            talk: Arc::clone(talk),
        }
    }

    /// Notes whether it is the client's turn: something was written that he has to read before there is more.
    fn is_the_clients(&self, clients: bool) {
        let mut now = self.talk.now();
        match clients {
            true => now.unread.insert(self.number, Instant::now()),
            false => now.unread.remove(&self.number),
        };
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut now = self.talk.now();
        now.unread.remove(&self.number);
        now.requests = now.requests.saturating_sub(1);
        now.idle_since = Instant::now();
    }
}

/// The body of an answer, which notes whether it is read.
struct Answered {
    body: Body,
    turn: Turn,
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // Nobody asks for more before what there was is on its way.
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.turn.is_the_clients(polled.is_ready());
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, time::Duration};

    use axum::routing::get;
    use futures::stream;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpSocket},
        time::sleep,
    };

    use super::*;

    #[tokio::test]
    async fn a_stream_that_its_client_does_not_read_ends_and_one_that_has_nothing_to_say_goes_on() {
        let bounds = Bounds {
            reading: Duration::from_millis(200),
            ..Bounds::default()
        };
        let endless = stream::repeat_with(|| Ok::<_, Infallible>(vec![b'x'; 1 << 16]));
        let silent = stream::pending::<Result<Vec<u8>, Infallible>>;
        let router = Router::new()
            .route("/endless", get(async move || Body::from_stream(endless)))
            .route("/silent", get(async move || Body::from_stream(silent())));
        for (path, ends) in [("/endless", true), ("/silent", false)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let mut client = TcpStream::connect(address).await.unwrap();
            let (stream, peer) = listener.accept().await.unwrap();
            let asked = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            client.write_all(asked.as_bytes()).await.unwrap();
            let cancel = CancellationToken::new();
            let spoken = converse(stream, (peer, false), router.clone(), bounds, &cancel);
            // Five times as long as it may wait for a reader.
            let longest = if ends { 30_000 } else { 1_000 };
            let over = timeout(Duration::from_millis(longest), spoken).await;
            assert_eq!(over.is_ok(), ends, "{path}");
        }
    }

    /// The size of an answer that its client reads slowly, bytes.
    const SIZE: usize = 12 << 20;
    /// How much of it he reads at a time, and what a socket holds.
    const PART: usize = 256 << 10;
    const SOCKET: u32 = 256 << 10;

    #[tokio::test]
    async fn an_answer_that_its_client_reads_slowly_is_written_to_its_end() {
        // All that is read takes three times as long.
        let second = Duration::from_secs(1);
        let bounds = Bounds {
            head: second,
            reading: second,
            ..Bounds::default()
        };
        let halves = || stream::iter((0..2).map(|_| Ok::<_, Infallible>(vec![b'x'; SIZE / 2])));
        let router = Router::new()
            .route("/whole", get(async || vec![b'x'; SIZE]))
            .route("/halves", get(async move || Body::from_stream(halves())));
        let small = || {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_send_buffer_size(SOCKET).unwrap();
            socket.set_recv_buffer_size(SOCKET).unwrap();
            socket
        };
        for path in ["/whole", "/halves"] {
            let listening = small();
            listening.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let listener = listening.listen(1).unwrap();
            let address = listener.local_addr().unwrap();
            let mut client = small().connect(address).await.unwrap();
            let (stream, peer) = listener.accept().await.unwrap();
            let reads = async move {
                let asked = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
                client.write_all(asked.as_bytes()).await.unwrap();
                let mut part = vec![0; PART];
                for read in 0..SIZE / PART {
                    let whole = client.read_exact(&mut part).await;
                    assert!(whole.is_ok(), "{path}: {read} parts, then {whole:?}");
                    sleep(3 * second / 48).await;
                }
            };
            let cancel = CancellationToken::new();
            let spoken = converse(stream, (peer, false), router.clone(), bounds, &cancel);
            let both = async { tokio::join!(spoken, reads) };
            let over = timeout(Duration::from_secs(60), both).await;
            assert!(over.is_ok(), "{path}");
        }
    }
}
