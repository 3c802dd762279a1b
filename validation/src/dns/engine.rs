//! The engine: sockets and clock of a set of resolvers, shared by everybody who has domains to check.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, Semaphore},
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    Config, Error, Rate, Report, Resolver, check,
    health::{Condition, Health, Tally},
    limits::Whom,
    name::WireName,
    over_https, over_tls,
    pace::Pacer,
    pick::Picker,
    resolver::of_the_system,
    socket::Socket,
    trust::{self, Outside},
    upstream::{Upstream, Way},
    wheel::Clock,
    wildcard::Wildcards,
    zone::Zone,
};
use crate::{Waits, suppression::SUPPRESSED};

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
    /// The pace at which domains are begun.
    pub(super) domains: Option<Pacer>,
    /// The pace of all packets.
    pub(super) pacer: Option<Arc<Pacer>>,
    pub(super) wildcards: Wildcards,
    pub(super) stop: CancellationToken,
    /// Ends the tasks with the last clone.
    _guard: DropGuard,
}

/// One resolver at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolverHealth {
    /// The address, with its port where that is not 53, or the URL.
    pub resolver: String,
    /// Whether it is asked.
    pub condition: Condition,
    /// Packets sent to it.
    pub sent: u64,
    /// Queries that wait for its answer.
    pub in_flight: usize,
    /// Percent of its rate at which it is asked: 100 unless it fails often.
    pub pace_percent: u32,
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
        let (servers, origins) = servers(&config)?;
        let mut upstreams = Vec::with_capacity(servers.len());
        let mut all_sockets = Vec::new();
        for server in servers {
            let way = open(&server, &config, clock, &alarm, &stop)?;
            if let Way::Plain(_, sockets) = &way {
                all_sockets.extend(sockets.iter().cloned());
            }
            let name = server.to_string();
            let whom = Whom::Resolver(name.as_str().into());
            let pacer = config
                .resolver_rate
                .map(|rate| config.limits.pacer(whom, rate));
            upstreams.push(Upstream::new(
                name,
                way,
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
                domains: config.domain_rate.map(Pacer::new),
                pacer: config.rate.map(|rate| config.limits.pacer(Whom::All, rate)),
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

    /// Finds every name server that answers for a name: its own, those of the zones above it up to its public suffix, and
    /// likewise those of whatever it is an alias of.
    ///
    /// # Errors
    /// Why nobody may ask, or which of the questions has no answer, in words that begin with the suppression list's code.
    pub async fn name_servers(&self, name: &str, waits: &Waits) -> Result<Vec<String>, String> {
        let found = self.inner.servers_of(name, waits).await;
        match found.unknown {
            None => Ok(found.all),
            Some(why) => Err(format!("{SUPPRESSED}: {}: {}", why.held, why.text)),
        }
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
                in_flight: upstream.in_flight(),
                pace_percent: upstream.pacer.as_ref().map_or(100, |pacer| pacer.percent()),
                tally: upstream.health.tally(),
            })
            .collect()
    }
}

impl Inner {
    /// Gives the pace of questions about a name, if its zone has one.
    pub(super) fn zone_pacer(&self, name: &WireName) -> Option<Arc<Pacer>> {
        if self.config.zone_rate.is_none() && self.config.suffix_rate.is_none() {
            return None;
        }
        let name = name.to_text();
        let zone = Zone::of(&name);
        let rate: Option<Rate> = match zone {
            Zone::Domain(_) => self.config.zone_rate,
            Zone::Suffix(_) => self.config.suffix_rate,
        };
        rate.map(|rate| {
            self.config
                .limits
                .pacer(Whom::Zone(zone.name().into()), rate)
        })
    }
}

/// Finds the servers behind the configured names, each once, and the name by which each came.
fn servers(config: &Config) -> Result<(Vec<Resolver>, Vec<Resolver>), Error> {
    let mut servers = Vec::new();
    let mut origins = Vec::new();
    for named in &config.resolvers {
        let found = match named {
            Resolver::System => in_place_of_the_system(config)?,
            named => vec![named.clone()],
        };
        for server in found {
            if !servers.contains(&server) {
                servers.push(server);
                origins.push(named.clone());
            }
        }
    }
    if servers.is_empty() {
        return Err(Error::invalid("resolvers", "the system has none"));
    }
    Ok((servers, origins))
}

/// Finds whom [`Resolver::System`] stands for: whoever is given for it, the machine's own among them where they are named.
fn in_place_of_the_system(config: &Config) -> Result<Vec<Resolver>, Error> {
    let its_own = || {
        let found = of_the_system()?.into_iter().map(Resolver::Address);
        Ok::<_, Error>(found.collect())
    };
    let Some(given) = &config.system else {
        return its_own();
    };
    let mut found = Vec::with_capacity(given.len());
    for server in given {
        match server {
            Resolver::System => found.extend(its_own()?),
            named => found.push(named.clone()),
        }
    }
    Ok(found)
}

/// Prepares the way to a server, any but [`Resolver::System`], which stands for others.
fn open(
    server: &Resolver,
    config: &Config,
    clock: Clock,
    alarm: &Arc<Notify>,
    stop: &CancellationToken,
) -> Result<Way, Error> {
    let outside = || Outside {
        allowed: config.allow.clone(),
        suppression: config.suppression.clone(),
    };
    match server {
        Resolver::Address(address) => {
            let connect =
                |_| Socket::connect(*address, clock, config.query_timeout, Arc::clone(alarm));
            let sockets: Result<Vec<_>, Error> = (0..SOCKETS_PER_RESOLVER)
                .map(|nth| connect(nth).map(Arc::new))
                .collect();
            Ok(Way::Plain(*address, sockets?))
        }
        Resolver::Tls(server) => {
            let tls = Arc::new(trust::client(&config.trusted_roots, &[b"dot"])?);
            let client = over_tls::Client::new(server.clone(), tls, outside(), stop.clone())?;
            Ok(Way::Tls(client))
        }
        Resolver::Https(..) => {
            let tls = trust::client(&config.trusted_roots, &[b"h2", b"http/1.1"])?;
            let client = over_https::Client::new(
                server,
                &tls,
                outside(),
                config.query_timeout,
                stop.clone(),
            )?;
            Ok(Way::Https(Box::new(client)))
        }
        Resolver::System => Err(Error::invalid("resolvers", "the system stands for others")),
    }
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
