//! How many files and sockets the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit of open descriptors to what the system lets the process have. The limit that processes begin with, 1,024
/// in most places, is for programs that wait with `select`; a server with engines and thousands of streams needs more, and
/// cannot accept a connection where none is left.
pub(super) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if limit == raised {
        return;
    }
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => {
            tracing::debug!(from = ?limit.current, to = ?limit.maximum, "more descriptors may be open")
        }
        Err(error) => tracing::warn!(
            %error, limit = ?limit.current, "the limit of open descriptors could not be raised"
        ),
    }
}
