//! How many domains are in a work order, and which runs have one order under way at a time.

use ::validation::dns;
use aggregates::{
    campaign::{Phase, Pinned},
    persona::{DnsConfig, HttpConfig},
};

use super::{Network, validation};

/// How long the orders that a paced run has under way at once may take, seconds: so long may a pause, a newcomer and
/// the next sign of progress have to wait. Longer only where one domain takes longer.
const UNDER_WAY: f64 = 10.0;

/// How many orders such a run has under way in a process of the standing number of slots, unless it [`crawls`].
const AT_ONCE: f64 = 8.0;

/// How long a question is in flight on average, seconds, with those among them that nobody answers.
const IN_FLIGHT: f64 = 0.2;

/// Domains in a work order of a run. An order is as slow as its slowest domain, so orders of network phases are kept
/// smaller than those of pure computation, and those of a run with a slow pace smaller still; a DNS persona can ask for
/// fewer.
pub(super) fn order_size(pinned: &Pinned, network: &Network) -> u32 {
    let standing = match pinned.phase() {
        Phase::Discovery => 1,
        Phase::Validation => 1_000,
        Phase::Extraction => 250,
        // A scored domain carries its page's evidence and its breakdown: more of them at once would be the server's peak.
        Phase::Analysis => 500,
        Phase::Enrichment => 2_000,
    };
    let size = at_pace(pace(pinned, network), standing);
    match pinned {
        Pinned::Validation { dns, .. } => size.min(dns.max_domains_per_request).max(1),
        _ => size,
    }
}

/// Tells whether a run's pace is so slow that several orders of it would be under way for too long even with one domain
/// each.
pub(super) fn crawls(pinned: &Pinned, network: &Network) -> bool {
    is_crawl(pace(pinned, network))
}

fn is_crawl(pace: f64) -> bool {
    pace * UNDER_WAY < AT_ONCE
}

/// The most domains a second that the limits of a run leave; infinite without a limit.
fn pace(pinned: &Pinned, network: &Network) -> f64 {
    match pinned {
        Pinned::Validation {
            dns, record_types, ..
        } => dns_pace(dns, record_types, network),
        // A site that leads to another host costs a look at that one's addresses, and many do.
        Pinned::Extraction { http, dns, .. } => http_pace(http).min(dns_pace(dns, &[], network)),
        _ => f64::INFINITY,
    }
}

/// The most domains a second that the limits of a DNS persona, and the standing ones, leave.
fn dns_pace(persona: &DnsConfig, record_types: &[String], network: &Network) -> f64 {
    // What the engine does not take ends the run when a worker meets it.
    let Ok(config) = validation::config(persona, record_types, network) else {
        return f64::INFINITY;
    };
    let per_second = |rate: Option<dns::Rate>| rate.map_or(f64::INFINITY, |rate| rate.per_second);
    let questions = per_second(config.rate)
        .min(per_second(config.suffix_rate))
        .min(per_second(config.resolver_rate) * resolvers(&config))
        .min(count(config.in_flight) / IN_FLIGHT);
    let domains = questions / count(config.record_types.len());
    domains.min(per_second(config.domain_rate))
}

/// How many times the pace of one resolver those of a configuration come to: the one that is asked most keeps the others
/// to its own pace.
fn resolvers(config: &dns::Config) -> f64 {
    match config.strategy {
        dns::Strategy::RoundRobin | dns::Strategy::Random => count(config.resolvers.len()),
        dns::Strategy::Weighted => {
            let weight = |resolver| config.weights.get(resolver).copied().map_or(1.0, f64::from);
            let weights = config.resolvers.iter().map(weight);
            weights.clone().sum::<f64>() / weights.fold(1.0, f64::max)
        }
        dns::Strategy::Priority => 1.0,
    }
}

fn http_pace(persona: &HttpConfig) -> f64 {
    let limit = persona.rate_limit_dps.filter(|rate| *rate > 0.0);
    limit.unwrap_or(f64::INFINITY)
}

fn count(of: usize) -> f64 {
    u32::try_from(of).map_or(f64::INFINITY, f64::from)
}

/// The domains that orders of a run at a pace, domains a second, hold.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it lies between two numbers of the type"
)]
fn at_pace(pace: f64, most: u32) -> u32 {
    let at_once = if is_crawl(pace) { 1.0 } else { AT_ONCE };
    let domains = pace * UNDER_WAY / at_once;
    domains.clamp(1.0, most.into()) as u32
}

#[cfg(test)]
mod tests {
    use aggregates::persona::Strategy;

    use super::*;

    const OWN: &str = "127.0.0.1:5353";

    fn asking(resolvers: &[&str]) -> DnsConfig {
        DnsConfig {
            resolvers: resolvers.iter().map(|&text| text.to_owned()).collect(),
            use_system_resolvers: false,
            ..DnsConfig::default()
        }
    }

    fn network() -> Network {
        Network {
            allow_private: true,
            ..Network::default()
        }
    }

    fn size(pinned: &Pinned) -> u32 {
        order_size(pinned, &network())
    }

    fn validation(change: impl FnOnce(&mut DnsConfig)) -> u32 {
        let mut dns = asking(&["9.9.9.9", "9.9.9.10"]);
        change(&mut dns);
        size(&Pinned::Validation {
            dns_persona: None,
            dns,
            record_types: Vec::new(),
            taken: Vec::new(),
        })
    }

    fn extraction_of(rate_limit_dps: Option<f64>, dns: DnsConfig) -> Pinned {
        Pinned::Extraction {
            http_persona: None,
            http: HttpConfig {
                rate_limit_dps,
                ..HttpConfig::default()
            },
            dns,
            rules: Vec::new(),
            taken: Vec::new(),
            proxies: None,
        }
    }

    fn extraction(rate_limit_dps: Option<f64>, dns: DnsConfig) -> u32 {
        size(&extraction_of(rate_limit_dps, dns))
    }

    #[test]
    fn the_orders_of_a_paced_run_that_are_under_way_take_some_ten_seconds() {
        // Two resolvers at 100 questions a second, two questions a domain.
        assert_eq!(validation(|_| ()), 125);
        assert_eq!(validation(|dns| dns.rate_limit_dps = Some(40.0)), 50);
        assert_eq!(validation(|dns| dns.resolver_rate_limit = Some(16.0)), 20);
        assert_eq!(validation(|dns| dns.rate_limit_dps = Some(0.8)), 1);
        assert_eq!(validation(|dns| dns.max_domains_per_request = 7), 7);
        assert_eq!(validation(|dns| *dns = asking(&[OWN])), 1_000);
    }

    #[test]
    fn the_resolver_that_is_asked_most_sets_the_pace() {
        let priority = |dns: &mut DnsConfig| dns.resolver_strategy = Strategy::Priority;
        assert_eq!(validation(priority), 62);
        let weighted = |weight| {
            validation(|dns| {
                dns.resolver_strategy = Strategy::Weighted;
                dns.resolvers_weighted = [("9.9.9.10".to_owned(), weight)].into();
            })
        };
        assert_eq!([0, 1, 3].map(weighted), [62, 125, 83]);
    }

    #[test]
    fn few_questions_at_once_are_a_pace_too() {
        let in_flight = |most| {
            validation(|dns| {
                *dns = asking(&[OWN]);
                dns.max_concurrent_goroutines = Some(most);
            })
        };
        assert_eq!([1, 4, 1_000].map(in_flight), [3, 12, 1_000]);
    }

    #[test]
    fn an_extraction_goes_at_the_pace_of_its_fetches_or_of_what_they_ask_dns() {
        assert_eq!(extraction(Some(16.0), asking(&[OWN])), 20);
        for unpaced in [Some(0.0), None] {
            assert_eq!(extraction(unpaced, asking(&[OWN])), 250);
        }
        let paced = || DnsConfig {
            rate_limit_dps: Some(8.0),
            ..asking(&[OWN])
        };
        assert_eq!(extraction(None, paced()), 10);
        assert_eq!(extraction(Some(4.0), paced()), 5);
        assert_eq!(extraction(None, asking(&["9.9.9.9", "9.9.9.10"])), 125);
    }

    #[test]
    fn a_run_that_crawls_has_one_order_under_way_of_some_ten_seconds() {
        let crawling = |rate| {
            let dns = DnsConfig {
                rate_limit_dps: Some(rate),
                ..asking(&[OWN])
            };
            let pinned = extraction_of(None, dns);
            (crawls(&pinned, &network()), size(&pinned))
        };
        let expected = [(false, 1), (true, 7), (true, 1), (true, 1)];
        assert_eq!([0.8, 0.75, 0.1, 0.005].map(crawling), expected);
        let pinned = Pinned::Enrichment {
            thresholds: aggregates::lead::Thresholds::default(),
        };
        assert!(!crawls(&pinned, &network()));
    }
}
