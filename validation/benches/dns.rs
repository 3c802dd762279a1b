//! Lookups per second and CPU per lookup, the engine, hickory-resolver and dnsperf side by side.
//!
//! All ask one NSD on this machine for 200,000 names of which every second does not exist, from one runtime
//! thread each, with the same number of lookups in flight, in turns. CPU is that of the asking thread, the
//! kernel's work for its packets included. dnsperf, which only counts answers, is left out where it is not installed; the
//! goals are half its rate, at most 6 us of CPU a lookup, and four times less CPU than hickory-resolver.
//! `cargo bench -p validation --bench dns`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::{
    fmt::Write as _,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
    proto::rr::RecordType as Type,
};
use sandbox::nsd::Nsd;
use tokio_util::sync::CancellationToken;
use validation::dns::{Config, Engine, Outcome, RecordType, Resolver};

const NAMES: usize = 200_000;
const ROUNDS: usize = 3;
const IN_FLIGHT: [usize; 2] = [100, 1_000];

/// One measured run.
#[derive(Clone, Copy)]
struct Run {
    elapsed: Duration,
    cpu: Duration,
}

impl Run {
    fn per_second(self) -> f64 {
        NAMES as f64 / self.elapsed.as_secs_f64()
    }

    fn cpu_micros(self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / NAMES as f64
    }
}

/// The engine, hickory-resolver and, in queries per second, dnsperf.
type Round = (Run, Run, Option<f64>);

/// CPU time of this thread so far, from the scheduler's own account in nanoseconds.
fn thread_cpu() -> Duration {
    let account = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(account.split_whitespace().next().unwrap().parse().unwrap())
}

/// Runs lookups on a runtime of one thread and asserts that each second name was found.
fn measure<F>(in_flight: usize, prepare: impl FnOnce() -> F + Send) -> Run
where
    F: AsyncFn(usize) -> bool + Clone + 'static,
{
    thread::scope(|scope| {
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, async move {
                let lookup = prepare();
                let next = Arc::new(AtomicUsize::new(0));
                let found = Arc::new(AtomicUsize::new(0));
                let (since, cpu) = (Instant::now(), thread_cpu());
                let workers: Vec<_> = (0..in_flight)
                    .map(|_| {
                        let (next, found, lookup) =
                            (Arc::clone(&next), Arc::clone(&found), lookup.clone());
                        tokio::task::spawn_local(async move {
                            loop {
                                let nth = next.fetch_add(1, Ordering::Relaxed);
                                if nth >= NAMES {
                                    break;
                                }
                                if lookup(nth).await {
                                    found.fetch_add(1, Ordering::Relaxed);
                                }
                            }
                        })
                    })
                    .collect();
                for worker in workers {
                    worker.await.unwrap();
                }
                let run = Run {
                    elapsed: since.elapsed(),
                    cpu: thread_cpu().checked_sub(cpu).unwrap(),
                };
                let found = found.load(Ordering::Relaxed);
                assert!(
                    found.abs_diff(NAMES / 2) <= NAMES / 1_000,
                    "{found} of {NAMES} found"
                );
                run
            })
        };
        scope.spawn(run).join().unwrap()
    })
}

fn ours(server: SocketAddr, in_flight: usize) -> Run {
    measure(in_flight, move || {
        let config = Config {
            resolvers: vec![Resolver::Address(server)],
            record_types: vec![RecordType::A],
            in_flight,
            ..Config::default().without_limits()
        };
        let engine = Engine::start(config, CancellationToken::new()).unwrap();
        async move |nth: usize| {
            engine.check(&format!("n{nth}.bench.test")).await.outcome == Outcome::Ok
        }
    })
}

fn hickory(server: SocketAddr, in_flight: usize) -> Run {
    measure(in_flight, move || {
        let mut connection = ConnectionConfig::udp();
        connection.port = server.port();
        let mut name_server = NameServerConfig::udp(IpAddr::V4(Ipv4Addr::LOCALHOST));
        name_server.connections = vec![connection];
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![name_server]);
        let mut builder =
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        // Everything off that is not the lookup itself, and no bound of its own.
        options.cache_size = 0;
        options.num_concurrent_reqs = 1;
        options.max_active_requests = 100_000;
        options.use_hosts_file = ResolveHosts::Never;
        options.try_tcp_on_error = false;
        options.timeout = Duration::from_secs(2);
        options.attempts = 4;
        let resolver = builder.build().unwrap();
        async move |nth: usize| {
            resolver
                .lookup(format!("n{nth}.bench.test."), Type::A)
                .await
                .is_ok()
        }
    })
}

/// Runs dnsperf over the names once and returns its queries per second; nothing where it is not installed.
fn dnsperf(server: SocketAddr, in_flight: usize, names: &Path) -> Option<f64> {
    let output = Command::new("dnsperf")
        .args(["-s", &server.ip().to_string()])
        .args(["-p", &server.port().to_string()])
        .args(["-q", &in_flight.to_string()])
        .args(["-c", "1", "-T", "1", "-n", "1", "-e", "-d"])
        .arg(names)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = text.lines().find_map(|line| {
        line.trim()
            .strip_prefix("Queries per second:")?
            .trim()
            .parse()
            .ok()
    });
    assert!(rate.is_some(), "dnsperf says: {text}");
    rate
}

/// Writes the names the way dnsperf reads them.
fn write_names(file: &Path) {
    let mut text = String::new();
    for nth in 0..NAMES {
        let _ = writeln!(text, "n{nth}.bench.test A");
    }
    fs::write(file, text).unwrap();
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() {
    let entries = (0..NAMES).step_by(2).map(|nth| {
        let [_, high, middle, low] = u32::try_from(nth).unwrap().to_be_bytes();
        format!("n{nth} A 10.{high}.{middle}.{low}")
    });
    let Some(server) = Nsd::start("bench.test", entries).unwrap() else {
        println!("dns: skipped, for there is no NSD on this machine (apt-get install nsd)");
        return;
    };
    println!(
        "dns: {NAMES} names, half of them missing, one NSD, one runtime thread, medians of {ROUNDS}"
    );
    let names = std::env::temp_dir().join(format!("dns-bench-{}", std::process::id()));
    write_names(&names);
    for in_flight in IN_FLIGHT {
        let runs: Vec<Round> = (0..ROUNDS)
            .map(|_| {
                (
                    ours(server.address(), in_flight),
                    hickory(server.address(), in_flight),
                    dnsperf(server.address(), in_flight, &names),
                )
            })
            .collect();
        report(in_flight, &runs);
    }
    fs::remove_file(names).unwrap();
}

fn report(in_flight: usize, runs: &[Round]) {
    let of = |value: &dyn Fn(&Round) -> f64| median(runs.iter().map(value).collect());
    for (label, rate, cpu) in [
        (
            "engine",
            of(&|run| run.0.per_second()),
            of(&|run| run.0.cpu_micros()),
        ),
        (
            "hickory-resolver",
            of(&|run| run.1.per_second()),
            of(&|run| run.1.cpu_micros()),
        ),
    ] {
        println!(
            "dns {in_flight:>5} in flight  {label:<17} {rate:>9.0} lookups/s  {cpu:>6.2} us CPU a lookup"
        );
    }
    println!(
        "dns {in_flight:>5} in flight  ratio of the same rounds: {:.2} x the lookups/s, {:.2} x less CPU",
        of(&|run| run.0.per_second() / run.1.per_second()),
        of(&|run| run.1.cpu_micros() / run.0.cpu_micros()),
    );
    if runs.iter().any(|run| run.2.is_none()) {
        println!(
            "dns: dnsperf is left out, for it is not on this machine (apt-get install dnsperf)"
        );
        return;
    }
    println!(
        "dns {in_flight:>5} in flight  {:<17} {:>9.0} queries/s  engine {:.2} of its rate",
        "dnsperf",
        of(&|run| run.2.unwrap_or(f64::NAN)),
        of(&|run| run.0.per_second() / run.2.unwrap_or(f64::NAN)),
    );
}
