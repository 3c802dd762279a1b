//! A server program of the system's packages, on free loopback ports, with a directory of its own.

use std::{
    ffi::OsStr,
    fs, io,
    net::{SocketAddr, UdpSocket},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// Attempts at starting a server.
const ATTEMPTS: usize = 4;

/// A running server, stopped and swept away when dropped.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    directory: tempfile::TempDir,
    log: &'static str,
    end: End,
}

/// How a program is stopped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// Asked to: its children end with it, and would be left behind by [`End::Kill`].
    Ask,
    /// At once: it has no children, and would wait for its clients.
    Kill,
}

/// Starts a server, with other ports where somebody took one between its choice and its use.
///
/// # Errors
/// What the last attempt came to.
pub(crate) fn start_on_free_ports<T>(start: impl Fn() -> io::Result<T>) -> io::Result<T> {
    (1..ATTEMPTS).fold(start(), |started, _| started.or_else(|_| start()))
}

/// Finds the first program that is there.
pub(crate) fn find(places: &[&'static str]) -> Option<&'static str> {
    places.iter().copied().find(|path| Path::new(path).exists())
}

/// Finds loopback addresses whose ports are free, each another one.
///
/// # Errors
/// When none can be had.
pub(crate) fn free_ports<const N: usize>() -> io::Result<[SocketAddr; N]> {
    // All at once, or the same port would come again.
    let sockets: io::Result<Vec<_>> = (0..N).map(|_| UdpSocket::bind("127.0.0.1:0")).collect();
    let addresses: io::Result<Vec<_>> = sockets?.iter().map(UdpSocket::local_addr).collect();
    <[SocketAddr; N]>::try_from(addresses?).map_err(|_| io::Error::other("too few ports"))
}

impl Program {
    /// Starts a program in a directory, where it writes a log of this name.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(
        program: &str,
        arguments: &[&OsStr],
        directory: tempfile::TempDir,
        log: &'static str,
        end: End,
    ) -> io::Result<Self> {
        let child = Command::new(program)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self {
            child,
            directory,
            log,
            end,
        })
    }

    /// Waits until a DNS server has an address for a name.
    ///
    /// # Errors
    /// When it has none within a minute, or ends; its log is in the message.
    pub(crate) fn wait_until_it_answers(
        &mut self,
        address: SocketAddr,
        name: &str,
    ) -> io::Result<()> {
        let probe = UdpSocket::bind("127.0.0.1:0")?;
        probe.set_read_timeout(Some(Duration::from_millis(50)))?;
        let query = query(name);
        let since = Instant::now();
        let mut answer = [0; 512];
        while since.elapsed() < PATIENCE {
            probe.send_to(&query, address)?;
            // A record in the answer section (its count is the third number of the header).
            if probe.recv(&mut answer).is_ok() && answer.get(7).is_some_and(|count| *count > 0) {
                return Ok(());
            }
            if self.child.try_wait()?.is_some() {
                break;
            }
        }
        let log = fs::read_to_string(self.directory.path().join(self.log)).unwrap_or_default();
        Err(io::Error::other(format!(
            "the server does not answer: {log}"
        )))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        match self.end {
            End::Ask => {
                let id = self.child.id().to_string();
                let _ = Command::new("kill").arg(id).status();
            }
            End::Kill => {
                let _ = self.child.kill();
            }
        }
        let _ = self.child.wait();
    }
}

/// Asks for the address of a name, recursion desired (RFC 1035 §4.1).
fn query(name: &str) -> Vec<u8> {
    let mut query = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).unwrap_or(63));
        query.extend_from_slice(label.as_bytes());
    }
    query.extend_from_slice(&[0, 0, 1, 0, 1]);
    query
}
