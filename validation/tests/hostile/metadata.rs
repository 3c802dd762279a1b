//! Names and redirects that lead to where a cloud keeps the secrets of its machines: nobody goes there, also where the
//! operator allows his own network.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use sandbox::{Host, Record, ResolverScript, Sandbox, Site, Target, World};
use validation::{dns::Outcome, http, http::AllowedRanges};

use super::network::{fetcher, names};

/// A refusal needs no network.
const AT_ONCE: Duration = Duration::from_secs(10);

/// Names, and the address that DNS gives for each.
fn inside() -> Vec<(&'static str, Record)> {
    let v6 = |text: &str| Record::Aaaa(text.parse::<Ipv6Addr>().unwrap());
    vec![
        ("aws.test", Record::A(Ipv4Addr::new(169, 254, 169, 254))),
        ("aws6.test", v6("fd00:ec2::254")),
        ("mapped.test", v6("::ffff:169.254.169.254")),
        ("translated.test", v6("64:ff9b::a9fe:a9fe")),
        ("gcp6.test", v6("fd20:ce::254")),
        ("azure.test", Record::A(Ipv4Addr::new(168, 63, 129, 16))),
        ("alibaba.test", Record::A(Ipv4Addr::new(100, 100, 100, 200))),
    ]
}

/// Redirects of this text.
fn to(text: &str) -> Host {
    Host::new(Site::Redirect(302, Target::Verbatim(text.to_owned())))
}

/// A sandbox with those names, and sites that lead to them.
async fn sandbox() -> Sandbox {
    let mut world = World::scripted().resolver(ResolverScript::healthy());
    for (name, record) in inside() {
        let leading = to(&format!("http://{name}/latest/meta-data/"));
        world = world
            .host(name, Host::page(&[]).record(record))
            .host(&format!("to.{name}"), leading);
    }
    for (nth, literal) in LITERALS.into_iter().enumerate() {
        world = world.host(&format!("literal{nth}.test"), to(literal));
    }
    Sandbox::start(world).await.unwrap()
}

/// Ways to write such addresses.
const LITERALS: [&str; 7] = [
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
];

fn refused(report: &http::Report, what: &str) {
    let fault = report.fault.as_ref().unwrap();
    assert_eq!(fault.code, "address_refused", "{what}: {fault:?}");
    assert!(
        report.address.is_none_or(|at| at.ip().is_loopback()),
        "{what}"
    );
}

#[tokio::test]
async fn a_name_that_leads_to_metadata_is_looked_up_and_not_gone_to() {
    let sandbox = sandbox().await;
    let engine = names(&sandbox);
    for allow in [AllowedRanges::Public, AllowedRanges::Private] {
        let fetcher = fetcher(&sandbox, allow.clone());
        for (name, _) in inside() {
            let report = engine.check(name).await;
            assert_eq!(report.outcome, Outcome::Ok, "{name}: {report:?}");
            let since = Instant::now();
            let target = http::Target {
                host: name.to_owned(),
                addresses: report.addresses,
            };
            refused(&fetcher.fetch(target).await, name);
            assert!(since.elapsed() < AT_ONCE, "{name}: {:?}", since.elapsed());
            assert_eq!(sandbox.http_requests(name), 0);
        }
    }
}

#[tokio::test]
async fn a_redirect_to_metadata_by_name_or_by_address_is_not_followed() {
    let sandbox = sandbox().await;
    let fetcher = fetcher(&sandbox, AllowedRanges::Private);
    let by_name = inside().into_iter().map(|(name, _)| format!("to.{name}"));
    let by_address = (0..LITERALS.len()).map(|nth| format!("literal{nth}.test"));
    for host in by_name.chain(by_address) {
        let since = Instant::now();
        let target = http::Target {
            host: host.clone(),
            addresses: vec![Ipv4Addr::LOCALHOST.into()],
        };
        let report = fetcher.fetch(target).await;
        refused(&report, &host);
        assert_eq!(report.redirects.len(), 1, "{host}");
        assert!(since.elapsed() < AT_ONCE, "{host}: {:?}", since.elapsed());
    }
}
