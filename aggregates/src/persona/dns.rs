//! How a DNS persona asks.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{Error, Resolver};

/// The most resolvers of a persona; an engine holds two sockets for each.
const MAX_RESOLVERS: usize = 256;
/// The most queries in flight at once.
const MAX_IN_FLIGHT: u32 = 16_384;
/// The longest wait that a setting may ask for, milliseconds.
const MAX_WAIT_MS: u32 = 60_000;
/// The slowest and the fastest rate that can be paced, queries per second.
const RATES: (f64, f64) = (1.0 / 3_600.0, 1_000_000.0);
/// The largest burst.
const MAX_BURST: u32 = 100_000;

/// Which resolver is asked next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Each in turn.
    #[default]
    RoundRobin,
    /// Any, with equal chances.
    #[serde(alias = "random_rotation")]
    Random,
    /// Any, with chances by weight.
    #[serde(alias = "weighted_rotation")]
    Weighted,
    /// The first that works, in the preferred order.
    #[serde(alias = "sequential_failover")]
    Priority,
}

/// The configuration of a DNS persona.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DnsConfig {
    /// Who is asked, see [`Resolver::parse`]; may be empty when the system's resolvers are used.
    pub resolvers: Vec<String>,
    /// Whether the machine's own resolvers are asked as well.
    #[serde(default)]
    pub use_system_resolvers: bool,
    /// How long one answer is waited for; 0 stands for the default of 2 s.
    pub query_timeout_seconds: u32,
    /// The most domains of one work order.
    pub max_domains_per_request: u32,
    /// Which resolver is asked next.
    #[serde(default)]
    pub resolver_strategy: Strategy,
    /// Chances under [`Strategy::Weighted`]; 1 for those not named, 0 keeps a resolver in reserve.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resolvers_weighted: BTreeMap<String, u32>,
    /// The order under [`Strategy::Priority`]; those not named follow as they are listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolvers_preferred_order: Vec<String>,
    /// The most queries about one domain at the same time.
    pub concurrent_queries_per_domain: u32,
    /// The shortest pause before a domain's first query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_delay_min_ms: Option<u32>,
    /// The longest pause before a domain's first query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_delay_max_ms: Option<u32>,
    /// The most queries in flight at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrent_goroutines: Option<u32>,
    /// Domains begun a second, paced, however many queries each takes; 0 leaves only the standing limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit_dps: Option<f64>,
    /// How many domains may be begun at once after a pause; 0 is the same as 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit_burst: Option<u32>,
    /// Packets for one question before it is given up, 1 to 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// Whether a truncated answer is asked again over TCP; it is where this is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp_on_truncation: Option<bool>,
    /// Whether zones that answer for any name are looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_wildcards: Option<bool>,
    /// Queries a second to each resolver, paced; 100 where this is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolver_rate_limit: Option<f64>,
    /// Queries a second about the names below any one registrable domain, or about the registrable domains of any one
    /// public suffix, paced; 100 and 1,000 where this is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_rate_limit: Option<f64>,
}

impl Default for DnsConfig {
    /// Asks the machine's own resolvers within the standing limits.
    fn default() -> Self {
        Self {
            resolvers: Vec::new(),
            use_system_resolvers: true,
            query_timeout_seconds: 2,
            max_domains_per_request: 1_000,
            resolver_strategy: Strategy::default(),
            resolvers_weighted: BTreeMap::new(),
            resolvers_preferred_order: Vec::new(),
            concurrent_queries_per_domain: 2,
            query_delay_min_ms: None,
            query_delay_max_ms: None,
            max_concurrent_goroutines: None,
            rate_limit_dps: None,
            rate_limit_burst: None,
            attempts: None,
            tcp_on_truncation: None,
            check_wildcards: None,
            resolver_rate_limit: None,
            zone_rate_limit: None,
        }
    }
}

impl DnsConfig {
    /// Returns how long one answer is waited for.
    #[must_use]
    pub fn query_timeout(&self) -> Duration {
        let seconds = match self.query_timeout_seconds {
            0 => 2,
            seconds => seconds,
        };
        Duration::from_secs(seconds.into())
    }

    /// Returns the shortest and the longest pause before a domain's first query, where there is one.
    #[must_use]
    pub fn delay(&self) -> Option<(Duration, Duration)> {
        let least = self.query_delay_min_ms.unwrap_or_default();
        let most = self.query_delay_max_ms.unwrap_or(least);
        let ms = |ms: u32| Duration::from_millis(ms.into());
        (most > 0).then(|| (ms(least), ms(most)))
    }

    /// Checks that every setting can be honoured.
    ///
    /// # Errors
    /// Names the first field that cannot, as the wire names it.
    pub fn validate(&self) -> Result<(), Error> {
        let listed = self.listed()?;
        self.validate_strategy(&listed)?;
        let within = Error::unless_within::<u32>;
        within("queryTimeoutSeconds", self.query_timeout_seconds, 0, 60)?;
        within(
            "maxDomainsPerRequest",
            self.max_domains_per_request,
            1,
            10_000,
        )?;
        within(
            "concurrentQueriesPerDomain",
            self.concurrent_queries_per_domain,
            1,
            100,
        )?;
        for (field, ms) in [
            ("queryDelayMinMs", self.query_delay_min_ms),
            ("queryDelayMaxMs", self.query_delay_max_ms),
        ] {
            within(field, ms.unwrap_or_default(), 0, MAX_WAIT_MS)?;
        }
        if let (Some(least), Some(most)) = (self.query_delay_min_ms, self.query_delay_max_ms)
            && least > most
        {
            return Err(Error::invalid(
                "queryDelayMinMs",
                "is greater than queryDelayMaxMs",
            ));
        }
        within(
            "maxConcurrentGoroutines",
            self.max_concurrent_goroutines.unwrap_or(1),
            1,
            MAX_IN_FLIGHT,
        )?;
        within("attempts", self.attempts.unwrap_or(1), 1, 20)?;
        check_rate("rateLimitDps", self.rate_limit_dps)?;
        for (field, rate) in [
            ("resolverRateLimit", self.resolver_rate_limit),
            ("zoneRateLimit", self.zone_rate_limit),
        ] {
            // These protect others: they can be set, and not switched off.
            if rate == Some(0.0) {
                return Err(Error::invalid(field, "there is always a limit"));
            }
            check_rate(field, rate)?;
        }
        check_burst(self.rate_limit_dps, self.rate_limit_burst)
    }

    /// Reads the list of resolvers, the system's included.
    fn listed(&self) -> Result<HashSet<Resolver>, Error> {
        let mut listed = HashSet::new();
        for (at, text) in self.resolvers.iter().enumerate() {
            let field = || format!("resolvers[{at}]");
            let resolver = Resolver::parse(text).map_err(|why| Error::invalid(field(), why))?;
            if !listed.insert(resolver) {
                return Err(Error::invalid(field(), "is named twice"));
            }
        }
        if self.use_system_resolvers {
            listed.insert(Resolver::System);
        }
        if listed.is_empty() || listed.len() > MAX_RESOLVERS {
            return Err(Error::invalid(
                "resolvers",
                "1 to 256 are needed, or useSystemResolvers",
            ));
        }
        Ok(listed)
    }

    /// Refuses weights and orders that the strategy would ignore, or that name somebody else.
    fn validate_strategy(&self, listed: &HashSet<Resolver>) -> Result<(), Error> {
        let known = |field: String, text: &str| {
            let resolver =
                Resolver::parse(text).map_err(|why| Error::invalid(field.clone(), why))?;
            if listed.contains(&resolver) {
                return Ok(resolver);
            }
            Err(Error::invalid(field, "is not among the resolvers"))
        };
        let weighted = !self.resolvers_weighted.is_empty();
        if weighted && self.resolver_strategy != Strategy::Weighted {
            return Err(Error::invalid(
                "resolversWeighted",
                "needs the strategy weighted",
            ));
        }
        let mut reserves = HashSet::new();
        for (text, weight) in &self.resolvers_weighted {
            let resolver = known(format!("resolversWeighted.{text}"), text)?;
            if *weight == 0 {
                reserves.insert(resolver);
            }
        }
        if reserves.len() == listed.len() {
            return Err(Error::invalid("resolversWeighted", "every weight is 0"));
        }
        let ordered = !self.resolvers_preferred_order.is_empty();
        if ordered && self.resolver_strategy != Strategy::Priority {
            return Err(Error::invalid(
                "resolversPreferredOrder",
                "needs the strategy priority",
            ));
        }
        let mut seen = HashSet::new();
        for (at, text) in self.resolvers_preferred_order.iter().enumerate() {
            let field = format!("resolversPreferredOrder[{at}]");
            if !seen.insert(known(field.clone(), text)?) {
                return Err(Error::invalid(field, "is named twice"));
            }
        }
        Ok(())
    }
}

/// Refuses a rate that cannot be paced; 0 and none mean that there is no limit of the persona's own.
pub(super) fn check_rate(field: &str, rate: Option<f64>) -> Result<(), Error> {
    match rate {
        None | Some(0.0) => Ok(()),
        Some(rate) => Error::unless_within(field, rate, RATES.0, RATES.1),
    }
}

/// Refuses a burst that no rate makes use of.
pub(super) fn check_burst(rate: Option<f64>, burst: Option<u32>) -> Result<(), Error> {
    let burst = burst.unwrap_or_default();
    if burst > 1 && rate.unwrap_or_default() <= 0.0 {
        return Err(Error::invalid(
            "rateLimitBurst",
            "has no effect without rateLimitDps",
        ));
    }
    Error::unless_within("rateLimitBurst", burst, 0, MAX_BURST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut DnsConfig)) -> String {
        let mut config = DnsConfig {
            resolvers: vec!["192.0.2.1".to_owned(), "192.0.2.2:5353".to_owned()],
            use_system_resolvers: false,
            ..DnsConfig::default()
        };
        config.validate().unwrap();
        change(&mut config);
        match config.validate().unwrap_err() {
            Error::Invalid { field, .. } => field,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn the_default_configuration_is_valid() {
        DnsConfig::default().validate().unwrap();
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_by_field() {
        let weights = |pairs: &[(&str, u32)]| -> BTreeMap<String, u32> {
            pairs
                .iter()
                .map(|&(name, weight)| (name.to_owned(), weight))
                .collect()
        };
        assert_eq!(refused(|c| c.resolvers.clear()), "resolvers");
        assert_eq!(
            refused(|c| c.resolvers.push("quic://192.0.2.3".into())),
            "resolvers[2]"
        );
        assert_eq!(
            refused(|c| c.resolvers = (0..=256).map(|at| format!("2001:db8::{at}")).collect()),
            "resolvers"
        );
        assert_eq!(
            refused(|c| c.resolvers.push("192.0.2.1:53".into())),
            "resolvers[2]"
        );
        assert_eq!(
            refused(|c| c.resolvers_weighted = weights(&[("192.0.2.1", 2)])),
            "resolversWeighted"
        );
        assert_eq!(
            refused(|c| {
                c.resolver_strategy = Strategy::Weighted;
                c.resolvers_weighted = weights(&[("192.0.2.9", 2)]);
            }),
            "resolversWeighted.192.0.2.9"
        );
        assert_eq!(
            refused(|c| {
                c.resolver_strategy = Strategy::Weighted;
                c.resolvers_weighted = weights(&[("192.0.2.1", 0), ("192.0.2.2:5353", 0)]);
            }),
            "resolversWeighted"
        );
        assert_eq!(
            refused(|c| c.resolvers_preferred_order.push("192.0.2.1".into())),
            "resolversPreferredOrder"
        );
        assert_eq!(
            refused(|c| {
                c.resolver_strategy = Strategy::Priority;
                c.resolvers_preferred_order = vec!["192.0.2.1".into(), "192.0.2.1:53".into()];
            }),
            "resolversPreferredOrder[1]"
        );
        assert_eq!(
            refused(|c| c.query_timeout_seconds = 61),
            "queryTimeoutSeconds"
        );
        assert_eq!(
            refused(|c| c.max_domains_per_request = 0),
            "maxDomainsPerRequest"
        );
        assert_eq!(
            refused(|c| c.concurrent_queries_per_domain = 0),
            "concurrentQueriesPerDomain"
        );
        assert_eq!(
            refused(|c| c.query_delay_max_ms = Some(60_001)),
            "queryDelayMaxMs"
        );
        assert_eq!(
            refused(|c| (c.query_delay_min_ms, c.query_delay_max_ms) = (Some(9), Some(8))),
            "queryDelayMinMs"
        );
        assert_eq!(
            refused(|c| c.max_concurrent_goroutines = Some(0)),
            "maxConcurrentGoroutines"
        );
        assert_eq!(refused(|c| c.attempts = Some(0)), "attempts");
        assert_eq!(refused(|c| c.rate_limit_dps = Some(-1.0)), "rateLimitDps");
        assert_eq!(
            refused(|c| c.rate_limit_dps = Some(f64::NAN)),
            "rateLimitDps"
        );
        assert_eq!(refused(|c| c.rate_limit_burst = Some(5)), "rateLimitBurst");
        assert_eq!(
            refused(|c| c.resolver_rate_limit = Some(0.0)),
            "resolverRateLimit"
        );
        assert_eq!(refused(|c| c.zone_rate_limit = Some(-1.0)), "zoneRateLimit");
    }

    #[test]
    fn strategies_are_read_under_their_old_names_too() {
        for (old, strategy) in [
            ("\"sequential_failover\"", Strategy::Priority),
            ("\"weighted_rotation\"", Strategy::Weighted),
            ("\"random_rotation\"", Strategy::Random),
        ] {
            assert_eq!(serde_json::from_str::<Strategy>(old).unwrap(), strategy);
        }
    }
}
