//! The connections that requests go over: with or without TLS, directly or inside a tunnel.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// The way to the peer that was dialled: the site itself or a proxy.
#[derive(Debug)]
pub(in crate::http) enum Link {
    /// A TCP connection.
    Tcp(TcpStream),
    /// TLS to a proxy.
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection to a site.
#[derive(Debug)]
pub(in crate::http) enum Stream {
    /// Without encryption of its own.
    Plain(Link),
    /// With TLS to the site, through whatever lies between.
    Secure(Box<TlsStream<Link>>),
}

/// Hands every operation on to whichever variant there is.
macro_rules! delegate {
    ($kind:ident: $first:ident, $second:ident) => {
        impl AsyncRead for $kind {
            fn poll_read(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<Result<()>> {
                match self.get_mut() {
                    Self::$first(inner) => Pin::new(inner).poll_read(context, buffer),
                    Self::$second(inner) => Pin::new(inner).poll_read(context, buffer),
                }
            }
        }

        impl AsyncWrite for $kind {
            fn poll_write(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<Result<usize>> {
                match self.get_mut() {
                    Self::$first(inner) => Pin::new(inner).poll_write(context, bytes),
                    Self::$second(inner) => Pin::new(inner).poll_write(context, bytes),
                }
            }

            fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
                match self.get_mut() {
                    Self::$first(inner) => Pin::new(inner).poll_flush(context),
                    Self::$second(inner) => Pin::new(inner).poll_flush(context),
                }
            }

            fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
                match self.get_mut() {
                    Self::$first(inner) => Pin::new(inner).poll_shutdown(context),
                    Self::$second(inner) => Pin::new(inner).poll_shutdown(context),
                }
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<Result<usize>> {
                match self.get_mut() {
                    Self::$first(inner) => Pin::new(inner).poll_write_vectored(context, slices),
                    Self::$second(inner) => Pin::new(inner).poll_write_vectored(context, slices),
                }
            }

            fn is_write_vectored(&self) -> bool {
                match self {
                    Self::$first(inner) => inner.is_write_vectored(),
                    Self::$second(inner) => inner.is_write_vectored(),
                }
            }
        }
    };
}

delegate!(Link: Tcp, Tls);
delegate!(Stream: Plain, Secure);
