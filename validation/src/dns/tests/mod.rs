//! The engine against scripted servers on real sockets, whose messages are hickory-proto's, and against the sandbox's.

mod apart;
mod encrypted;
mod hostile;
mod kept;
mod limits;
mod matching;
mod mutations;
mod name_servers;
mod outcomes;
mod pacing;
mod peers;
mod rate;
mod resolvers;
mod server;
mod suppressed;
mod wire;

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{Config, Engine, RecordType, Resolver};
use server::Server;

/// Longest wait for something that should happen at once.
const DEADLINE: Duration = Duration::from_secs(20);

/// A configuration without limits of pace, with a patient time-out and next to no back-off.
fn config(servers: &[&Server]) -> Config {
    Config {
        resolvers: servers
            .iter()
            .map(|server| Resolver::Address(server.address))
            .collect(),
        query_timeout: Duration::from_secs(5),
        attempts: 3,
        back_off: Duration::from_millis(1),
        rest: Duration::from_millis(50),
        ..Config::default().without_limits()
    }
}

/// The same with A alone, so that packets are names.
fn addresses_only(servers: &[&Server]) -> Config {
    Config {
        record_types: vec![RecordType::A],
        ..config(servers)
    }
}

fn start(config: Config) -> Engine {
    Engine::start(config, CancellationToken::new()).unwrap()
}

/// Waits for a condition, looking again whenever other tasks had their turn.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let since = Instant::now();
    while !condition() {
        assert!(since.elapsed() < DEADLINE, "{what} did not come to pass");
        tokio::task::yield_now().await;
    }
}
