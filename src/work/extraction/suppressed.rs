//! Domains whose name servers the suppression list names: what their DNS checks found is looked at before each request.
//!
//! Names and addresses are the fetcher's own business, which meets them at every hop; name servers it does not know.

use std::collections::HashMap;

use aggregates::{
    domain::{self, Domain, Event},
    ids::CampaignId,
};
use cqrs_es::Aggregate as _;
use event_store::{Database, Error};
use projections::domains::Candidate;
use validation::{
    http::{self, Blame, Fault, Reason},
    suppression::{Held, SUPPRESSED},
};

use super::Kit;

/// Adds to candidates the name servers that their last DNS checks found, where the list names any: without that nobody
/// wants to know.
///
/// # Errors
/// When the log cannot be read.
pub(in crate::work) async fn add_name_servers(
    kit: &Kit,
    database: &Database,
    campaign_id: CampaignId,
    candidates: &mut [Candidate],
) -> Result<(), Error> {
    if !kit
        .suppression
        .list()
        .is_ok_and(|list| list.names_servers())
    {
        return Ok(());
    }
    let stream = |of: &Candidate| domain::stream_id(campaign_id, &of.name);
    let streams: Vec<(String, u64)> = candidates
        .iter()
        .map(|of| (stream(of), of.state.version))
        .collect();
    let log = database.log();
    let mut servers: HashMap<String, Vec<String>> = HashMap::with_capacity(streams.len());
    for check in log
        .latest_of(Domain::TYPE, &streams, &["DnsChecked"])
        .await?
    {
        if let Event::DnsChecked(checked) = check.decode()? {
            servers.insert(check.aggregate_id, checked.name_servers);
        }
    }
    for candidate in candidates {
        candidate.name_servers = servers.remove(&stream(candidate)).unwrap_or_default();
    }
    Ok(())
}

impl Kit {
    /// Tells what holds a domain by its name servers, as far as they are known.
    pub(super) fn holds(&self, candidate: &Candidate) -> Option<Held> {
        self.suppression.name_servers(&candidate.name_servers)
    }

    /// Makes the report of a page that is not asked for.
    pub(super) fn left_alone(&self, held: Held) -> http::Report {
        self.suppression.count();
        http::Report {
            fault: Some(Fault {
                reason: Reason::Error,
                code: SUPPRESSED.into(),
                text: held.to_string(),
                blame: Blame::Target,
                expired_at: None,
            }),
            ..http::Report::default()
        }
    }
}
