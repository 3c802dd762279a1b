//! Running a server that others made, on a free loopback port, as long as a test needs it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program of Debian's packages.
#[derive(Clone, Copy)]
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
}

impl Program {
    /// Tells whether it is installed, and says so where it is not.
    pub(super) fn is_here(self) -> bool {
        let here = Path::new(self.path).exists();
        if !here {
            println!(
                "real peers: SKIPPED {}: there is no {}",
                self.name, self.path
            );
        }
        here
    }
}

/// A running server, stopped and swept away when dropped.
pub(super) struct Server {
    child: Child,
    directory: tempfile::TempDir,
    pub(super) at: SocketAddr,
}

impl Server {
    /// Starts a server. `files` makes names and contents of its files for the directory and the port that it gets;
    /// `arguments` its command line.
    pub(super) fn start(
        program: Program,
        files: impl FnOnce(&Path, u16) -> Vec<(&'static str, String)>,
        arguments: impl FnOnce(&Path) -> Vec<String>,
    ) -> Self {
        let directory = tempfile::Builder::new().prefix("peer-").tempdir().unwrap();
        // Some of them go on as a user of their own.
        open_to_all(directory.path());
        let at = free();
        for (name, text) in files(directory.path(), at.port()) {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            open_to_all(&path);
        }
        let log = fs::File::create(directory.path().join("output")).unwrap();
        let child = Command::new(program.path)
            .args(arguments(directory.path()))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Self {
            child,
            directory,
            at,
        };
        server.wait_until_it_listens(program);
        server
    }

    fn wait_until_it_listens(&mut self, program: Program) {
        let since = Instant::now();
        while TcpStream::connect(self.at).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && since.elapsed() < PATIENCE,
                "{} does not listen: {}",
                program.name,
                self.log()
            );
            std::thread::yield_now();
        }
    }

    /// Gives what it wrote, for whoever wants to know why something went wrong.
    pub(super) fn log(&self) -> String {
        ["output", "log"]
            .map(|name| fs::read_to_string(self.directory.path().join(name)).unwrap_or_default())
            .concat()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Politely first: all of them have children that they stop. The child is reaped either way.
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(5) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::yield_now();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
}

/// A port that is free now.
pub(super) fn free() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}
