//! How many domains are in a work order.

use aggregates::{
    campaign::{Phase, Pinned},
    persona::{DnsConfig, HttpConfig},
};

use super::{Network, validation};

/// How long the orders that a paced run has under way at once may take, seconds: so long may a pause, a newcomer and
/// the next sign of progress have to wait.
const UNDER_WAY: f64 = 10.0;

/// How many orders such a run has under way in a process of the standing number of slots.
const AT_ONCE: f64 = 8.0;

/// The fewest domains of an order: an order is a row, and a transaction.
const FEWEST: u32 = 10;

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
    match pinned {
        Pinned::Validation {
            dns, record_types, ..
        } => at_pace(dns_pace(dns, record_types, network), standing)
            .min(dns.max_domains_per_request)
            .max(1),
        Pinned::Extraction { http, .. } => at_pace(http_pace(http), standing),
        _ => standing,
    }
}

/// The most domains a second that the limits of a DNS persona, and the standing ones, leave; infinite without a limit.
fn dns_pace(persona: &DnsConfig, record_types: &[String], network: &Network) -> f64 {
    // What the engine does not take ends the run when a worker meets it.
    let Ok(config) = validation::config(persona, record_types, network) else {
        return f64::INFINITY;
    };
    let count = |length: usize| u32::try_from(length).map_or(f64::INFINITY, f64::from);
    let (resolvers, questions) = (
        count(config.resolvers.len()),
        count(config.record_types.len()),
    );
    let of_all = config.rate.map_or(f64::INFINITY, |rate| rate.per_second);
    let of_each = config
        .resolver_rate
        .map_or(f64::INFINITY, |rate| rate.per_second);
    of_all.min(of_each * resolvers) / questions
}

fn http_pace(persona: &HttpConfig) -> f64 {
    let limit = persona.rate_limit_dps.filter(|rate| *rate > 0.0);
    limit.unwrap_or(f64::INFINITY)
}

/// The domains that orders of a run at a pace, domains a second, hold.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it lies between two numbers of the type"
)]
fn at_pace(pace: f64, most: u32) -> u32 {
    let domains = pace * UNDER_WAY / AT_ONCE;
    domains.clamp(FEWEST.into(), most.into()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validation(change: impl FnOnce(&mut DnsConfig)) -> u32 {
        let mut dns = DnsConfig {
            resolvers: vec!["9.9.9.9".to_owned(), "9.9.9.10".to_owned()],
            use_system_resolvers: false,
            ..DnsConfig::default()
        };
        change(&mut dns);
        let pinned = Pinned::Validation {
            dns_persona: None,
            dns,
            record_types: Vec::new(),
            taken: Vec::new(),
        };
        let network = Network {
            allow_private: true,
            ..Network::default()
        };
        order_size(&pinned, &network)
    }

    #[test]
    fn the_orders_of_a_paced_run_that_are_under_way_take_some_ten_seconds() {
        // Two resolvers at 100 questions a second, two questions a domain.
        assert_eq!(validation(|_| ()), 125);
        assert_eq!(validation(|dns| dns.rate_limit_dps = Some(40.0)), 25);
        assert_eq!(validation(|dns| dns.resolver_rate_limit = Some(16.0)), 20);
        assert_eq!(validation(|dns| dns.rate_limit_dps = Some(0.5)), FEWEST);
        assert_eq!(validation(|dns| dns.max_domains_per_request = 7), 7);
        let own = |dns: &mut DnsConfig| dns.resolvers = vec!["127.0.0.1:5353".to_owned()];
        assert_eq!(validation(own), 1_000, "nothing holds it back");

        let extraction = |rate_limit_dps| {
            let pinned = Pinned::Extraction {
                http_persona: None,
                http: HttpConfig {
                    rate_limit_dps,
                    ..HttpConfig::default()
                },
                dns: DnsConfig::default(),
                rules: Vec::new(),
                taken: Vec::new(),
            };
            order_size(&pinned, &Network::default())
        };
        assert_eq!(extraction(Some(16.0)), 20);
        assert_eq!([extraction(Some(0.0)), extraction(None)], [250, 250]);
    }
}
