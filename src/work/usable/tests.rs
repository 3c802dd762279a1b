use std::collections::BTreeMap;

use aggregates::{
    ids::RuleId,
    keyword_set::{RuleType, check_rules},
    persona::{
        CookieHandling, CookieMode, Resolver, Strategy as Picking, TlsClientHello, TlsVersion,
    },
};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
};
use uuid::Uuid;

use super::*;

const RESOLVERS: &[&str] = &[
    "9.9.9.1",
    "9.9.9.1:53",
    "[9.9.9.1]",
    " 9.9.9.2:5353 ",
    "2001:db8::1",
    "[2001:db8::1]",
    "[2001:db8::1]:5353",
    "::ffff:9.9.9.1",
    "[::ffff:9.9.9.1]",
    "[fe80::1%3]:53",
    "fe80::1%3",
    "system",
    "System",
    "tls://9.9.9.1",
    "tls://[2001:db8::1]:8853",
    "tls://Dns.Example",
    "tls://me@dns.example",
    "https://dns.example:8443/q{?dns}",
    "https://9.9.9.1",
    "https://dns.example/q?key",
    "9.9.9.1:0",
    "0.0.0.0",
    "[::]",
    "",
];

const HEADERS: &[&str] = &[
    "accept",
    "Accept-Language",
    "DNT",
    "X-Custom",
    "host",
    "connection",
    "Keep-Alive",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "authorization",
    "proxy-authorization",
    "proxy-connection",
    "accept-encoding",
    "cookie",
    "User-Agent",
    "Range",
    "http2-settings",
    "X Y",
    "",
];

const VALUES: &[&str] = &["", "a", " a b ", "a=b", "a;b", "ä", "a\r\nb", "\"a\"", "\t"];

/// What an operator says who allows everything that can be allowed.
fn open() -> Network {
    Network {
        allow_private: true,
        ..Network::default()
    }
}

fn rate() -> impl Strategy<Value = Option<f64>> {
    option::of(select(vec![
        0.0,
        1.0 / 3_600.0,
        1e-9,
        0.5,
        1e6,
        2e6,
        -1.0,
        f64::NAN,
    ]))
}

fn texts(known: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<String>> {
    vec(select(known).prop_map(str::to_owned), 0..most)
}

prop_compose! {
    fn dns_config()(
        resolvers in texts(RESOLVERS, 3),
        use_system_resolvers: bool,
        query_timeout_seconds in 0..70_u32,
        resolver_strategy in select(vec![
            Picking::RoundRobin, Picking::Random, Picking::Weighted, Picking::Priority,
        ]),
        weights in option::weighted(0.3, btree_map(select(RESOLVERS).prop_map(str::to_owned), 0..3_u32, 0..3)),
        order in option::weighted(0.3, texts(RESOLVERS, 3)),
        concurrent_queries_per_domain in 0..110_u32,
        delays in (option::of(0..3_u32), option::of(select(vec![0, 1, 60_000, 60_001]))),
        max_concurrent_goroutines in option::of(select(vec![0, 1, 16_384, 16_385])),
        rates in (
            option::weighted(0.2, rate()), option::weighted(0.2, rate()), option::weighted(0.2, rate()),
        ),
        rate_limit_burst in option::of(select(vec![0, 1, 100_000, 100_001])),
        attempts in option::of(0..22_u32),
    ) -> DnsConfig {
        DnsConfig {
            resolvers,
            use_system_resolvers,
            query_timeout_seconds,
            max_domains_per_request: 100,
            resolver_strategy,
            resolvers_weighted: weights.unwrap_or_default(),
            resolvers_preferred_order: order.unwrap_or_default(),
            concurrent_queries_per_domain,
            query_delay_min_ms: delays.0,
            query_delay_max_ms: delays.1,
            max_concurrent_goroutines,
            rate_limit_dps: rates.0.flatten(),
            rate_limit_burst,
            attempts,
            tcp_on_truncation: None,
            check_wildcards: None,
            resolver_rate_limit: rates.1.flatten(),
            zone_rate_limit: rates.2.flatten(),
        }
    }
}

fn pairs() -> impl Strategy<Value = BTreeMap<String, String>> {
    let name = select(HEADERS).prop_map(str::to_owned);
    btree_map(name, select(VALUES).prop_map(str::to_owned), 0..3)
}

fn tls() -> impl Strategy<Value = Option<TlsVersion>> {
    option::of(select(vec![
        TlsVersion::Tls10,
        TlsVersion::Tls11,
        TlsVersion::Tls12,
        TlsVersion::Tls13,
    ]))
}

prop_compose! {
    fn http_config()(
        user_agent in select(vec!["x", " x ", " ", "", "ä", "x\ny"]),
        headers in pairs(),
        hello in option::of((tls(), tls())),
        cookies in option::weighted(0.3, (
            option::of(select(vec![CookieMode::Preserve, CookieMode::Ignore, CookieMode::Custom])),
            pairs(),
        )),
        request_timeout_seconds in option::of(select(vec![0, 1, 300, 301])),
        allowed_status_codes in vec(select(vec![199, 200, 404, 599, 600]), 0..2),
        rate_limit_dps in rate(),
        rate_limit_burst in option::of(select(vec![0, 1, 5])),
    ) -> HttpConfig {
        HttpConfig {
            user_agent: user_agent.to_owned(),
            headers,
            tls_client_hello: hello.map(|(min_version, max_version)| TlsClientHello {
                min_version,
                max_version,
                ..TlsClientHello::default()
            }),
            cookie_handling: cookies.map(|(mode, cookies)| CookieHandling { mode, cookies }),
            request_timeout_seconds,
            allowed_status_codes,
            rate_limit_dps,
            rate_limit_burst,
            ..HttpConfig::default()
        }
    }
}

/// Patterns that are near what a rule can be: made of what means something to either side.
fn pattern() -> impl Strategy<Value = String> {
    let part = select(vec![
        "a", " ", "\u{ad}", "\u{200b}", "\u{2060}", "\u{feff}", "\u{a0}", "\u{3000}", "(", ")",
        "|", "*", "?", r"\b", r"\w{20}", r"\w{9}", r"\pL{60}", "İ",
    ]);
    vec(part, 0..4).prop_map(|parts| parts.concat())
}

prop_compose! {
    fn rule()(pattern in pattern(), regex: bool, is_case_sensitive: bool) -> Rule {
        Rule {
            rule_type: if regex { RuleType::Regex } else { RuleType::String },
            is_case_sensitive,
            ..Rule::text(RuleId(Uuid::from_u128(1)), pattern)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_dns_persona_that_can_be_saved_is_one_that_the_engine_takes(config in dns_config()) {
        // Saving refuses by their places the servers that the operator does not allow.
        let refused = config.resolvers.iter().any(|text| {
            let server = Resolver::parse(text).ok().and_then(|resolver| resolver.address());
            server.is_some_and(|server| open().refuses_resolver(server).is_some())
        });
        if config.validate().is_ok() && !refused {
            prop_assert_eq!(dns(&config, &[], &open()), Ok(()));
        }
    }

    #[test]
    fn an_http_persona_that_can_be_saved_is_one_that_the_fetcher_takes(config in http_config()) {
        if config.validate().is_ok() {
            prop_assert_eq!(http(&config, &open()), Ok(()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_rule_that_the_matcher_takes_is_one_that_can_be_saved(rule in rule()) {
        let rule = [rule];
        // Signs that are not seen are something to an expression, and nothing to who saves it.
        let is_seen = !rule[0].pattern.chars().all(|sign| " \u{ad}\u{200b}\u{2060}\u{feff}\u{a0}\u{3000}".contains(sign));
        if is_seen && rules(&rule).is_ok() {
            prop_assert_eq!(check_rules(&rule), Ok(()));
        }
    }
}

#[test]
fn an_expression_that_can_be_read_and_not_searched_with_is_refused() {
    for pattern in ["x*", r"\w{60}", r"\p{nothing}", r"(?-u:\xff)"] {
        let rule = [Rule {
            rule_type: RuleType::Regex,
            ..Rule::text(RuleId(Uuid::from_u128(1)), pattern)
        }];
        assert_eq!(check_rules(&rule), Ok(()), "{pattern}");
        let unusable = rules(&rule).unwrap_err();
        assert_eq!(
            (unusable.at, unusable.field),
            (Some(0), "pattern"),
            "{pattern}"
        );
    }
}

#[test]
fn a_rule_that_cannot_be_searched_with_is_named_by_its_place() {
    let rule = |at: u128, pattern: &str| Rule::text(RuleId(Uuid::from_u128(at)), pattern);
    let unusable = rules(&[rule(1, "fine"), rule(2, "\u{200b}\u{ad}")]).unwrap_err();
    assert_eq!((unusable.at, unusable.field), (Some(1), "pattern"));
    let many: Vec<Rule> = (0..=10_000)
        .map(|at| rule(at, &format!("word {at}")))
        .collect();
    let unusable = rules(&many).unwrap_err();
    assert_eq!((unusable.at, unusable.field), (None, "rules"));
    assert!(unusable.message.contains("10001"), "{}", unusable.message);
}
