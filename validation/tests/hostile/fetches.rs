//! Answers that have no end, or are far larger than they look.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use sandbox::{Host, ResolverScript, Sandbox, Site, World};
use tokio::runtime::Runtime;
use url::Url;
use validation::http::AllowedRanges;

use super::memory;
use super::network::fetcher;
use super::support::make;

/// How much the process may grow during one fetch, the sandbox's side of it included: the body up to its bound, its decoded
/// form and its text. The smallest bomb unpacks to as much, most to far more.
const MOST_MEMORY: usize = 32 << 20;
/// Time for one fetch in an unoptimised build.
const MOST_TIME: Duration = Duration::from_secs(30);
/// The size at which a body is cut.
const BODY: usize = 5 << 20;

/// What is made of an answer: the code of the fault, or nothing, and how much was read.
type Made = (&'static str, Option<usize>);

const CUT: Made = ("", Some(BODY));
const REFUSED: Made = ("headers_too_large", None);

/// The hosts: a name, what it does, and what is to be made of that over http and https.
fn hosts() -> Vec<(&'static str, Host, Made)> {
    vec![
        ("endless.test", Host::new(Site::Endless), CUT),
        ("gzip.test", Host::new(Site::GzipBomb), CUT),
        ("deflate.test", Host::new(Site::DeflateBomb), CUT),
        ("brotli.test", Host::new(Site::BrotliBomb), CUT),
        ("gzip2.test", Host::new(Site::GzipBomb).http2(), CUT),
        ("brotli2.test", Host::new(Site::BrotliBomb).http2(), CUT),
        ("huge.test", Host::new(Site::HugeHeaders), REFUSED),
        ("many.test", Host::new(Site::ManyHeaders), REFUSED),
        ("many2.test", Host::new(Site::ManyHeaders).http2(), REFUSED),
    ]
}

#[test]
fn an_answer_without_measure_costs_bounded_time_and_memory() {
    let _alone = memory::alone();
    make(b"<p>what is compiled once is", None);
    let runtime = Runtime::new().unwrap();
    let world = World::scripted().resolver(ResolverScript::healthy());
    let world = hosts()
        .into_iter()
        .fold(world, |world, (name, host, _)| world.host(name, host));
    let sandbox = runtime.block_on(Sandbox::start(world)).unwrap();
    let fetcher = runtime.block_on(async { fetcher(&sandbox, AllowedRanges::Private) });
    let measured = memory::reset_peak();
    if !measured {
        println!("the memory is not measured: this machine does not tell its peak");
    }
    let addresses = [IpAddr::V4(Ipv4Addr::LOCALHOST)];
    for (name, _, (code, bytes)) in hosts() {
        for scheme in ["https", "http"] {
            let url = Url::parse(&format!("{scheme}://{name}/")).unwrap();
            memory::reset_peak();
            let before = memory::current();
            let started = Instant::now();
            let report = runtime.block_on(fetcher.fetch_url(url.clone(), &addresses));
            let took = started.elapsed();
            let found = report.fault.as_ref().map_or("", |fault| &fault.code);
            assert_eq!(found, code, "{url}: {:?}", report.fault);
            if let Some(bytes) = bytes {
                assert_eq!((report.bytes, report.truncated), (bytes, true), "{url}");
            }
            assert!(took < MOST_TIME, "{url} took {took:?}");
            if measured {
                let grew = memory::peak().unwrap().saturating_sub(before.unwrap());
                println!("{url}: {took:?}, {} KiB", grew >> 10);
                assert!(grew <= MOST_MEMORY, "{url} took {grew} bytes");
            }
        }
    }
}
