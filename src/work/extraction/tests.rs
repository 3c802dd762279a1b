use std::{pin::pin, time::Duration};

use aggregates::ids::RuleId;
use futures::poll;
use http::Resolve as _;
use tokio::net::UdpSocket;
use uuid::Uuid;

use super::*;

/// A network on which one's own machine may be asked.
fn own() -> Network {
    Network {
        allow_private: true,
        ..Network::default()
    }
}

fn asking(resolver: &str) -> DnsConfig {
    DnsConfig {
        resolvers: vec![resolver.to_owned()],
        use_system_resolvers: false,
        ..crate::commands::pin::Defaults::default().dns
    }
}

#[test]
fn names_met_on_the_way_are_asked_without_a_pause_and_without_probes() {
    let mut persona = asking("127.0.0.1:9999");
    persona.query_delay_min_ms = Some(1_000);
    persona.query_delay_max_ms = Some(2_000);
    persona.check_wildcards = Some(true);
    persona.rate_limit_dps = Some(7.0);
    let of_the_phase = dns_phase::config(&persona, &[], &own()).unwrap();
    assert!(of_the_phase.delay.is_some() && of_the_phase.check_wildcards);
    let config = names_config(&persona, &own()).unwrap();
    assert_eq!((config.delay, config.check_wildcards), (None, false));
    assert_eq!(
        (config.resolvers, config.domain_rate),
        (of_the_phase.resolvers, of_the_phase.domain_rate)
    );
}

/// Asks a server for a host that a redirect leads to; it says nothing, or answers everything with a code.
async fn resolved(code: Option<u8>) -> Result<Vec<std::net::IpAddr>, http::Unresolved> {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap().to_string();
    let serving = tokio::spawn(async move {
        let mut packet = [0; 512];
        loop {
            let (length, from) = server.recv_from(&mut packet).await.unwrap();
            if let Some(code) = code {
                packet[2] |= 0x80;
                packet[3] = 0x80 | code;
                server.send_to(&packet[..length], from).await.unwrap();
            }
        }
    });
    let config = dns::Config {
        query_timeout: Duration::from_millis(100),
        attempts: 2,
        ..names_config(&asking(&address), &own()).unwrap()
    };
    let engine = dns::Engine::start(config, CancellationToken::new()).unwrap();
    let found = Names(engine).resolve("other.test", &Waits::default()).await;
    serving.abort();
    found
}

#[tokio::test]
async fn what_dns_says_of_a_redirects_host_is_told() {
    const SERVFAIL: u8 = 2;
    const NXDOMAIN: u8 = 3;
    assert_eq!(resolved(None).await, Err(http::Unresolved::Timeout));
    for (code, name) in [(SERVFAIL, "SERVFAIL"), (NXDOMAIN, "NXDOMAIN")] {
        let Err(http::Unresolved::Error(why)) = resolved(Some(code)).await else {
            panic!("{name} is a failure");
        };
        assert!(why.starts_with(name), "{why}");
    }
}

fn rule(pattern: &str, rule_type: RuleType) -> Rule {
    Rule {
        id: RuleId(Uuid::now_v7()),
        pattern: pattern.to_owned(),
        rule_type,
        is_case_sensitive: false,
        category: None,
        weight: 1.0,
        context_chars: 0,
    }
}

#[tokio::test]
async fn a_kit_is_built_off_the_async_threads() {
    let rules = (0..100).map(|n| rule(&format!(r"\bword{n}s?\b"), RuleType::Regex));
    let (http, dns) = (HttpConfig::default(), asking("127.0.0.1:9999"));
    let building = Kit::build(
        (http, None),
        dns,
        rules.collect(),
        own(),
        CancellationToken::new(),
    );
    let mut building = pin!(building);
    assert!(poll!(building.as_mut()).is_pending());
    assert_eq!(building.await.unwrap().rules.len(), 100);
}

#[tokio::test]
async fn what_does_not_start_on_this_machine_now_does_not_end_the_run() {
    // No socket is connected to the broadcast address, as none is where a process has no files left.
    let network = Network {
        resolvers: vec!["255.255.255.255".to_owned()],
        ..own()
    };
    let build = |rules| {
        let (http, dns) = (HttpConfig::default(), asking("255.255.255.255"));
        Kit::build(
            (http, None),
            dns,
            rules,
            network.clone(),
            CancellationToken::new(),
        )
    };
    let error = build(Vec::new()).await.err().unwrap();
    assert!(
        matches!(&error, KitError::NotStarted(why) if why.contains("255.255.255.255")),
        "{error}"
    );
    assert!(!error.is_final());
    // What cannot be honoured never can.
    let error = build(vec![rule("(", RuleType::Regex)]).await.err().unwrap();
    assert!(matches!(error, KitError::Refused(_)), "{error}");
    assert!(error.is_final());
}
