//! Validation: the names of an order over DNS.

use ::validation::http::AllowedRanges;
use aggregates::{
    domain::{DnsChecked, DnsReason, DnsRecord, Event, Outcome},
    ids::RunId,
    persona::{DnsConfig, Strategy},
};
use futures::{StreamExt as _, stream};
use projections::domains::Candidate;
use validation::dns;

use super::{Network, manner::Manner, record::Found};

/// Checks every candidate; the engine bounds how many queries are in flight.
pub(super) async fn check(
    engine: &dns::Engine,
    run_id: RunId,
    candidates: Vec<Candidate>,
    manner: Manner,
) -> Vec<Found> {
    let at_once = candidates.len().max(1);
    stream::iter(manner.arranged(candidates))
        .map(|candidate| async move {
            manner.pause().await;
            let report = engine.check(&candidate.name).await;
            Found {
                name: candidate.name,
                state: candidate.state,
                result: Event::DnsChecked(checked(run_id, report)),
            }
        })
        .buffer_unordered(at_once)
        .collect()
        .await
}

fn checked(run_id: RunId, report: dns::Report) -> DnsChecked {
    let (outcome, reason) = match report.outcome {
        dns::Outcome::Ok => (Outcome::Ok, None),
        dns::Outcome::Timeout => (Outcome::Timeout, Some(DnsReason::Timeout)),
        dns::Outcome::Error(reason) => (Outcome::Error, Some(reason_of(reason))),
    };
    DnsChecked {
        run_id,
        outcome,
        reason,
        detail: report.detail,
        records: report
            .records
            .into_iter()
            .map(|record| DnsRecord {
                record_type: record.record_type.to_string(),
                value: record.value,
                ttl: record.ttl,
            })
            .collect(),
        addresses: report.addresses,
        resolver: report.resolver,
        attempts: report.attempts,
        elapsed_ms: u32::try_from(report.elapsed.as_millis()).unwrap_or(u32::MAX),
        authoritative: report.authoritative,
        truncated: report.truncated,
        validated: report.validated,
        wildcard: report.wildcard.unwrap_or(false),
        name_servers: report.name_servers,
        parking: report.parking,
        taken_from: None,
    }
}

const fn reason_of(reason: dns::Reason) -> DnsReason {
    match reason {
        dns::Reason::Nxdomain => DnsReason::Nxdomain,
        dns::Reason::Servfail => DnsReason::Servfail,
        dns::Reason::Refused => DnsReason::Refused,
        dns::Reason::NoAnswer => DnsReason::NoAnswer,
        dns::Reason::Error => DnsReason::Error,
    }
}

/// Translates a persona's configuration into the engine's.
///
/// # Errors
/// What the engine cannot honour or the operator does not allow, in words.
pub(super) fn config(
    persona: &DnsConfig,
    record_types: &[String],
    network: &Network,
) -> Result<dns::Config, String> {
    let parse = |text: &String| dns::Resolver::parse(text).map_err(|error| error.to_string());
    let parsed = |texts: &[String]| texts.iter().map(parse).collect::<Result<Vec<_>, _>>();
    let mut resolvers = parsed(&persona.resolvers)?;
    for address in resolvers.iter().filter_map(dns::Resolver::address) {
        if let Some(why) = network.refuses_resolver(address) {
            return Err(format!("the resolver {address} is refused: {why}"));
        }
    }
    if persona.use_system_resolvers && !resolvers.contains(&dns::Resolver::System) {
        resolvers.push(dns::Resolver::System);
    }
    let weights = persona
        .resolvers_weighted
        .iter()
        .map(|(text, weight)| Ok((parse(text)?, *weight)))
        .collect::<Result<_, String>>()?;
    let preferred_order = parsed(&persona.resolvers_preferred_order)?;
    // The machine's own resolvers may know names inside, so where the operator named others, a user asks those.
    let system = Some(parsed(&network.resolvers)?).filter(|named| !named.is_empty());
    let defaults = dns::Config::default();
    let mut types = defaults.record_types.clone();
    for text in record_types {
        let wanted = text
            .parse()
            .map_err(|_| format!("unknown record type {text}"))?;
        if !types.contains(&wanted) {
            types.push(wanted);
        }
    }
    // One's own servers need no protection from oneself; a limit that the persona names holds for them too.
    let all_own = resolvers.iter().all(|resolver| {
        resolver
            .address()
            .is_some_and(|address| network.is_own(address))
    });
    let standing = if all_own {
        defaults.without_limits()
    } else {
        defaults
    };
    let zone_rate = rate(persona.zone_rate_limit, None);
    let config = dns::Config {
        strategy: match persona.resolver_strategy {
            Strategy::RoundRobin => dns::Strategy::RoundRobin,
            Strategy::Random => dns::Strategy::Random,
            Strategy::Weighted => dns::Strategy::Weighted,
            Strategy::Priority => dns::Strategy::Priority,
        },
        weights,
        preferred_order,
        query_timeout: persona.query_timeout(),
        attempts: persona.attempts.unwrap_or(standing.attempts),
        concurrent_queries_per_domain: usize::try_from(persona.concurrent_queries_per_domain)
            .unwrap_or(usize::MAX)
            .clamp(1, types.len()),
        in_flight: persona
            .max_concurrent_goroutines
            .map_or(standing.in_flight, |most| {
                usize::try_from(most).unwrap_or(usize::MAX)
            }),
        domain_rate: rate(persona.rate_limit_dps, persona.rate_limit_burst),
        resolver_rate: rate(persona.resolver_rate_limit, None).or(standing.resolver_rate),
        zone_rate: zone_rate.or(standing.zone_rate),
        suffix_rate: zone_rate.or(standing.suffix_rate),
        limits: network.dns_limits.clone(),
        suppression: network.suppression.clone(),
        delay: persona.delay(),
        tcp_on_truncation: persona.tcp_on_truncation.unwrap_or(true),
        check_wildcards: persona.check_wildcards.unwrap_or(false),
        record_types: types,
        resolvers,
        system,
        trusted_roots: network.trusted_roots.clone(),
        allow: match network.allow_private {
            true => AllowedRanges::Private,
            false => AllowedRanges::Public,
        },
        ..standing
    };
    config.validate().map_err(|error| error.to_string())?;
    Ok(config)
}

fn rate(per_second: Option<f64>, burst: Option<u32>) -> Option<dns::Rate> {
    per_second
        .filter(|rate| *rate > 0.0)
        .map(|per_second| dns::Rate {
            per_second,
            burst: burst.unwrap_or(1).max(1),
        })
}

#[cfg(test)]
mod fields;
#[cfg(test)]
mod tests;
