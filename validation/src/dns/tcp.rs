//! One question over TCP, for answers that do not fit a datagram (RFC 7766).

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{
    message::{Answer, Header, Question},
    socket::Failure,
};

/// Connects, asks, reads until the answer has come, all within `limit`.
pub(super) async fn ask(
    resolver: SocketAddr,
    question: &Question,
    edns: bool,
    limit: Duration,
) -> Result<Answer, Failure> {
    match timeout(limit, exchange(resolver, question, edns)).await {
        Ok(Ok(Some(answer))) => Ok(answer),
        Ok(Ok(None)) => Err(Failure::Malformed),
        Ok(Err(error)) => Err(Failure::Unreachable(error.kind())),
        Err(_) => Err(Failure::Timeout),
    }
}

async fn exchange(
    resolver: SocketAddr,
    question: &Question,
    edns: bool,
) -> io::Result<Option<Answer>> {
    let mut stream = TcpStream::connect(resolver).await?;
    stream.set_nodelay(true)?;
    let id = rand::random();
    let query = question.message(id, edns);
    let length = u16::try_from(query.len()).map_err(io::Error::other)?;
    // One write, so that length and message leave in one segment, RFC 7766 §8.
    stream
        .write_all(&[&length.to_be_bytes(), query.as_slice()].concat())
        .await?;
    let mut message = Vec::new();
    loop {
        let length = stream.read_u16().await?;
        message.resize(usize::from(length), 0);
        stream.read_exact(&mut message).await?;
        let Some(header) = Header::read(&message) else {
            continue;
        };
        if header.response && header.id == id && question.is_asked_by(&header, &message) {
            return Ok(Answer::read(&header, &message, question).ok());
        }
    }
}
