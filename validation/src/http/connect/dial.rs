//! Dialling: several addresses in turn, within one deadline.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::suppression::{Held, Suppression};

/// Why nobody was reached.
#[derive(Debug)]
pub(super) enum Undialled {
    /// Nobody was tried: the suppression list names this address, and all others that there are.
    Held(SocketAddr, Held),
    /// What the last address that was tried said.
    Failed(Error),
}

impl From<Error> for Undialled {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Connects to the first address that lets us. Each gets an equal share of the time that is left, so that one that says
/// nothing does not take the time of the others. One that is on the suppression list when its turn comes is passed over.
///
/// # Errors
///
/// What the last address that was tried said, or that the list names all of them.
pub(super) async fn dial(
    addresses: &[SocketAddr],
    suppression: &Suppression,
    deadline: Instant,
) -> Result<(TcpStream, SocketAddr), Undialled> {
    let mut failed = None;
    let mut held = None;
    for (address, left) in addresses.iter().zip((1..=addresses.len()).rev()) {
        if let Some(by) = suppression.address(address.ip()) {
            held = Some(Undialled::Held(*address, by));
            continue;
        }
        let now = Instant::now();
        let share = deadline.saturating_duration_since(now) / u32::try_from(left).unwrap_or(1);
        match timeout_at(now + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok((stream, *address));
            }
            Ok(Err(error)) => failed = Some(error),
            Err(_) => {
                failed = Some(Error::new(
                    ErrorKind::TimedOut,
                    "time ran out while connecting",
                ));
            }
        }
    }
    let nobody = || Error::new(ErrorKind::AddrNotAvailable, "there is no address").into();
    Err(failed.map(Undialled::from).or(held).unwrap_or_else(nobody))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;
    use uuid::Uuid;

    use super::*;
    use crate::suppression::{Entry, Kind, List};

    #[tokio::test]
    async fn an_address_that_comes_onto_the_list_while_another_is_tried_is_not_tried_itself() {
        // One that says nothing: its backlog is full.
        let silent = TcpListener::bind("127.0.0.3:0").await.unwrap();
        let port = silent.local_addr().unwrap().port();
        let open = TcpListener::bind(("127.0.0.4", port)).await.unwrap();
        drop(silent);
        let addresses = [
            SocketAddr::from(([127, 0, 0, 3], port)),
            open.local_addr().unwrap(),
        ];
        let suppression = Suppression::default();
        let deadline = Instant::now() + Duration::from_secs(20);
        let dialled = dial(&addresses, &suppression, deadline).await.unwrap();
        assert_eq!(dialled.1, addresses[1], "the first refuses");
        suppression.set(List::new([entry("127.0.0.4/32")]).unwrap());
        let refused = dial(&addresses, &suppression, deadline).await.unwrap_err();
        assert!(matches!(refused, Undialled::Failed(_)), "{refused:?}");
        suppression.set(List::new([entry("127.0.0.0/8")]).unwrap());
        let held = dial(&addresses, &suppression, deadline).await.unwrap_err();
        assert!(matches!(held, Undialled::Held(..)), "{held:?}");
    }

    fn entry(block: &str) -> Entry {
        Entry {
            id: Uuid::from_u128(7),
            kind: Kind::Cidr,
            value: block.to_owned(),
        }
    }
}
