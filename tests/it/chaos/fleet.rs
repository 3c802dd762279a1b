//! The processes, as an operator starts them.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use sandbox::Sandbox;

use crate::{command_line::domainflow, support::eventually};

const SERVERS: usize = 2;
const WORKERS: usize = 3;

/// The secret of sessions, the same on each server.
const SECRET: &str = "5e55105e55105e55105e55105e55105e55105e55105e55105e55105e55105e55";

/// One process and how it is started again.
struct Process {
    /// Where it listens; nothing for workers.
    address: Option<String>,
    directory: PathBuf,
    arguments: Vec<String>,
    child: Child,
}

impl Process {
    fn start(directory: PathBuf, address: Option<String>, arguments: Vec<String>) -> Self {
        fs::create_dir_all(&directory).expect("a directory");
        let child = Self::command(&directory, &arguments)
            .spawn()
            .expect("it starts");
        Self {
            address,
            directory,
            arguments,
            child,
        }
    }

    fn command(directory: &Path, arguments: &[String]) -> Command {
        let log = File::options()
            .create(true)
            .append(true)
            .open(directory.join("log"));
        let mut command = domainflow(directory);
        command
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(log.expect("a log"))
            .env("RUST_LOG", "warn")
            .env("SESSION_SIGNING_SECRET", SECRET)
            .env("DOMAINFLOW_REQUESTS_PER_SECOND", "10000");
        command
    }

    fn kill_and_start(&mut self) {
        self.child.kill().expect("it is there");
        self.child.wait().expect("it ended");
        self.child = Self::command(&self.directory, &self.arguments)
            .spawn()
            .expect("it starts");
    }

    async fn is_ready(&self) -> bool {
        let Some(address) = &self.address else {
            return true;
        };
        let url = format!("http://{address}/api/v2/health/ready");
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        client
            .get(url)
            .send()
            .await
            .is_ok_and(|answer| answer.status() == 200)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All processes of the system.
pub struct Fleet(Vec<Process>);

impl Fleet {
    /// Starts them, and waits until each server is ready.
    pub async fn start(directory: &Path, url: &str, sandbox: &Sandbox) -> Self {
        let authority = directory.join("ca.pem");
        fs::write(&authority, sandbox.ca_pem()).expect("a file");
        let network = |command: &str| -> Vec<String> {
            let ports = [sandbox.http_port(), sandbox.https_port()].map(|port| port.to_string());
            let resolver = sandbox.dns_addr().to_string();
            let authority = authority.to_string_lossy();
            [
                command,
                "--database-url",
                url,
                "--resolver",
                &resolver,
                "--http-port",
                &ports[0],
                "--https-port",
                &ports[1],
                "--trust",
                &authority,
                "--allow-private",
            ]
            .map(str::to_owned)
            .to_vec()
        };
        let servers = (0..SERVERS).map(|number| {
            let address = free();
            let mut arguments = network("serve");
            arguments.extend(["--listen".to_owned(), address.clone()]);
            Process::start(
                directory.join(format!("serve{number}")),
                Some(address),
                arguments,
            )
        });
        let mut fleet = Self(servers.collect());
        // The first of them makes the schema.
        fleet.servers_are_ready().await;
        let workers = (0..WORKERS).map(|number| {
            let mut arguments = network("work");
            arguments.extend(["--slots", "4"].map(str::to_owned));
            Process::start(directory.join(format!("work{number}")), None, arguments)
        });
        fleet.0.extend(workers);
        fleet
    }

    async fn servers_are_ready(&self) {
        for process in &self.0 {
            eventually("a server is ready", || async {
                process.is_ready().await.then_some(())
            })
            .await;
        }
    }

    /// Where the servers listen.
    pub fn addresses(&self) -> Vec<String> {
        self.0
            .iter()
            .filter_map(|process| process.address.clone())
            .collect()
    }

    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Kills a process and starts it again. A server is left alone while the other one is not ready: somebody has to be
    /// there for clients to go to.
    pub async fn kill_one(&mut self, which: usize) -> bool {
        for (number, other) in self.0.iter().enumerate() {
            if number != which && self.0[which].address.is_some() && !other.is_ready().await {
                return false;
            }
        }
        self.0[which].kill_and_start();
        true
    }
}

/// An address that nobody listens on.
fn free() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}
