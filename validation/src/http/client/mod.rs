//! One request over one connection, and its answer.
//!
//! The connection is driven in the future of the request, by whoever waits for the answer: there is no task that could
//! outlive a fetch, and dropping the fetch closes the connection. HTTP/1.1 is hyper's. HTTP/2 is `h2`, which hyper's own
//! is made of, because hyper's wants tasks of its own.

mod decode;
mod headers;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::http::response::Parts;
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;

pub(super) use self::decode::{Decoder, Fed};
pub(super) use self::headers::{Headers, Template, Varying};
use super::connect::Stream;
use super::fault::Fault;

/// Most bytes of an answer's headers.
const MAX_HEADER_BYTES: usize = 128 << 10;
/// Most bytes of an answer's headers over HTTP/2, unpacked.
const MAX_HEADER_LIST: u32 = 64 << 10;
/// What a server may send before it has to wait, of the one stream that there is, over HTTP/2.
const WINDOW: u32 = 1 << 20;

/// An answer whose body is still to come.
pub(super) struct Answer {
    pub(super) head: Parts,
    body: Body,
}

type H1 = http1::Connection<TokioIo<Stream>, String>;
type H2 = h2::client::Connection<Stream, Bytes>;

/// A body and the connection that it comes over.
enum Body {
    One(Incoming, Option<Box<H1>>),
    Two(h2::RecvStream, Option<Box<H2>>),
}

/// Sends a GET over a new connection.
///
/// # Errors
///
/// What went wrong before the head of the answer was there.
pub(super) async fn send(
    stream: Stream,
    http2: bool,
    uri: Uri,
    headers: Headers,
) -> Result<Answer, Fault> {
    match http2 {
        true => send2(stream, uri, headers).await,
        false => send1(stream, uri, headers).await,
    }
}

async fn send1(stream: Stream, uri: Uri, headers: Headers) -> Result<Answer, Fault> {
    let made = http1::Builder::new()
        .max_header_size(MAX_HEADER_BYTES)
        .handshake(TokioIo::new(stream))
        .await;
    let (mut sender, connection) = made.map_err(|error| Fault::exchange(&error))?;
    let mut request = Request::new(String::new());
    *request.uri_mut() = uri;
    *request.headers_mut() = headers.for_http1();
    let mut connection = Some(Box::new(connection));
    let answer = beside(&mut connection, sender.send_request(request)).await;
    let (head, body) = answer
        .map_err(|error| Fault::exchange(&error))?
        .into_parts();
    Ok(Answer {
        head,
        body: Body::One(body, connection),
    })
}

async fn send2(stream: Stream, uri: Uri, headers: Headers) -> Result<Answer, Fault> {
    let mut builder = h2::client::Builder::new();
    builder
        .enable_push(false)
        .max_header_list_size(MAX_HEADER_LIST)
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW);
    let made = builder.handshake::<_, Bytes>(stream).await;
    let (sender, connection) = made.map_err(|error| Fault::exchange(&error))?;
    let mut connection = Some(Box::new(connection));
    let answer = beside(&mut connection, async {
        let mut request = Request::new(());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = uri;
        *request.version_mut() = hyper::Version::HTTP_2;
        *request.headers_mut() = headers.for_http2();
        let (answer, _) = sender.ready().await?.send_request(request, true)?;
        answer.await
    });
    let answer: Result<_, h2::Error> = answer.await;
    let (head, body) = answer
        .map_err(|error| Fault::exchange(&error))?
        .into_parts();
    Ok(Answer {
        head,
        body: Body::Two(body, connection),
    })
}

/// Does something while a connection is driven. How the connection ends is told by what waits for it.
async fn beside<C, T>(connection: &mut Option<C>, work: impl Future<Output = T>) -> T
where
    C: Future + Unpin,
{
    let mut work = pin!(work);
    poll_fn(|context| {
        drive(connection, context);
        work.as_mut().poll(context)
    })
    .await
}

fn drive<C: Future + Unpin>(connection: &mut Option<C>, context: &mut Context<'_>) {
    if let Some(running) = connection
        && Pin::new(running).poll(context).is_ready()
    {
        *connection = None;
    }
}

impl Answer {
    /// Gives the next piece of the body, as it was sent.
    ///
    /// # Errors
    ///
    /// What went wrong before its end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        match &mut self.body {
            Body::One(body, connection) => {
                poll_fn(|context| {
                    drive(connection, context);
                    poll_one(body, context)
                })
                .await
            }
            Body::Two(body, connection) => {
                let piece = beside(connection, body.data()).await;
                let Some(piece) = piece else { return Ok(None) };
                let piece = piece.map_err(|error| Fault::exchange(&error))?;
                // The window is what is not read yet; failing to open it shows in the next piece.
                let _ = body.flow_control().release_capacity(piece.len());
                Ok(Some(piece))
            }
        }
    }
}

/// Gives the next piece of an HTTP/1 body; trailers are passed over.
fn poll_one(body: &mut Incoming, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
    loop {
        match std::task::ready!(Pin::new(&mut *body).poll_frame(context)) {
            None => return Poll::Ready(Ok(None)),
            Some(Err(error)) => return Poll::Ready(Err(Fault::exchange(&error))),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Poll::Ready(Ok(Some(data)));
                }
            }
        }
    }
}
