//! Results that other campaigns found: those of the runs that a run has pinned are recorded as its own, with where they
//! come from, and only the rest is checked.

use std::collections::HashMap;

use aggregates::{
    campaign::{Phase, TakenRun},
    domain::{self, Event, Outcome, TakenFrom},
    ids::{CampaignId, RunId},
};
use event_store::{Database, StoredEvent};
use projections::domains::{self, Candidate};

use super::{Order, record::Found};

/// Why results could not be taken over.
#[derive(Debug, thiserror::Error)]
pub(super) enum TakeError {
    /// The read model of domains failed.
    #[error("cannot look for results of other campaigns")]
    Query(#[from] sqlx::Error),
    /// The log failed.
    #[error("cannot read results of other campaigns")]
    Log(#[from] event_store::Error),
}

/// Splits an order's candidates into those with a result that is taken over and those that are left to check. Of
/// several campaigns with a result of a name the first counts.
pub(super) async fn take_over(
    database: &Database,
    taken: &[TakenRun],
    order: &Order,
    candidates: Vec<Candidate>,
) -> Result<(Vec<Found>, Vec<Candidate>), TakeError> {
    let mut left = candidates;
    let mut found = Vec::new();
    for (campaign_id, runs) in by_campaign(taken) {
        let mut results = results_of(database, campaign_id, &runs, order.phase, &left).await?;
        let mut rest = Vec::with_capacity(left.len());
        for candidate in left {
            match results.remove(&candidate.name) {
                Some(result) => found.push(Found {
                    result: as_own(result, order.run_id),
                    name: candidate.name,
                    state: candidate.state,
                }),
                None => rest.push(candidate),
            }
        }
        left = rest;
    }
    Ok((found, left))
}

/// Groups runs by their campaigns, in the order in which those are named.
fn by_campaign(taken: &[TakenRun]) -> Vec<(CampaignId, Vec<RunId>)> {
    let mut campaigns: Vec<(CampaignId, Vec<RunId>)> = Vec::new();
    for run in taken {
        match campaigns.iter_mut().find(|(id, _)| *id == run.campaign_id) {
            Some((_, runs)) => runs.push(run.run_id),
            None => campaigns.push((run.campaign_id, vec![run.run_id])),
        }
    }
    campaigns
}

/// Reads the successful results that a campaign's runs have of candidates, each with where it comes from.
async fn results_of(
    database: &Database,
    campaign_id: CampaignId,
    runs: &[RunId],
    phase: Phase,
    candidates: &[Candidate],
) -> Result<HashMap<String, (Event, TakenFrom)>, TakeError> {
    let names: Vec<String> = candidates.iter().map(|one| one.name.clone()).collect();
    let well = domains::found_well(database.pool(), campaign_id, phase, runs, &names).await?;
    let streams: Vec<(String, u64)> = well
        .keys()
        .map(|name| (domain::stream_id(campaign_id, name), u64::MAX))
        .collect();
    let event_type = match phase {
        Phase::Validation => "DnsChecked",
        _ => "HttpChecked",
    };
    let last = database
        .log()
        .latest_of("domain", &streams, &[event_type])
        .await?;
    let mut results = HashMap::with_capacity(last.len());
    for stored in last {
        let result: Event = stored.decode()?;
        // The read model may be behind the stream by a run that is not one of these, or that failed.
        if runs.contains(&result.run_id()) && succeeded(&result) {
            let name = domain::parse_stream_id(&stored.aggregate_id).map(|(_, name)| name);
            let from = source(campaign_id, &stored, &result);
            results.extend(name.map(|name| (name.to_owned(), (result, from))));
        }
    }
    Ok(results)
}

fn succeeded(result: &Event) -> bool {
    match result {
        Event::DnsChecked(checked) => checked.outcome == Outcome::Ok,
        Event::HttpChecked(checked) => checked.outcome == Outcome::Ok,
        Event::Scored(_) | Event::LeadDecided(_) => false,
    }
}

/// Says where a result comes from; one that was itself taken over was found when it was found first.
fn source(campaign_id: CampaignId, stored: &StoredEvent, result: &Event) -> TakenFrom {
    let before = match result {
        Event::DnsChecked(checked) => checked.taken_from,
        Event::HttpChecked(checked) => checked.taken_from,
        Event::Scored(_) | Event::LeadDecided(_) => None,
    };
    TakenFrom {
        campaign_id,
        run_id: result.run_id(),
        recorded_at: before.map_or(stored.recorded_at, |before| before.recorded_at),
    }
}

fn as_own((mut result, from): (Event, TakenFrom), run_id: RunId) -> Event {
    match &mut result {
        Event::DnsChecked(checked) => {
            checked.run_id = run_id;
            checked.taken_from = Some(from);
        }
        Event::HttpChecked(checked) => {
            checked.run_id = run_id;
            checked.taken_from = Some(from);
        }
        Event::Scored(_) | Event::LeadDecided(_) => {}
    }
    result
}
