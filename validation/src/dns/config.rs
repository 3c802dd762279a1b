//! Everything that can be set, and the limits within which it can be honoured.

use std::{collections::HashMap, time::Duration};

use super::{Error, Limits, RecordType, Resolver};
use crate::{http::AllowedRanges, suppression::Suppression};

/// Most queries in flight at once; a quarter of the 16-bit ids of one socket, so that ids stay hard to guess.
pub const MAX_IN_FLIGHT: usize = 16_384;
/// Most resolvers of one engine; each holds two sockets open, or a connection.
pub const MAX_RESOLVERS: usize = 256;
/// Most packets for one question.
pub const MAX_ATTEMPTS: u32 = 20;
/// Longest wait that any setting may ask for.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// Fastest rate that can be paced, one a microsecond.
const MAX_PER_SECOND: f64 = 1_000_000.0;
/// Slowest rate, one an hour.
const MIN_PER_SECOND: f64 = 1.0 / 3_600.0;

/// Says which resolver gets the next question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Each in turn.
    #[default]
    RoundRobin,
    /// Any, with equal chances.
    Random,
    /// Any, with chances by weight.
    Weighted,
    /// The first that works, in the preferred order.
    Priority,
}

/// A pace: evenly spaced, with a short run allowed after a pause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Packets, or domains, per second over any longer time.
    pub per_second: f64,
    /// How many may go at once after a pause, at least 1.
    pub burst: u32,
}

/// How an engine asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Who is asked; at least one.
    pub resolvers: Vec<Resolver>,
    /// Who is asked as [`Resolver::System`], which stands for whoever the machine names when the engine starts where this is
    /// not said, and in here.
    pub system: Option<Vec<Resolver>>,
    /// Who is asked next.
    pub strategy: Strategy,
    /// Chances under [`Strategy::Weighted`]: 1 for those not named, 0 keeps a resolver in reserve.
    pub weights: HashMap<Resolver, u32>,
    /// Order under [`Strategy::Priority`]: those not named follow in the order of `resolvers`.
    pub preferred_order: Vec<Resolver>,
    /// How long one packet's answer is waited for.
    pub query_timeout: Duration,
    /// Packets for one question before it is given up, the first included.
    pub attempts: u32,
    /// Pause before the second attempt, doubled for each further one up to eightfold, less up to half at random.
    pub back_off: Duration,
    /// What is asked; the first is asked alone, and NXDOMAIN there ends the check.
    pub record_types: Vec<RecordType>,
    /// Further types of one domain asked at the same time.
    pub concurrent_queries_per_domain: usize,
    /// Queries of the whole engine that may be unanswered at once.
    pub in_flight: usize,
    /// Pace at which domains are begun, of this engine alone. How many packets each takes is another matter.
    pub domain_rate: Option<Rate>,
    /// Pace of all packets.
    pub rate: Option<Rate>,
    /// Pace of the packets to each resolver.
    pub resolver_rate: Option<Rate>,
    /// Pace of the packets about the names below any one registrable domain, whose own servers bear them.
    pub zone_rate: Option<Rate>,
    /// Pace of the packets about the registrable domains of any one public suffix, whose servers bear them.
    pub suffix_rate: Option<Rate>,
    /// With whom the paces that protect others are kept together: all of these but that of domains.
    pub limits: Limits,
    /// Shortest and longest pause before a domain's first query, drawn evenly.
    pub delay: Option<(Duration, Duration)>,
    /// Ask again over TCP when an answer was cut short; otherwise what fitted is taken.
    pub tcp_on_truncation: bool,
    /// Ask whether the zone above a found name answers for any label.
    pub check_wildcards: bool,
    /// How long a resolver that fails is left alone before one query tries it again, doubled up to a minute.
    pub rest: Duration,
    /// Certificates (DER) of authorities that are trusted besides the system's, for resolvers over TLS and HTTPS.
    pub trusted_roots: Vec<Vec<u8>>,
    /// Where resolvers that have a name may be; those with an address are allowed by being named.
    pub allow: AllowedRanges,
    /// Whom no question may be about. Where it names name servers, a found domain is asked for its own as well.
    pub suppression: Suppression,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            resolvers: vec![Resolver::System],
            system: None,
            strategy: Strategy::default(),
            weights: HashMap::new(),
            preferred_order: Vec::new(),
            query_timeout: Duration::from_secs(2),
            attempts: 4,
            back_off: Duration::from_millis(100),
            record_types: vec![RecordType::A, RecordType::Aaaa],
            concurrent_queries_per_domain: 2,
            in_flight: 1_000,
            domain_rate: None,
            rate: Some(evenly(5_000.0)),
            resolver_rate: Some(evenly(100.0)),
            zone_rate: Some(evenly(100.0)),
            suffix_rate: Some(evenly(1_000.0)),
            limits: Limits::default(),
            delay: None,
            tcp_on_truncation: true,
            check_wildcards: false,
            rest: Duration::from_secs(1),
            trusted_roots: Vec::new(),
            allow: AllowedRanges::default(),
            suppression: Suppression::default(),
        }
    }
}

/// A rate without bursts.
const fn evenly(per_second: f64) -> Rate {
    Rate {
        per_second,
        burst: 1,
    }
}

impl Config {
    /// Lifts the limits that protect others, for one's own servers.
    #[must_use]
    pub fn without_limits(self) -> Self {
        Self {
            rate: None,
            resolver_rate: None,
            zone_rate: None,
            suffix_rate: None,
            ..self
        }
    }

    /// Checks every field and every combination.
    ///
    /// # Errors
    /// The first field that cannot be honoured, by name.
    pub fn validate(&self) -> Result<(), Error> {
        self.validate_resolvers()?;
        within(
            "query_timeout",
            self.query_timeout,
            Duration::from_millis(1),
        )?;
        within("back_off", self.back_off, Duration::ZERO)?;
        within("rest", self.rest, Duration::from_millis(1))?;
        between("attempts", self.attempts, 1, MAX_ATTEMPTS)?;
        between("in_flight", self.in_flight, 1, MAX_IN_FLIGHT)?;
        between(
            "concurrent_queries_per_domain",
            self.concurrent_queries_per_domain,
            1,
            RecordType::ALL.len(),
        )?;
        if !self.record_types.iter().any(|asked| asked.is_address()) {
            return Err(Error::invalid(
                "record_types",
                "needs A or AAAA, for an address is what makes a domain ok",
            ));
        }
        if has_duplicates(&self.record_types) {
            return Err(Error::invalid("record_types", "names a type twice"));
        }
        self.validate_rates()?;
        if let Some((least, most)) = self.delay {
            within("delay", most, Duration::ZERO)?;
            if least > most {
                return Err(Error::invalid(
                    "delay",
                    "the shortest is longer than the longest",
                ));
            }
        }
        Ok(())
    }

    fn validate_rates(&self) -> Result<(), Error> {
        for (field, rate) in [
            ("domain_rate", self.domain_rate),
            ("rate", self.rate),
            ("resolver_rate", self.resolver_rate),
            ("zone_rate", self.zone_rate),
            ("suffix_rate", self.suffix_rate),
        ] {
            let Some(rate) = rate else { continue };
            // Written so that NaN fails too.
            if !(MIN_PER_SECOND..=MAX_PER_SECOND).contains(&rate.per_second) {
                return Err(Error::invalid(
                    field,
                    "needs between one an hour and a million a second",
                ));
            }
            between(field, rate.burst, 1, 100_000)?;
        }
        Ok(())
    }

    fn validate_resolvers(&self) -> Result<(), Error> {
        between("resolvers", self.resolvers.len(), 1, MAX_RESOLVERS)?;
        if has_duplicates(&self.resolvers) {
            return Err(Error::invalid("resolvers", "names one twice"));
        }
        // A setting that another one switches off would look as if it took effect.
        if !self.weights.is_empty() && self.strategy != Strategy::Weighted {
            return Err(Error::invalid("weights", "need the strategy weighted"));
        }
        if !self.preferred_order.is_empty() && self.strategy != Strategy::Priority {
            return Err(Error::invalid(
                "preferred_order",
                "needs the strategy priority",
            ));
        }
        if let Some(stranger) = self
            .weights
            .keys()
            .find(|named| !self.resolvers.contains(named))
        {
            return Err(Error::invalid(
                "weights",
                format!("{stranger} is not among the resolvers"),
            ));
        }
        if self.strategy == Strategy::Weighted
            && self
                .resolvers
                .iter()
                .all(|each| self.weights.get(each) == Some(&0))
        {
            return Err(Error::invalid("weights", "are all zero"));
        }
        if let Some(stranger) = self
            .preferred_order
            .iter()
            .find(|named| !self.resolvers.contains(named))
        {
            return Err(Error::invalid(
                "preferred_order",
                format!("{stranger} is not among the resolvers"),
            ));
        }
        if has_duplicates(&self.preferred_order) {
            return Err(Error::invalid("preferred_order", "names one twice"));
        }
        Ok(())
    }
}

fn within(field: &'static str, value: Duration, least: Duration) -> Result<(), Error> {
    if value < least || value > MAX_WAIT {
        return Err(Error::invalid(
            field,
            format!("{value:?} is not between {least:?} and {MAX_WAIT:?}"),
        ));
    }
    Ok(())
}

fn between<T: PartialOrd + std::fmt::Display>(
    field: &'static str,
    value: T,
    least: T,
    most: T,
) -> Result<(), Error> {
    if value < least || value > most {
        return Err(Error::invalid(
            field,
            format!("{value} is not between {least} and {most}"),
        ));
    }
    Ok(())
}

fn has_duplicates<T: std::hash::Hash + Eq>(items: &[T]) -> bool {
    let mut seen = std::collections::HashSet::with_capacity(items.len());
    !items.iter().all(|item| seen.insert(item))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolver(text: &str) -> Resolver {
        Resolver::parse(text).unwrap()
    }

    #[test]
    fn the_default_configuration_is_valid() {
        Config::default().validate().unwrap();
    }

    #[test]
    fn each_impossible_setting_is_refused_by_the_name_of_its_field() {
        let rate = |per_second, burst| Some(Rate { per_second, burst });
        let second = Duration::from_secs(1);
        type Change = Box<dyn Fn(&mut Config)>;
        let cases: Vec<(&str, Change)> = vec![
            ("resolvers", Box::new(|c| c.resolvers.clear())),
            (
                "resolvers",
                Box::new(|c| c.resolvers.push(Resolver::System)),
            ),
            (
                "weights",
                Box::new(|c| c.weights = HashMap::from([(Resolver::System, 2)])),
            ),
            (
                "weights",
                Box::new(|c| {
                    c.strategy = Strategy::Weighted;
                    c.weights = HashMap::from([(resolver("192.0.2.9"), 2)]);
                }),
            ),
            (
                "weights",
                Box::new(|c| {
                    c.strategy = Strategy::Weighted;
                    c.weights = HashMap::from([(Resolver::System, 0)]);
                }),
            ),
            (
                "preferred_order",
                Box::new(|c| c.preferred_order = vec![Resolver::System]),
            ),
            (
                "preferred_order",
                Box::new(|c| {
                    c.strategy = Strategy::Priority;
                    c.preferred_order = vec![resolver("192.0.2.9")];
                }),
            ),
            (
                "query_timeout",
                Box::new(|c| c.query_timeout = Duration::ZERO),
            ),
            (
                "query_timeout",
                Box::new(|c| c.query_timeout = Duration::from_secs(61)),
            ),
            ("attempts", Box::new(|c| c.attempts = 0)),
            (
                "back_off",
                Box::new(|c| c.back_off = Duration::from_secs(61)),
            ),
            (
                "record_types",
                Box::new(|c| c.record_types = vec![RecordType::Mx]),
            ),
            (
                "record_types",
                Box::new(|c| c.record_types.push(RecordType::A)),
            ),
            (
                "concurrent_queries_per_domain",
                Box::new(|c| c.concurrent_queries_per_domain = 0),
            ),
            ("in_flight", Box::new(|c| c.in_flight = 0)),
            ("in_flight", Box::new(|c| c.in_flight = MAX_IN_FLIGHT + 1)),
            ("rate", Box::new(move |c| c.rate = rate(0.0, 1))),
            ("rate", Box::new(move |c| c.rate = rate(f64::NAN, 1))),
            (
                "domain_rate",
                Box::new(move |c| c.domain_rate = rate(-1.0, 1)),
            ),
            ("zone_rate", Box::new(move |c| c.zone_rate = rate(1e9, 1))),
            (
                "suffix_rate",
                Box::new(move |c| c.suffix_rate = rate(1.0, 0)),
            ),
            (
                "resolver_rate",
                Box::new(move |c| c.resolver_rate = rate(5.0, 0)),
            ),
            (
                "delay",
                Box::new(move |c| c.delay = Some((second, Duration::ZERO))),
            ),
            ("rest", Box::new(|c| c.rest = Duration::ZERO)),
        ];
        for (field, change) in cases {
            let mut config = Config::default();
            change(&mut config);
            let error = config.validate().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("{field}: ")),
                "{field} gave {error}"
            );
        }
    }
}
