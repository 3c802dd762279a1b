//! A real name server (NSD, from the system's packages) on a free loopback port, for measurements against a peer that is
//! not ours.

use std::{
    fmt::Write as _,
    fs, io,
    net::{SocketAddr, UdpSocket},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long the server may take to read its zone.
const PATIENCE: Duration = Duration::from_secs(60);

/// An NSD that serves one zone, stopped and swept away when dropped.
#[derive(Debug)]
pub struct Nsd {
    child: Child,
    directory: tempfile::TempDir,
    address: SocketAddr,
}

impl Nsd {
    /// Starts a server for a zone. Each entry is a line of the zone file, such as `www A 127.0.0.1`, relative to the
    /// zone. Answers nothing where no NSD is installed.
    ///
    /// # Errors
    /// When files cannot be written, or the server does not answer within a minute; its log is in the message.
    pub fn start<I>(zone: &str, entries: I) -> io::Result<Option<Self>>
    where
        I: IntoIterator<Item = String>,
    {
        let programs = ["/usr/sbin/nsd", "/usr/local/sbin/nsd"];
        let Some(program) = programs.into_iter().find(|path| Path::new(path).exists()) else {
            return Ok(None);
        };
        let directory = tempfile::Builder::new().prefix("nsd-").tempdir()?;
        let mut text = format!(
            "$ORIGIN {zone}.\n$TTL 300\n@ SOA ns admin 1 7200 600 86400 300\n@ NS ns\nns A 127.0.0.1\n"
        );
        for entry in entries {
            text.push_str(&entry);
            text.push('\n');
        }
        fs::write(directory.path().join("zone"), text)?;
        let address = UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
        let file = directory.path().join("nsd.conf");
        fs::write(&file, configuration(zone, directory.path(), address))?;
        let child = Command::new(program)
            .args(["-d", "-c"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut server = Self {
            child,
            directory,
            address,
        };
        server.wait_until_it_answers(zone)?;
        Ok(Some(server))
    }

    /// Returns where the server listens, over UDP and TCP.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    fn wait_until_it_answers(&mut self, zone: &str) -> io::Result<()> {
        let probe = UdpSocket::bind("127.0.0.1:0")?;
        probe.set_read_timeout(Some(Duration::from_millis(50)))?;
        let query = query(zone);
        let since = Instant::now();
        let mut answer = [0; 512];
        while since.elapsed() < PATIENCE {
            probe.send_to(&query, self.address)?;
            // A record in the answer section (its count is the third number of the header): the zone is loaded.
            if probe.recv(&mut answer).is_ok() && answer.get(7).is_some_and(|count| *count > 0) {
                return Ok(());
            }
            if self.child.try_wait()?.is_some() {
                break;
            }
        }
        let log = fs::read_to_string(self.directory.path().join("nsd.log")).unwrap_or_default();
        Err(io::Error::other(format!("NSD does not answer: {log}")))
    }
}

impl Drop for Nsd {
    fn drop(&mut self) {
        // NSD's children end with their parent on TERM; KILL would leave them behind.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }
}

fn configuration(zone: &str, home: &Path, address: SocketAddr) -> String {
    let home = home.display();
    let mut text = format!(
        "server:\n ip-address: {}@{}\n",
        address.ip(),
        address.port()
    );
    for (name, value) in [
        ("username", ""),
        ("chroot", ""),
        ("database", ""),
        ("zonesdir", &home.to_string()),
        ("pidfile", &format!("{home}/nsd.pid")),
        ("xfrdfile", &format!("{home}/xfrd.state")),
        ("zonelistfile", &format!("{home}/zone.list")),
        ("logfile", &format!("{home}/nsd.log")),
        ("cookie-secret-file", ""),
    ] {
        let _ = writeln!(text, " {name}: \"{value}\"");
    }
    text.push_str(
        " log-only-syslog: no\n server-count: 1\n rrl-ratelimit: 0\n minimal-responses: yes\n \
         receive-buffer-size: 4194304\n send-buffer-size: 4194304\nremote-control:\n control-enable: no\n",
    );
    let _ = write!(text, "zone:\n name: {zone}\n zonefile: {home}/zone\n");
    text
}

/// Asks for the address of the zone's own name server (RFC 1035 §4.1).
fn query(zone: &str) -> Vec<u8> {
    let mut query = vec![0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in ["ns"].into_iter().chain(zone.split('.')) {
        query.push(u8::try_from(label.len()).unwrap_or(63));
        query.extend_from_slice(label.as_bytes());
    }
    query.extend_from_slice(&[0, 0, 1, 0, 1]);
    query
}
