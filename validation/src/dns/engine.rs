//! The engine: sockets and clock of a set of resolvers, shared by everybody who has domains to check.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, Semaphore},
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    Config, Error, Report, Resolver, check,
    health::{Condition, Health, Tally},
    pace::Pacer,
    pick::Picker,
    socket::Socket,
    upstream::Upstream,
    wheel::Clock,
    wildcard::Wildcards,
};
use crate::Waits;

/// Sockets of each resolver: two ports to guess, and two queues in the kernel.
const SOCKETS_PER_RESOLVER: usize = 2;

/// Checks domains, as many at a time as its callers like, within the bounds of its configuration.
///
/// Cheap to clone. Its sockets live until the token is cancelled or the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Engine {
    inner: Arc<Inner>,
}

/// What all clones share.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) config: Config,
    pub(super) upstreams: Vec<Upstream>,
    pub(super) picker: Picker,
    /// One for each query in flight.
    pub(super) permits: Semaphore,
    pub(super) pacer: Option<Pacer>,
    pub(super) wildcards: Wildcards,
    pub(super) stop: CancellationToken,
    /// Ends the tasks with the last clone.
    _guard: DropGuard,
}

/// One resolver at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolverHealth {
    /// The address, with its port where that is not 53.
    pub resolver: String,
    /// Whether it is asked.
    pub condition: Condition,
    /// Packets sent to it.
    pub sent: u64,
    /// Queries that wait for its answer.
    pub in_flight: usize,
    /// Outcomes since the start.
    pub tally: Tally,
}

impl Engine {
    /// Opens the sockets and starts the tasks that serve them; within a Tokio runtime.
    ///
    /// # Errors
    /// A configuration that cannot be honoured, no system resolvers where they are asked for, no socket to be had.
    pub fn start(config: Config, stop: CancellationToken) -> Result<Self, Error> {
        config.validate()?;
        let stop = stop.child_token();
        let guard = stop.clone().drop_guard();
        let clock = Clock::for_timeout(config.query_timeout);
        let alarm = Arc::new(Notify::new());
        let started = Instant::now();
        let (addresses, origins) = addresses(&config)?;
        let mut upstreams = Vec::with_capacity(addresses.len());
        let mut all_sockets = Vec::new();
        for address in addresses {
            let sockets = (0..SOCKETS_PER_RESOLVER)
                .map(|_| {
                    Socket::connect(address, clock, config.query_timeout, Arc::clone(&alarm))
                        .map(Arc::new)
                })
                .collect::<Result<Vec<_>, _>>()?;
            all_sockets.extend(sockets.iter().cloned());
            let pacer = config.resolver_rate.map(Pacer::new);
            upstreams.push(Upstream::new(
                address,
                sockets,
                pacer,
                Health::new(started, config.rest),
            ));
        }
        for socket in &all_sockets {
            tokio::spawn(listen(Arc::clone(socket), stop.clone()));
        }
        tokio::spawn(turn_wheels(all_sockets, alarm, clock.tick(), stop.clone()));
        Ok(Self {
            inner: Arc::new(Inner {
                picker: Picker::new(&config, &origins),
                permits: Semaphore::new(config.in_flight),
                pacer: config.rate.map(Pacer::new),
                wildcards: Wildcards::default(),
                upstreams,
                config,
                stop,
                _guard: guard,
            }),
        })
    }

    /// Checks one domain; whatever happens to it is in the report.
    pub async fn check(&self, name: &str) -> Report {
        self.check_counting(name, &Waits::default()).await
    }

    /// Checks one domain, and counts what it waits for its turn: the pause before the first query, the paces, and the
    /// bound on queries in flight. Back-off after a failure is not such a wait.
    pub async fn check_counting(&self, name: &str, waits: &Waits) -> Report {
        check::check(&self.inner, name, waits).await
    }

    /// Shows how each resolver is doing.
    #[must_use]
    pub fn resolvers(&self) -> Vec<ResolverHealth> {
        self.inner
            .upstreams
            .iter()
            .map(|upstream| ResolverHealth {
                resolver: upstream.name.clone(),
                condition: upstream.health.condition(),
                sent: upstream.sent(),
                in_flight: upstream
                    .sockets
                    .iter()
                    .map(|socket| socket.in_flight())
                    .sum(),
                tally: upstream.health.tally(),
            })
            .collect()
    }
}

/// Finds the addresses behind the configured names, each once, and the name by which each came.
fn addresses(config: &Config) -> Result<(Vec<SocketAddr>, Vec<Resolver>), Error> {
    let mut addresses = Vec::new();
    let mut origins = Vec::new();
    for resolver in &config.resolvers {
        for address in resolver.addresses()? {
            if !addresses.contains(&address) {
                addresses.push(address);
                origins.push(resolver.clone());
            }
        }
    }
    if addresses.is_empty() {
        return Err(Error::invalid("resolvers", "the system has none"));
    }
    Ok((addresses, origins))
}

async fn listen(socket: Arc<Socket>, stop: CancellationToken) {
    stop.run_until_cancelled(socket.listen()).await;
    socket.close();
}

/// One clock for all sockets; it stands still while nothing is in flight.
async fn turn_wheels(
    sockets: Vec<Arc<Socket>>,
    alarm: Arc<Notify>,
    tick: Duration,
    stop: CancellationToken,
) {
    let turn = async {
        let mut ticks = interval(tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // No short circuit: every socket must be turned.
            let busy = sockets
                .iter()
                .fold(false, |busy, socket| socket.expire() | busy);
            if !busy {
                alarm.notified().await;
                ticks.reset();
            }
        }
    };
    stop.run_until_cancelled(turn).await;
}
