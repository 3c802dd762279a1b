//! Which resolvers a run may ask, and within which limits.

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
