//! The verdicts against servers that are not ours: NSD, and Unbound before it, where they are installed.

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use sandbox::{
    nsd::Nsd,
    unbound::{REFUSED_ZONE, Unbound},
};

use super::{
    super::{Config, Engine, Outcome, Reason, RecordType, Resolver},
    config, start,
};

const ZONE: &str = "peer.test";
/// A zone for which Unbound asks NSD, which does not have it.
const LAME_ZONE: &str = "lame.test";

fn nsd() -> Option<Nsd> {
    let mut entries: Vec<String> = [
        "www A 192.0.2.1",
        "www AAAA 2001:db8::1",
        "six AAAA 2001:db8::6",
        "alias CNAME middle",
        "middle CNAME www",
        "text TXT \"only text\"",
        "*.wild A 192.0.2.7",
        "parked NS ns1.sedoparking.com.",
        "@ A 192.0.2.2",
        "@ MX 10 mail",
        "@ TXT \"v=spf1 \" \"-all\"",
        "@ CAA 0 issue \"ca.test\"",
    ]
    .map(str::to_owned)
    .into();
    entries.extend((0..150).map(|nth| format!("big A 10.0.0.{nth}")));
    let nsd = Nsd::start(ZONE, entries).unwrap();
    if nsd.is_none() {
        println!("skipped: NSD is not installed (apt-get install nsd)");
    }
    nsd
}

/// An expectation: the name below the zone, the outcome, how many addresses, and a check of the rest.
type Case = (&'static str, Outcome, usize);

const CASES: [Case; 7] = [
    ("www", Outcome::Ok, 2),
    ("six", Outcome::Ok, 1),
    ("alias", Outcome::Ok, 2),
    ("big", Outcome::Ok, 150),
    ("any.wild", Outcome::Ok, 1),
    ("text", Outcome::Error(Reason::NoAnswer), 0),
    ("missing", Outcome::Error(Reason::Nxdomain), 0),
];

/// Checks what every server must give alike; `who` names it in failures.
async fn verdicts(who: &str, engine: &Engine, over_udp: bool) {
    for (name, outcome, addresses) in CASES {
        let report = engine.check(&format!("{name}.{ZONE}")).await;
        assert_eq!(report.outcome, outcome, "{who}: {report:?}");
        assert_eq!(report.addresses.len(), addresses, "{who}: {report:?}");
        assert!(report.resolver.is_some(), "{who}: {report:?}");
        assert_eq!(
            report.truncated,
            over_udp && name == "big",
            "{who}: {report:?}"
        );
        let aliases = report
            .records
            .iter()
            .filter(|record| record.record_type == RecordType::Cname);
        assert_eq!(
            aliases.count(),
            if name == "alias" { 2 } else { 0 },
            "{who}"
        );
    }
    let report = engine.check(ZONE).await;
    let values: Vec<String> = report
        .records
        .iter()
        .map(|record| format!("{} {}", record.record_type, record.value))
        .collect();
    for expected in [
        "A 192.0.2.2",
        "MX 10 mail.peer.test",
        "NS ns.peer.test",
        "TXT v=spf1 -all",
        "CAA 0 issue \"ca.test\"",
        "SOA ns.peer.test admin.peer.test 1 7200 600 86400 300",
    ] {
        assert!(
            values.iter().any(|value| value == expected),
            "{who}: {values:?}"
        );
    }
    assert!(
        report.records.iter().all(|record| record.ttl <= 300),
        "{who}"
    );
    assert_eq!(
        (report.name_servers, report.parking),
        (vec![format!("ns.{ZONE}")], false)
    );
    let wild = engine.check(&format!("any.wild.{ZONE}")).await;
    let tame = engine.check(&format!("www.{ZONE}")).await;
    assert_eq!(
        (wild.wildcard, tame.wildcard),
        (Some(true), Some(false)),
        "{who}"
    );
}

fn asking(resolver: Resolver) -> Config {
    Config {
        resolvers: vec![resolver],
        record_types: RecordType::ALL.to_vec(),
        concurrent_queries_per_domain: 8,
        check_wildcards: true,
        ..config(&[])
    }
}

async fn outcome(engine: &Engine, name: &str) -> Outcome {
    engine.check(name).await.outcome
}

#[tokio::test]
async fn an_authority_of_another_make_is_understood() {
    let Some(nsd) = nsd() else { return };
    let engine = start(asking(Resolver::Address(nsd.address())));
    verdicts("NSD", &engine, true).await;
    let report = engine.check(&format!("www.{ZONE}")).await;
    assert!(report.authoritative && !report.validated);
    assert_eq!(
        outcome(&engine, "www.elsewhere.test").await,
        Outcome::Error(Reason::Refused)
    );
}

#[tokio::test]
async fn a_resolver_of_another_make_is_understood_plain_over_tls_and_over_https() {
    let Some(nsd) = nsd() else { return };
    let zones = [ZONE, LAME_ZONE];
    let unbound = Unbound::start(&zones, nsd.address(), &format!("www.{ZONE}")).unwrap();
    let Some(unbound) = unbound else {
        println!("skipped: Unbound is not installed (apt-get install unbound)");
        return;
    };
    let root = CertificateDer::from_pem_slice(unbound.certificate_pem().as_bytes()).unwrap();
    for resolver in [
        unbound.address().to_string(),
        format!("tls://{}", unbound.tls_address()),
        unbound.https_url(),
    ] {
        let engine = start(Config {
            trusted_roots: vec![root.to_vec()],
            ..asking(Resolver::parse(&resolver).unwrap())
        });
        verdicts(
            &resolver,
            &engine,
            resolver == unbound.address().to_string(),
        )
        .await;
        let report = engine.check(&format!("www.{ZONE}")).await;
        assert!(!report.authoritative, "{resolver}: {report:?}");
        for (name, reason) in [
            (format!("www.{LAME_ZONE}"), Reason::Servfail),
            (format!("www.{REFUSED_ZONE}"), Reason::Refused),
        ] {
            let expected = Outcome::Error(reason);
            assert_eq!(
                outcome(&engine, &name).await,
                expected,
                "{resolver}: {name}"
            );
        }
    }
}
