//! The metrics of a node on an address of their own.

use tokio::net::TcpListener;

use super::{Error, Node};
use crate::{config::MetricsArgs, http, monitoring::Monitor, sse::Streams};

/// Takes the address that was named, if one was.
///
/// # Errors
/// When it cannot be listened on.
pub(super) async fn open(args: &MetricsArgs) -> Result<Option<TcpListener>, Error> {
    let Some(address) = args.metrics_listen else {
        return Ok(None);
    };
    let listener = TcpListener::bind(address).await;
    listener
        .map(Some)
        .map_err(|error| Error::Failed(format!("cannot listen on {address}: {error}")))
}

/// Serves them there, until the node ends.
pub(super) fn serve(
    node: &Node,
    listener: Option<TcpListener>,
    monitor: &Monitor,
    streams: Option<&Streams>,
) {
    let Some(listener) = listener else { return };
    let of = (monitor.clone(), node.app.clone());
    let served = http::serve_metrics(listener, of, streams.cloned(), node.cancel.clone());
    node.tracker.spawn(served);
}
