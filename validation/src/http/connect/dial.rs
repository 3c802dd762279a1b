//! Dialling: several addresses in turn, within one deadline.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// Connects to the first address that lets us. Each gets an equal share of the time that is left, so that one that says
/// nothing does not take the time of the others.
///
/// # Errors
///
/// What the last address that was tried said.
pub(in crate::http) async fn dial(
    addresses: &[SocketAddr],
    deadline: Instant,
) -> Result<(TcpStream, SocketAddr), Error> {
    let mut last = Error::new(ErrorKind::AddrNotAvailable, "there is no address");
    for (address, left) in addresses.iter().zip((1..=addresses.len()).rev()) {
        let now = Instant::now();
        let share = deadline.saturating_duration_since(now) / u32::try_from(left).unwrap_or(1);
        match timeout_at(now + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok((stream, *address));
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = Error::new(ErrorKind::TimedOut, "time ran out while connecting"),
        }
    }
    Err(last)
}
