//! Trying a DNS persona: each of its resolvers by itself, then all of them as a run asks them.

use std::{collections::HashMap, time::Duration};

use aggregates::persona::DnsConfig;
use event_store::describe;
use futures::{StreamExt as _, stream};
use tokio::task::spawn_blocking;
use validation::dns;

use super::{Seen, Tell, Trial, Unfinished};
use crate::work::{Network, extraction, validation as dns_phase};

/// Resolvers that are asked by themselves at the same time.
const AT_ONCE: usize = 8;
/// The share of a trial's time in which they are; the rest is for the question as a run asks it.
const ALONE: f64 = 0.75;
/// The most resolvers of a persona that is tried: each engine holds two sockets a resolver.
const MOST_RESOLVERS: usize = 64;

/// Refuses a persona with more resolvers than a trial asks.
///
/// # Errors
/// Says so in words.
pub fn few_enough(config: &DnsConfig) -> Result<(), String> {
    match config.resolvers.len() {
        count if count > MOST_RESOLVERS => Err(format!(
            "has {count} resolvers, and what is tried outside of campaigns asks at most {MOST_RESOLVERS}"
        )),
        _ => Ok(()),
    }
}

impl Trial {
    /// Asks each resolver of a persona for a name by itself, in their order, and then all of them as a run does.
    ///
    /// # Errors
    /// Why there is no report of the latter; a name that is not found is none.
    pub async fn dns(
        &self,
        config: &DnsConfig,
        network: &Network,
        name: &str,
        tell: &Tell,
    ) -> Result<dns::Report, Unfinished> {
        let asked = self
            .in_time(Box::pin(self.ask(config, network, name, tell)))
            .await;
        let found = asked.flatten();
        tell(Seen::Lookup(found.clone()));
        found
    }

    async fn ask(
        &self,
        config: &DnsConfig,
        network: &Network,
        name: &str,
        tell: &Tell,
    ) -> Result<dns::Report, Unfinished> {
        let whole = dns_phase::config(config, &[], network).map_err(Unfinished::Engine)?;
        let alone = extraction::names_config(config, network).map_err(Unfinished::Engine)?;
        let engine = self.start(whole).await?;
        let resolvers = engine.resolvers().into_iter().map(|known| known.resolver);
        let mut asked = stream::iter(resolvers)
            .map(|resolver| self.ask_alone(resolver, &alone, name))
            .buffered(AT_ONCE);
        while let Some(seen) = asked.next().await {
            tell(seen);
        }
        Ok(engine.check(name).await)
    }

    /// Asks one resolver, by the persona's times, attempts and paces, unless the time for that is over.
    async fn ask_alone(&self, resolver: String, config: &dns::Config, name: &str) -> Seen {
        let parsed = dns::Resolver::parse(&resolver);
        let share: Duration = self.whole.mul_f64(ALONE);
        let ask = async {
            let only = parsed
                .as_ref()
                .map_err(|error| Unfinished::Engine(error.to_string()))?;
            let config = dns::Config {
                resolvers: vec![only.clone()],
                strategy: dns::Strategy::RoundRobin,
                weights: HashMap::new(),
                preferred_order: Vec::new(),
                ..config.clone()
            };
            let engine = self.start(config).await?;
            Ok(engine.check(name).await)
        };
        let found = match self.elapsed() < share {
            true => self
                .within(share, ask)
                .await
                .unwrap_or_else(|stopped| Err(stopped.unwrap_or(Unfinished::NoShare(share)))),
            false => Err(Unfinished::NotBegun(share)),
        };
        let cut = found.as_ref().is_ok_and(|report| report.truncated);
        let transport = match parsed {
            Ok(dns::Resolver::Tls(_)) => "tls",
            Ok(dns::Resolver::Https(..)) => "https",
            _ if cut && config.tcp_on_truncation => "tcp",
            _ => "udp",
        };
        Seen::Resolver {
            resolver,
            transport,
            found,
        }
    }

    /// Starts an engine, on a thread that may block: some read files.
    async fn start(&self, config: dns::Config) -> Result<dns::Engine, Unfinished> {
        let cancel = self.cancel.child_token();
        let started = spawn_blocking(move || dns::Engine::start(config, cancel)).await;
        let started = started.map_err(|error| Unfinished::Engine(error.to_string()))?;
        started.map_err(|error| Unfinished::Engine(describe(&error)))
    }
}
