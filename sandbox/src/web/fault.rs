//! Sites that misbehave below HTTP: resets, silence, drips, bodies without end.

use std::io::Error;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::many_headers;
use crate::world::Site;

/// A connection, encrypted or not, down to its socket.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {
    /// Returns the socket below.
    fn socket(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// The head of a response whose body never keeps its promise.
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\n";

/// Pause between bytes that nobody asked to be slower.
const FLUSH_PAUSE: Duration = Duration::from_millis(20);

/// Plays a fault to its end, which is the client's leaving or the connection's end.
///
/// # Errors
/// When the client leaves, which is how most of these end.
pub(crate) async fn play(stream: &mut impl Wire, site: &Site) -> Result<(), Error> {
    match site {
        Site::Reset(after) => reset(stream, *after).await,
        Site::Silent => until_client_leaves(stream).await,
        Site::Drip(pause) => drip(stream, *pause).await,
        Site::Endless => endless(stream).await,
        Site::HugeHeaders => huge_headers(stream).await,
        Site::ManyHeaders => {
            stream.write_all(HEAD).await?;
            many_headers::over_http1(stream).await
        }
        Site::Garbage => {
            stream
                .write_all(b"\x00\x01\x02 this is not HTTP \xff\xfe\r\n\r\n")
                .await
        }
        Site::Short => {
            stream.write_all(HEAD).await?;
            stream
                .write_all(b"content-length: 5000\r\n\r\n<html><title>cut")
                .await?;
            stream.flush().await
        }
        // Every other site has a reply and does not come here.
        _ => Ok(()),
    }
}

async fn reset(stream: &mut impl Wire, after: usize) -> Result<(), Error> {
    if after > 0 {
        let mut bytes = [
            HEAD,
            b"content-length: 100000\r\n\r\n<html><head><title>Soon gone</title>",
        ]
        .concat();
        bytes.resize(after, b'.');
        stream.write_all(&bytes).await?;
        stream.flush().await?;
        // A reset overtakes bytes that are still on their way; let them arrive.
        tokio::time::sleep(FLUSH_PAUSE).await;
    }
    // Closing with a linger of zero sends RST in place of FIN.
    stream.socket().set_zero_linger()
}

async fn until_client_leaves(stream: &mut impl Wire) -> Result<(), Error> {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

async fn drip(stream: &mut impl Wire, pause: Duration) -> Result<(), Error> {
    stream.write_all(HEAD).await?;
    stream
        .write_all(b"content-length: 100000000\r\n\r\n")
        .await?;
    loop {
        stream.write_all(b".").await?;
        stream.flush().await?;
        tokio::time::sleep(pause.max(Duration::from_millis(1))).await;
    }
}

async fn endless(stream: &mut impl Wire) -> Result<(), Error> {
    stream.write_all(HEAD).await?;
    stream
        .write_all(b"transfer-encoding: chunked\r\n\r\n")
        .await?;
    let text = "<p>and so on and on</p>\n".repeat(512);
    let chunk = format!("{:x}\r\n{text}\r\n", text.len());
    loop {
        stream.write_all(chunk.as_bytes()).await?;
    }
}

async fn huge_headers(stream: &mut impl Wire) -> Result<(), Error> {
    stream.write_all(HEAD).await?;
    let line = format!("x-filler: {}\r\n", "a".repeat(8000));
    for _ in 0..128 {
        stream.write_all(line.as_bytes()).await?;
    }
    stream.write_all(b"content-length: 0\r\n\r\n").await
}
