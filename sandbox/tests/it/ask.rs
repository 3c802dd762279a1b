//! A DNS client on hickory-proto, which shares nothing with the sandbox's encoder.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// How long an answer may take that comes at once; silence is silence after it.
pub(crate) const PATIENCE: Duration = Duration::from_millis(400);

pub(crate) fn query(name: &str, kind: RecordType) -> Message {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    let mut message = Message::new(
        NEXT.fetch_add(1, Ordering::Relaxed),
        MessageType::Query,
        OpCode::Query,
    );
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

pub(crate) fn with_edns(mut message: Message, payload: u16) -> Message {
    let mut edns = Edns::new();
    edns.set_max_payload(payload);
    message.set_edns(edns);
    message
}

/// Sends one packet and returns every packet that comes back in time, at most `wanted`, with its source.
pub(crate) async fn exchange(
    server: SocketAddr,
    message: &Message,
    wanted: usize,
) -> Vec<(SocketAddr, Message)> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket
        .send_to(&message.to_vec().unwrap(), server)
        .await
        .unwrap();
    let mut answers = Vec::new();
    let mut buffer = [0; 65_535];
    while answers.len() < wanted {
        match tokio::time::timeout(PATIENCE, socket.recv_from(&mut buffer)).await {
            Ok(received) => {
                let (length, from) = received.unwrap();
                answers.push((from, Message::from_vec(&buffer[..length]).unwrap()));
            }
            Err(_) => break,
        }
    }
    answers
}

/// Asks over UDP; none is silence.
pub(crate) async fn udp(server: SocketAddr, name: &str, kind: RecordType) -> Option<Message> {
    let query = query(name, kind);
    let (from, answer) = exchange(server, &query, 1).await.pop()?;
    assert_eq!(
        (from, answer.metadata.id, &answer.queries),
        (server, query.metadata.id, &query.queries)
    );
    Some(answer)
}

/// Asks over TCP.
pub(crate) async fn tcp(server: SocketAddr, name: &str, kind: RecordType) -> Message {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let bytes = query(name, kind).to_vec().unwrap();
    stream.write_u16(bytes.len() as u16).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
    let length = stream.read_u16().await.unwrap();
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes).await.unwrap();
    Message::from_vec(&bytes).unwrap()
}

/// The addresses in an answer.
pub(crate) fn addresses(message: &Message) -> Vec<String> {
    message
        .answers
        .iter()
        .filter_map(|record| record.data.ip_addr())
        .map(|address| address.to_string())
        .collect()
}
