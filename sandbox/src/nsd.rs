//! A real name server (NSD, from the system's packages) on a free loopback port, for measurements against a peer that is
//! not ours.

use std::{fmt::Write as _, fs, io, net::SocketAddr, path::Path};

use crate::program::{self, End, Program};

/// An NSD that serves one zone, stopped and swept away when dropped.
#[derive(Debug)]
pub struct Nsd {
    _program: Program,
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
        let Some(program) = program::find(&["/usr/sbin/nsd", "/usr/local/sbin/nsd"]) else {
            return Ok(None);
        };
        let mut text = format!(
            "$ORIGIN {zone}.\n$TTL 300\n@ SOA ns admin 1 7200 600 86400 300\n@ NS ns\nns A 127.0.0.1\n"
        );
        for entry in entries {
            text.push_str(&entry);
            text.push('\n');
        }
        program::start_on_free_ports(|| Self::start_here(program, zone, &text)).map(Some)
    }

    /// Starts the program for a zone file.
    fn start_here(program: &str, zone: &str, text: &str) -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("nsd-").tempdir()?;
        fs::write(directory.path().join("zone"), text)?;
        let [address] = program::free_ports()?;
        let file = directory.path().join("nsd.conf");
        fs::write(&file, configuration(zone, directory.path(), address))?;
        let arguments = ["-d".as_ref(), "-c".as_ref(), file.as_os_str()];
        let mut program = Program::start(program, &arguments, directory, "nsd.log", End::Ask)?;
        program.wait_until_it_answers(address, &format!("ns.{zone}"))?;
        Ok(Self {
            _program: program,
            address,
        })
    }

    /// Returns where the server listens, over UDP and TCP.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
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
