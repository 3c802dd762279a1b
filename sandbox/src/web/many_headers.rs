//! Answers with a million header fields, over HTTP/1.1 and over HTTP/2.

use std::io::Error;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::fault::Wire;

/// Fields of one answer.
pub const MANY_HEADERS: usize = 1_000_000;

/// Fields that are written at once.
const AT_ONCE: usize = 2_000;

/// Writes the fields of an answer over HTTP/1.1, whose first line was written.
pub(super) async fn over_http1(stream: &mut impl Wire) -> Result<(), Error> {
    let lines = "x: y\r\n".repeat(AT_ONCE);
    for _ in 0..MANY_HEADERS / AT_ONCE {
        stream.write_all(lines.as_bytes()).await?;
    }
    stream.write_all(b"content-length: 0\r\n\r\n").await
}

/// Answers the first request of a connection over HTTP/2 with one HEADERS frame and CONTINUATION frames after it, of which
/// only the last one ends the list (RFC 9113, 6.10).
pub(super) async fn over_http2(mut stream: impl Wire) -> Result<(), Error> {
    const SETTINGS: u8 = 4;
    const HEADERS: u8 = 1;
    const CONTINUATION: u8 = 9;
    const END_HEADERS: u8 = 4;
    /// `:status: 200` of the static table (RFC 7541, A).
    const STATUS_200: u8 = 0x88;
    /// `x: y`, a literal that is not indexed (RFC 7541, 6.2.2).
    const FIELD: [u8; 5] = [0, 1, b'x', 1, b'y'];

    let first = next_request(&mut stream).await?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    stream
        .write_all(&frame(HEADERS, 0, first, &[STATUS_200]))
        .await?;
    let fields = frame(CONTINUATION, 0, first, &FIELD.repeat(AT_ONCE));
    for _ in 0..MANY_HEADERS / AT_ONCE {
        stream.write_all(&fields).await?;
    }
    stream
        .write_all(&frame(CONTINUATION, END_HEADERS, first, &[]))
        .await?;
    stream.flush().await?;
    // The client says goodbye.
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

/// Reads the preface (RFC 9113, 3.4) and frames up to the first request, and returns its stream.
async fn next_request(stream: &mut impl Wire) -> Result<u32, Error> {
    const PREFACE: usize = 24;
    const HEADERS: u8 = 1;
    stream.read_exact(&mut [0; PREFACE]).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [a, b, c, kind, _, id @ ..] = head;
        let length = u64::from(u32::from_be_bytes([0, a, b, c]));
        let mut payload = (&mut *stream).take(length);
        tokio::io::copy(&mut payload, &mut tokio::io::sink()).await?;
        if kind == HEADERS {
            return Ok(u32::from_be_bytes(id));
        }
    }
}

/// Writes a frame (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, id: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len())
        .unwrap_or(u32::MAX)
        .to_be_bytes();
    let [_, length @ ..] = length;
    let mut bytes = length.to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(id.to_be_bytes());
    bytes.extend(payload);
    bytes
}
