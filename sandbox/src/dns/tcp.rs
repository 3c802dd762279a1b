//! Questions over TCP (RFC 7766): two bytes of length before each message, any number of them on a connection.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Shared;
use crate::accept;

/// Connections that one resolver serves at once; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 256;

/// How long a connection may say nothing.
const IDLE: Duration = Duration::from_secs(10);

pub(super) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    token: CancellationToken,
    tasks: TaskTracker,
) {
    accept::each(
        listener,
        MAX_CONNECTIONS,
        token,
        tasks,
        move |stream, token| {
            let shared = Arc::clone(&shared);
            async move {
                tokio::select! {
                    () = token.cancelled() => {}
                    served = connection(stream, &shared) => if let Err(error) = served {
                        tracing::trace!(%error, "DNS connection ended");
                    },
                }
            }
        },
    )
    .await;
}

/// Answers the questions of one connection in order until it ends or says nothing for too long.
///
/// # Errors
/// When the connection fails or something else than a query comes.
pub(crate) async fn connection(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    shared: &Shared,
) -> std::io::Result<()> {
    loop {
        let length = match tokio::time::timeout(IDLE, stream.read_u16()).await {
            Ok(length) => length?,
            Err(_) => return Ok(()),
        };
        let mut packet = vec![0; usize::from(length)];
        stream.read_exact(&mut packet).await?;
        // Silence keeps the connection open and says nothing on it.
        if let Some((answer, delay)) = shared.stream_answer(&packet)? {
            tokio::time::sleep(delay).await;
            let length = u16::try_from(answer.len()).unwrap_or(u16::MAX);
            stream
                .write_all(&[&length.to_be_bytes(), answer.as_slice()].concat())
                .await?;
            stream.flush().await?;
        }
    }
}
