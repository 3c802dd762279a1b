//! Each setting of a DNS persona has an effect that the sandbox's resolvers see.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use ::validation::dns::{Engine, Report};
use aggregates::{campaign::Pinned, persona::Strategy};
use futures::future::join_all;
use sandbox::{Always, Dns, Host, ResolverScript, Sandbox, World};
use tokio_util::sync::CancellationToken;

use super::{super::order_size::order_size, *};

/// Answers at once, as does the next.
const FIRST: usize = 0;
const SECOND: usize = 1;
/// Answers late.
const SLOW: usize = 2;
/// Never answers.
const SILENT: usize = 3;

/// A sandbox and what its operator says.
struct Lab {
    sandbox: Sandbox,
    network: Network,
}

impl Lab {
    async fn start() -> Self {
        let timed = ResolverScript::healthy().timed();
        let world = World::scripted()
            .wildcard("live.test", Host::page(&[]))
            .host("cut.test", Host::named(Dns::Truncated))
            .host("broken.test", Host::named(Dns::ServFail))
            .resolver(timed)
            .resolver(timed)
            .resolver(timed.delay(Duration::from_millis(40)))
            .resolver(ResolverScript::always(Always::Silent).timed());
        let sandbox = Sandbox::start(world).await.unwrap();
        let mut network = Network {
            allow_private: true,
            ..Network::default()
        };
        network.trust_pem(sandbox.ca_pem()).unwrap();
        Self { sandbox, network }
    }

    fn name(&self, resolver: usize) -> String {
        self.sandbox.resolvers()[resolver].to_string()
    }

    /// A persona that asks some of the resolvers, within no limits but its own.
    fn asking(&self, resolvers: &[usize]) -> DnsConfig {
        DnsConfig {
            resolvers: resolvers.iter().map(|nth| self.name(*nth)).collect(),
            use_system_resolvers: false,
            ..DnsConfig::default()
        }
    }

    fn engine(&self, persona: &DnsConfig) -> Engine {
        persona.validate().unwrap();
        let config = config(persona, &[], &self.network).unwrap();
        Engine::start(config, CancellationToken::new()).unwrap()
    }

    /// Checks so many names of a zone where every name has an address, all at once.
    async fn check(&self, persona: &DnsConfig, count: usize) -> Duration {
        let engine = self.engine(persona);
        let names: Vec<String> = (0..count).map(|nth| format!("n{nth}.live.test")).collect();
        let since = Instant::now();
        join_all(names.iter().map(|name| engine.check(name))).await;
        since.elapsed()
    }

    /// Checks a name and counts the packets that it took.
    async fn check_one(&self, persona: &DnsConfig, name: &str) -> (Report, u64) {
        let before = self.packets().iter().sum::<u64>();
        let report = self.engine(persona).check(name).await;
        (report, self.packets().iter().sum::<u64>() - before)
    }

    fn packets(&self) -> [u64; 4] {
        [FIRST, SECOND, SLOW, SILENT].map(|nth| self.sandbox.dns_packets(nth))
    }
}

/// A persona in which every field is set. A new field has to be set here, and then has to have a case below.
fn full() -> DnsConfig {
    let named = || "192.0.2.1".to_owned();
    DnsConfig {
        resolvers: vec![named()],
        use_system_resolvers: true,
        query_timeout_seconds: 1,
        max_domains_per_request: 1,
        resolver_strategy: Strategy::Weighted,
        resolvers_weighted: BTreeMap::from([(named(), 1)]),
        resolvers_preferred_order: vec![named()],
        concurrent_queries_per_domain: 1,
        query_delay_min_ms: Some(1),
        query_delay_max_ms: Some(1),
        max_concurrent_goroutines: Some(1),
        rate_limit_dps: Some(1.0),
        rate_limit_burst: Some(1),
        attempts: Some(1),
        tcp_on_truncation: Some(true),
        check_wildcards: Some(true),
        resolver_rate_limit: Some(1.0),
        zone_rate_limit: Some(1.0),
    }
}

macro_rules! cases {
    ($($field:literal => $case:ident $body:expr;)*) => {
        const CASES: &[&str] = &[$($field),*];
        $(
            #[tokio::test]
            async fn $case() {
                let case: fn(Lab) -> _ = $body;
                case(Lab::start().await).await;
            }
        )*
    };
}

#[test]
fn every_field_of_a_dns_persona_has_a_case() {
    let written = serde_json::to_value(full()).unwrap();
    let fields: BTreeSet<&str> = written
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(fields, CASES.iter().copied().collect());
    let document = serde_json::to_value(crate::http::openapi()).unwrap();
    let described = &document["components"]["schemas"]["PersonaConfigDns"]["properties"];
    let described = described.as_object().unwrap().keys().map(String::as_str);
    let described: BTreeSet<&str> = described.filter(|field| *field != "personaType").collect();
    assert_eq!(fields, described);
}

cases! {
    "resolvers" => those_that_are_named_are_asked_in_the_way_that_is_named |lab| async move {
        lab.check(&lab.asking(&[SECOND]), 5).await;
        assert_eq!(lab.packets(), [0, 10, 0, 0]);
        let tls = format!("tls://{}", lab.sandbox.dot_addr());
        for (encrypted, queries) in [(tls, 10), (lab.sandbox.doh_url(), 20)] {
            let persona = DnsConfig { resolvers: vec![encrypted], ..lab.asking(&[]) };
            lab.check(&persona, 5).await;
            assert_eq!(lab.sandbox.authority_tcp_queries(), queries);
        }
        assert_eq!(lab.sandbox.authority_packets(), 0);
    };
    "useSystemResolvers" => the_systems_resolvers_are_asked_where_that_is_said |lab| async move {
        let persona = DnsConfig { use_system_resolvers: true, ..lab.asking(&[]) };
        let config = dns::Config {
            // In place of those of the machine that the test runs on.
            system: Some(vec![dns::Resolver::Address(lab.sandbox.resolvers()[SECOND])]),
            ..config(&persona, &[], &lab.network).unwrap()
        };
        let engine = Engine::start(config, CancellationToken::new()).unwrap();
        engine.check("n.live.test").await;
        assert_eq!(lab.packets(), [0, 2, 0, 0]);
    };
    "queryTimeoutSeconds" => a_packet_is_repeated_after_the_time_out |lab| async move {
        let mut persona = lab.asking(&[SILENT]);
        persona.attempts = Some(2);
        persona.query_timeout_seconds = 1;
        let engine = lab.engine(&persona);
        engine.check("n.live.test").await;
        let arrivals = lab.sandbox.dns_arrivals(SILENT);
        let pause = arrivals[1] - arrivals[0];
        assert!((1_000..2_000).contains(&pause.as_millis()), "{pause:?}");
    };
    "maxDomainsPerRequest" => an_order_holds_no_more_domains |lab| async move {
        let mut dns = lab.asking(&[FIRST]);
        dns.max_domains_per_request = 7;
        let pinned = Pinned::Validation {
            dns_persona: None,
            dns,
            record_types: Vec::new(),
            taken: Vec::new(),
        };
        assert_eq!(order_size(&pinned, &lab.network), 7);
    };
    "resolverStrategy" => the_strategy_says_who_is_asked |lab| async move {
        let mut persona = lab.asking(&[FIRST, SECOND]);
        lab.check(&persona, 20).await;
        assert_eq!(lab.packets(), [20, 20, 0, 0]);
        persona.resolver_strategy = Strategy::Priority;
        lab.check(&persona, 20).await;
        assert_eq!(lab.packets(), [60, 20, 0, 0]);
    };
    "resolversWeighted" => a_weight_of_nothing_keeps_a_resolver_in_reserve |lab| async move {
        let mut persona = lab.asking(&[FIRST, SECOND]);
        persona.resolver_strategy = Strategy::Weighted;
        persona.resolvers_weighted = [(lab.name(FIRST), 0)].into();
        lab.check(&persona, 20).await;
        assert_eq!(lab.packets(), [0, 40, 0, 0]);
    };
    "resolversPreferredOrder" => the_preferred_is_asked_first |lab| async move {
        let mut persona = lab.asking(&[FIRST, SECOND]);
        persona.resolver_strategy = Strategy::Priority;
        persona.resolvers_preferred_order = vec![lab.name(SECOND)];
        lab.check(&persona, 20).await;
        assert_eq!(lab.packets(), [0, 40, 0, 0]);
    };
    "concurrentQueriesPerDomain" => so_many_types_of_a_domain_are_asked_for_at_once |lab| async move {
        let types = ["CNAME", "MX", "NS", "TXT", "SOA", "CAA"].map(str::to_owned);
        for most in [1, 3] {
            let mut persona = lab.asking(&[SLOW]);
            persona.concurrent_queries_per_domain = most;
            let config = config(&persona, &types, &lab.network).unwrap();
            let engine = Engine::start(config, CancellationToken::new()).unwrap();
            assert_eq!(engine.check("n.live.test").await.attempts, 8);
            assert_eq!(lab.sandbox.dns_peak(SLOW), u64::from(most));
        }
    };
    "queryDelayMinMs" => a_domain_waits_at_least_so_long |lab| async move {
        let mut persona = lab.asking(&[FIRST]);
        (persona.query_delay_min_ms, persona.query_delay_max_ms) = (Some(150), Some(200));
        let since = Instant::now();
        lab.check(&persona, 3).await;
        let first = lab.sandbox.dns_arrivals(FIRST)[0] - since;
        assert!(first >= Duration::from_millis(150), "{first:?}");
    };
    "queryDelayMaxMs" => domains_wait_up_to_so_long |lab| async move {
        let mut persona = lab.asking(&[FIRST]);
        persona.query_delay_max_ms = Some(400);
        let whole = lab.check(&persona, 30).await;
        // That thirty are drawn from the first quarter has a chance of one in 4^30.
        assert!(whole >= Duration::from_millis(100), "{whole:?}");
    };
    "maxConcurrentGoroutines" => so_many_queries_are_in_flight |lab| async move {
        let mut persona = lab.asking(&[SLOW]);
        persona.max_concurrent_goroutines = Some(4);
        lab.check(&persona, 10).await;
        assert_eq!(lab.sandbox.dns_peak(SLOW), 4);
    };
    "rateLimitDps" => so_many_domains_are_begun_a_second |lab| async move {
        let mut persona = lab.asking(&[FIRST]);
        persona.rate_limit_dps = Some(50.0);
        let whole = lab.check(&persona, 16).await;
        assert_eq!(lab.packets(), [32, 0, 0, 0]);
        assert!(whole >= Duration::from_millis(280), "{whole:?}");
    };
    "rateLimitBurst" => so_many_are_begun_at_once_after_a_pause |lab| async move {
        let mut persona = lab.asking(&[FIRST]);
        (persona.rate_limit_dps, persona.rate_limit_burst) = (Some(1.0), Some(5));
        let whole = lab.check(&persona, 5).await;
        // One after the other they would take four seconds.
        assert!(whole < Duration::from_secs(3), "{whole:?}");
    };
    "attempts" => a_question_is_asked_so_often |lab| async move {
        for attempts in [1, 3] {
            let mut persona = lab.asking(&[FIRST]);
            persona.attempts = Some(attempts);
            let (_, packets) = lab.check_one(&persona, "broken.test").await;
            assert_eq!(packets, u64::from(2 * attempts), "for two types");
        }
    };
    "tcpOnTruncation" => an_answer_that_was_cut_is_had_over_tcp_or_not |lab| async move {
        let mut persona = lab.asking(&[FIRST]);
        persona.tcp_on_truncation = Some(false);
        lab.check_one(&persona, "cut.test").await;
        assert_eq!(lab.sandbox.dns_tcp_queries(FIRST), 0);
        persona.tcp_on_truncation = Some(true);
        let (report, _) = lab.check_one(&persona, "cut.test").await;
        assert!(report.truncated && lab.sandbox.dns_tcp_queries(FIRST) > 0);
    };
    "checkWildcards" => a_zone_is_asked_for_a_name_that_nobody_has |lab| async move {
        let mut persona = lab.asking(&[FIRST]);
        let (report, packets) = lab.check_one(&persona, "n.live.test").await;
        assert_eq!((report.wildcard, packets), (None, 2));
        persona.check_wildcards = Some(true);
        let (report, packets) = lab.check_one(&persona, "n.live.test").await;
        assert_eq!((report.wildcard, packets), (Some(true), 3));
    };
    "resolverRateLimit" => so_many_packets_go_to_a_resolver_in_a_second |lab| async move {
        let mut persona = lab.asking(&[FIRST]);
        persona.resolver_rate_limit = Some(100.0);
        let whole = lab.check(&persona, 15).await;
        assert_eq!(lab.packets(), [30, 0, 0, 0]);
        assert!(whole >= Duration::from_millis(270), "{whole:?}");
    };
    "zoneRateLimit" => so_many_packets_go_to_the_servers_of_a_zone_in_a_second |lab| async move {
        let mut persona = lab.asking(&[FIRST, SECOND]);
        persona.zone_rate_limit = Some(100.0);
        let whole = lab.check(&persona, 15).await;
        assert_eq!(lab.packets(), [15, 15, 0, 0]);
        assert!(whole >= Duration::from_millis(270), "{whole:?}");
    };
}
