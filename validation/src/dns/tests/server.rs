//! A DNS server that does what a closure says, over UDP and TCP on one port.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use hickory_proto::{
    op::{Message, MessageType, OpCode, ResponseCode},
    rr::{Name, RData, Record, RecordType},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A query as the server sees it.
pub(super) struct Asked {
    pub(super) message: Message,
    pub(super) over_tcp: bool,
    /// How many came before it.
    pub(super) nth: usize,
}

/// What the server does about a query.
pub(super) enum Act {
    Send(Vec<u8>),
    SendAfter(Duration, Vec<u8>),
    /// From a socket of another port.
    SendFromElsewhere(Vec<u8>),
}

/// What the server remembers of a query.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) at: Instant,
    pub(super) name: String,
    pub(super) record_type: RecordType,
    pub(super) over_tcp: bool,
}

type Script = dyn Fn(&Asked) -> Vec<Act> + Send + Sync;

#[derive(Default)]
struct Ledger {
    seen: Mutex<Vec<Seen>>,
    unanswered: AtomicUsize,
    most_unanswered: AtomicUsize,
    sent: AtomicUsize,
}

/// A running server; it stops when dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    ledger: Arc<Ledger>,
    _guard: DropGuard,
}

impl Server {
    pub(super) async fn start(script: impl Fn(&Asked) -> Vec<Act> + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1", script).await
    }

    pub(super) async fn start_at(
        ip: &str,
        script: impl Fn(&Asked) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        // The TCP port of the same number may be taken by chance.
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind((ip, 0)).await.unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                break (Arc::new(udp), tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let script: Arc<Script> = Arc::new(script);
        let ledger = Arc::new(Ledger::default());
        let stop = CancellationToken::new();
        let over_udp = serve_udp(udp, Arc::clone(&script), Arc::clone(&ledger));
        let over_tcp = serve_tcp(tcp, script, Arc::clone(&ledger));
        let stopped = stop.clone();
        tokio::spawn(async move {
            stopped
                .run_until_cancelled(async { tokio::join!(over_udp, over_tcp) })
                .await;
        });
        Self {
            address,
            ledger,
            _guard: stop.drop_guard(),
        }
    }

    /// A server with one address for every name.
    pub(super) async fn good() -> Self {
        Self::start(|asked| vec![asked.address("192.0.2.1")]).await
    }

    /// A server with one code for every name.
    pub(super) async fn always(code: ResponseCode) -> Self {
        Self::start(move |asked| vec![asked.code(code)]).await
    }

    pub(super) async fn silent() -> Self {
        Self::start(|_| Vec::new()).await
    }

    pub(super) fn name(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.ledger.seen.lock().unwrap().clone()
    }

    pub(super) fn count(&self) -> usize {
        self.ledger.seen.lock().unwrap().len()
    }

    pub(super) fn sent(&self) -> usize {
        self.ledger.sent.load(Ordering::SeqCst)
    }

    /// The most queries that were ever waiting for an answer at once.
    pub(super) fn most_unanswered(&self) -> usize {
        self.ledger.most_unanswered.load(Ordering::SeqCst)
    }
}

impl Asked {
    pub(super) fn name(&self) -> String {
        let mut name = self.message.queries[0]
            .name()
            .to_ascii()
            .to_ascii_lowercase();
        name.pop();
        name
    }

    pub(super) fn record_type(&self) -> RecordType {
        self.message.queries[0].query_type()
    }

    /// An empty answer to this query, from a server that looks names up.
    pub(super) fn blank(&self) -> Message {
        let mut message = Message::new(
            self.message.metadata.id,
            MessageType::Response,
            OpCode::Query,
        );
        message.metadata.recursion_available = true;
        message.queries = self.message.queries.clone();
        message
    }

    pub(super) fn code(&self, code: ResponseCode) -> Act {
        let mut message = self.blank();
        message.metadata.response_code = code;
        send(&message)
    }

    /// An address for A, nothing for other types.
    pub(super) fn address(&self, address: &str) -> Act {
        send(&self.with_address(address))
    }

    pub(super) fn with_address(&self, address: &str) -> Message {
        let mut message = self.blank();
        if self.record_type() == RecordType::A {
            message
                .answers
                .push(record(&self.name(), RData::A(address.parse().unwrap())));
        }
        message
    }
}

pub(super) fn send(message: &Message) -> Act {
    Act::Send(message.to_vec().unwrap())
}

pub(super) fn record(owner: &str, data: RData) -> Record {
    Record::from_rdata(name(owner), 300, data)
}

pub(super) fn name(text: &str) -> Name {
    Name::from_ascii(format!("{text}.")).unwrap()
}

fn decide(bytes: &[u8], over_tcp: bool, script: &Script, ledger: &Ledger) -> Vec<Act> {
    let message = Message::from_vec(bytes).unwrap();
    let mut seen = ledger.seen.lock().unwrap();
    let asked = Asked {
        message,
        over_tcp,
        nth: seen.len(),
    };
    seen.push(Seen {
        at: Instant::now(),
        name: asked.name(),
        record_type: asked.record_type(),
        over_tcp,
    });
    let unanswered = ledger.unanswered.fetch_add(1, Ordering::SeqCst) + 1;
    ledger
        .most_unanswered
        .fetch_max(unanswered, Ordering::SeqCst);
    drop(seen);
    script(&asked)
}

async fn serve_udp(udp: Arc<UdpSocket>, script: Arc<Script>, ledger: Arc<Ledger>) {
    let elsewhere = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut buffer = [0; 2_048];
    loop {
        let Ok((length, from)) = udp.recv_from(&mut buffer).await else {
            // A client that has gone away.
            continue;
        };
        for act in decide(&buffer[..length], false, &*script, &ledger) {
            match act {
                Act::Send(bytes) => {
                    ledger.unanswered.fetch_sub(1, Ordering::SeqCst);
                    let _ = udp.send_to(&bytes, from).await;
                    ledger.sent.fetch_add(1, Ordering::SeqCst);
                }
                Act::SendFromElsewhere(bytes) => {
                    elsewhere.send_to(&bytes, from).await.unwrap();
                }
                Act::SendAfter(pause, bytes) => {
                    let (udp, ledger) = (Arc::clone(&udp), Arc::clone(&ledger));
                    tokio::spawn(async move {
                        tokio::time::sleep(pause).await;
                        ledger.unanswered.fetch_sub(1, Ordering::SeqCst);
                        let _ = udp.send_to(&bytes, from).await;
                        ledger.sent.fetch_add(1, Ordering::SeqCst);
                    });
                }
            }
        }
    }
}

async fn serve_tcp(listener: TcpListener, script: Arc<Script>, ledger: Arc<Ledger>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        // A client that hangs up early is its own affair.
        let _ = converse(stream, &*script, &ledger).await;
    }
}

async fn converse(mut stream: TcpStream, script: &Script, ledger: &Ledger) -> std::io::Result<()> {
    loop {
        let length = stream.read_u16().await?;
        let mut bytes = vec![0; usize::from(length)];
        stream.read_exact(&mut bytes).await?;
        for act in decide(&bytes, true, script, ledger) {
            if let Act::Send(bytes) = act {
                stream.write_u16(bytes.len() as u16).await?;
                stream.write_all(&bytes).await?;
            }
        }
    }
}
