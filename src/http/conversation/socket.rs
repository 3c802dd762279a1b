//! The socket of a connection, which notes whether what is written goes out.

use std::{
    io::{Error, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::Talk;

/// A socket whose writes are noted: those that went out, and that one waits.
///
/// The versions of HTTP let go of an answer when they have all of it, which may be long before the client has: how far he is
/// is known here only.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    talk: Arc<Talk>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, talk: &Arc<Talk>) -> Self {
        Self {
            stream,
            talk: Arc::clone(talk),
        }
    }

    fn note(&self, written: Poll<Result<usize, Error>>) -> Poll<Result<usize, Error>> {
        match &written {
            Poll::Ready(Ok(bytes)) => self.talk.writes(*bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.talk.waits(),
        }
        written
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, Error>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize, Error>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Is called when all that was to be written is.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.talk.is_written();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
