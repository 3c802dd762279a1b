//! Questions over TCP (RFC 7766): two bytes of length before each message, any number of them on a connection.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Shared;
use super::answer::Outcome;
use super::wire::Query;
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

async fn connection(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    loop {
        let length = match tokio::time::timeout(IDLE, stream.read_u16()).await {
            Ok(length) => length?,
            Err(_) => return Ok(()),
        };
        let mut packet = vec![0; usize::from(length)];
        stream.read_exact(&mut packet).await?;
        shared.tally.tcp.fetch_add(1, Ordering::Relaxed);
        let Some(query) = Query::parse(&packet) else {
            return Ok(());
        };
        match shared.outcome(&shared.script(), &query) {
            // Silence over TCP keeps the connection open and says nothing on it.
            Outcome::Silence => {}
            Outcome::Send {
                response, delay, ..
            } => {
                tokio::time::sleep(delay).await;
                let bytes = response.encode(&query, usize::from(u16::MAX));
                let mut framed = u16::try_from(bytes.len())
                    .unwrap_or(u16::MAX)
                    .to_be_bytes()
                    .to_vec();
                framed.extend(bytes);
                stream.write_all(&framed).await?;
            }
        }
    }
}
