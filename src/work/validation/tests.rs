//! Which resolvers a run may ask, within which limits, and what of their answers is recorded.

use sandbox::{Host, Record, Sandbox, World};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::*;

fn persona(resolvers: &[&str]) -> DnsConfig {
    DnsConfig {
        resolvers: resolvers.iter().map(|&text| text.to_owned()).collect(),
        use_system_resolvers: false,
        ..crate::commands::pin::Defaults::default().dns
    }
}

#[test]
fn a_run_does_not_ask_a_resolver_inside_unless_the_operator_allows_it() {
    let wanted = persona(&["9.9.9.9", "127.0.0.1:9999"]);
    let refused = config(&wanted, &[], &Network::default()).unwrap_err();
    assert!(
        refused.contains("127.0.0.1:9999") && refused.contains("loopback"),
        "{refused}"
    );
    let open = Network {
        allow_private: true,
        ..Network::default()
    };
    config(&wanted, &[], &open).unwrap();
    let named = Network {
        resolvers: vec!["127.0.0.1:9999".to_owned()],
        ..Network::default()
    };
    config(&wanted, &[], &named).unwrap();
    for inside in ["tls://127.0.0.1:9999", "https://10.0.0.1/dns-query"] {
        let refused = config(&persona(&[inside]), &[], &Network::default());
        assert!(refused.unwrap_err().contains("is refused"), "{inside}");
    }
}

#[tokio::test]
async fn a_user_who_wants_the_systems_resolvers_asks_those_that_the_operator_named() {
    let asked = |named: &[&str], config: &dyn Fn(DnsConfig) -> DnsConfig| {
        let network = Network {
            resolvers: named.iter().map(|&text| text.to_owned()).collect(),
            allow_private: true,
            ..Network::default()
        };
        let config = super::config(&config(persona(&["127.0.0.1:9998"])), &[], &network).unwrap();
        let engine = dns::Engine::start(config, CancellationToken::new()).unwrap();
        let known = engine.resolvers().into_iter();
        known.map(|known| known.resolver).collect::<Vec<_>>()
    };
    let wants = |persona: DnsConfig| DnsConfig {
        use_system_resolvers: true,
        ..persona
    };
    let names = |persona: DnsConfig| DnsConfig {
        resolvers: vec!["127.0.0.1:9998".to_owned(), "system".to_owned()],
        ..persona
    };
    let ways: [&dyn Fn(DnsConfig) -> DnsConfig; 2] = [&wants, &names];
    for way in ways {
        assert_eq!(
            asked(&["127.0.0.1:9999", "tls://127.0.0.2"], way),
            ["127.0.0.1:9998", "127.0.0.1:9999", "tls://127.0.0.2"]
        );
    }
    assert_eq!(
        asked(&["127.0.0.1:9999"], &|persona| persona),
        ["127.0.0.1:9998"]
    );
}

#[test]
fn the_standing_limit_is_lifted_for_ones_own_resolvers_alone() {
    let named = Network {
        resolvers: vec!["127.0.0.1:9999".to_owned(), "10.0.0.1".to_owned()],
        ..Network::default()
    };
    let lifted = |resolvers: &[&str]| {
        let config = config(&persona(resolvers), &[], &named).unwrap();
        let rates = [
            config.rate,
            config.resolver_rate,
            config.zone_rate,
            config.suffix_rate,
        ];
        assert!(
            rates
                .iter()
                .all(|rate| rate.is_none() == rates[0].is_none()),
            "{rates:?}"
        );
        rates[0].is_none()
    };
    assert!(lifted(&["127.0.0.1:9999"]));
    assert!(lifted(&["tls://127.0.0.1:9999"]));
    assert!(!lifted(&["127.0.0.1:9999", "10.0.0.1"]));
    assert!(!lifted(&["9.9.9.9"]));
    assert!(!lifted(&["https://dns.example"]));
}

#[tokio::test]
async fn what_a_check_finds_is_recorded_with_who_said_it() {
    let server = |name: &str| Record::Ns(name.to_owned());
    let parked = Host::page(&[])
        .record(server("ns2.sedoparking.com"))
        .record(server("ns1.sedoparking.com"));
    let world = World::scripted().host("parked.test", parked);
    let sandbox = Sandbox::start(world).await.unwrap();
    let open = Network {
        allow_private: true,
        ..Network::default()
    };
    let resolver = sandbox.dns_addr().to_string();
    let config = config(&persona(&[&resolver]), &["NS".to_owned()], &open).unwrap();
    let engine = dns::Engine::start(config, CancellationToken::new()).unwrap();
    let event = checked(RunId(Uuid::from_u128(1)), engine.check("parked.test").await);
    assert_eq!((event.outcome, event.reason), (Outcome::Ok, None));
    assert_eq!(event.resolver, Some(resolver));
    assert_eq!(
        event.name_servers,
        ["ns1.sedoparking.com", "ns2.sedoparking.com"]
    );
    assert!(event.parking && event.authoritative);
    assert_eq!(event.attempts, 3, "A, AAAA and NS");
    let types: Vec<&str> = event
        .records
        .iter()
        .map(|record| record.record_type.as_str())
        .collect();
    assert_eq!(types, ["A", "NS", "NS"]);
}
