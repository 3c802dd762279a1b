//! A real resolver (Unbound, from the system's packages) on free loopback ports, plain, over TLS and over HTTPS.

use std::{fmt::Write as _, fs, io, net::SocketAddr, path::Path};

use crate::program::{self, End, Program};

/// A zone that Unbound refuses to resolve.
pub const REFUSED_ZONE: &str = "refused.test";

/// An Unbound that asks one authority, stopped and swept away when dropped.
#[derive(Debug)]
pub struct Unbound {
    _program: Program,
    plain: SocketAddr,
    tls: SocketAddr,
    https: SocketAddr,
    certificate: String,
}

impl Unbound {
    /// Starts a resolver that finds the given zones at one authority; names in [`REFUSED_ZONE`] are refused. The name,
    /// which must have an address, tells when it is ready. Answers nothing where no Unbound is installed.
    ///
    /// # Errors
    /// When files cannot be written, or the resolver does not answer within a minute; its log is in the message.
    pub fn start(zones: &[&str], authority: SocketAddr, name: &str) -> io::Result<Option<Self>> {
        let Some(program) = program::find(&["/usr/sbin/unbound", "/usr/local/sbin/unbound"]) else {
            return Ok(None);
        };
        program::start_on_free_ports(|| Self::start_here(program, zones, authority, name)).map(Some)
    }

    fn start_here(
        program: &str,
        zones: &[&str],
        authority: SocketAddr,
        name: &str,
    ) -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("unbound-").tempdir()?;
        let home = directory.path();
        let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()])
            .map_err(io::Error::other)?;
        let certificate = key.cert.pem();
        fs::write(home.join("certificate.pem"), &certificate)?;
        fs::write(home.join("key.pem"), key.signing_key.serialize_pem())?;
        let ports = program::free_ports()?;
        let file = home.join("unbound.conf");
        fs::write(&file, configuration(zones, authority, home, ports))?;
        let arguments = ["-d".as_ref(), "-c".as_ref(), file.as_os_str()];
        let mut program = Program::start(program, &arguments, directory, "unbound.log", End::Kill)?;
        let [plain, tls, https] = ports;
        program.wait_until_it_answers(plain, name)?;
        Ok(Self {
            _program: program,
            plain,
            tls,
            https,
            certificate,
        })
    }

    /// Returns where it listens over UDP and TCP.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.plain
    }

    /// Returns where it listens over TLS.
    #[must_use]
    pub const fn tls_address(&self) -> SocketAddr {
        self.tls
    }

    /// Returns the URL of its DNS over HTTPS.
    #[must_use]
    pub fn https_url(&self) -> String {
        format!("https://{}/dns-query", self.https)
    }

    /// Returns its certificate, which is for 127.0.0.1 and signed by itself, in PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate
    }
}

fn configuration(
    zones: &[&str],
    authority: SocketAddr,
    home: &Path,
    ports: [SocketAddr; 3],
) -> String {
    let home = home.display();
    let mut text = "server:\n".to_owned();
    for address in ports {
        let _ = writeln!(text, " interface: {}@{}", address.ip(), address.port());
    }
    let [_, tls, https] = ports.map(|address| address.port());
    let _ = writeln!(text, " tls-port: {tls}\n https-port: {https}");
    for (name, value) in [
        ("username", ""),
        ("chroot", ""),
        ("directory", &home.to_string()),
        ("pidfile", &format!("{home}/unbound.pid")),
        ("logfile", &format!("{home}/unbound.log")),
        ("tls-service-key", &format!("{home}/key.pem")),
        ("tls-service-pem", &format!("{home}/certificate.pem")),
        // Without the validator, for the zones are made up and nobody vouches for them.
        ("module-config", "iterator"),
    ] {
        let _ = writeln!(text, " {name}: \"{value}\"");
    }
    text.push_str(
        " use-syslog: no\n num-threads: 1\n so-reuseport: no\n do-not-query-localhost: no\n \
         access-control: 127.0.0.0/8 allow\n local-zone: \"test.\" nodefault\n",
    );
    let _ = writeln!(text, " local-zone: \"{REFUSED_ZONE}.\" refuse");
    text.push_str("remote-control:\n control-enable: no\n");
    // Not as stub zones: from their name servers' addresses it would go on to ports that are not those of the authority.
    for zone in zones {
        let _ = writeln!(
            text,
            "forward-zone:\n name: \"{zone}\"\n forward-addr: {}@{}",
            authority.ip(),
            authority.port()
        );
    }
    text
}
