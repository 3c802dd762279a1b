//! A domain's whole life: how it came to its campaign, and everything that was found out about it since, in which run and on
//! whose command.

use std::collections::HashMap;

use aggregates::{
    campaign::Event,
    domain,
    ids::{CampaignId, RunId},
};
use axum::{
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use event_store::{Stream, StreamEvent};
use futures::FutureExt as _;
use projections::{
    audit::{self, Birth, Filter, Start},
    domains::{self, Listed},
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{
    access,
    history::place_of,
    views::{DomainHistoryEntry, DomainHistoryResponse, DomainOrigin, DomainRun},
};
use crate::http::{
    Answer, Caller, Error, Path, Query, State,
    audit::{
        download::{ENTRIES, download, refuse_page, wanted},
        filters::Texts,
        view::cut,
    },
    vocabulary,
};

/// Which entries of a domain's history, and which page of them, the oldest first.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct DomainHistoryQuery {
    /// Who found it out: `worker:<name>`.
    actor: Option<String>,
    /// What was found out: `DnsChecked`, `HttpChecked`, `Scored` or `LeadDecided`.
    action: Option<String>,
    /// Recorded at this moment or later (RFC 3339).
    #[param(format = DateTime)]
    from: Option<String>,
    /// Recorded before this moment (RFC 3339).
    #[param(format = DateTime)]
    to: Option<String>,
    /// The run that found it out.
    run_id: Option<Uuid>,
    /// Entries a page, 1 to 1,000; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    first: Option<i64>,
    /// The same as `first`.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// The cursor that the page before ended with.
    after: Option<String>,
    /// `json` for a page, which is what is answered where absent; `csv` or `ndjson` for a download of everything that passes
    /// the filters. `Accept: text/csv` and `Accept: application/x-ndjson` ask for the same.
    #[param(value_type = Option<vocabulary::EntriesFormat>, inline)]
    format: Option<String>,
}

impl DomainHistoryQuery {
    fn filter(&self) -> Result<Filter, Error> {
        let texts = Texts {
            actor: self.actor.as_deref(),
            action: self.action.as_deref(),
            from: self.from.as_deref(),
            to: self.to.as_deref(),
            ..Texts::default()
        };
        texts.filter_of_domain()
    }
}

/// Answers everything that ever happened to a domain of a campaign: which range of which pattern it was generated from, or
/// which list it came with, and everything that was found out about it since, with all evidence, the oldest first: in which run, and on whose
/// command. A download begins with how it came.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/domains/{domain}/history", tag = "campaigns",
    params(("campaignId" = Uuid, Path), ("domain" = String, Path), DomainHistoryQuery),
    responses((status = 200, content((DomainHistoryResponse = "application/json"), (String = "text/csv"),
        (String = "application/x-ndjson"))), (status = 404))
)]
pub(super) async fn domain_history(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    headers: HeaderMap,
    Path((id, name)): Path<(Uuid, String)>,
    Query(asked): Query<DomainHistoryQuery>,
) -> Result<Response, Error> {
    let filter = asked.filter()?;
    let place = place_of((asked.first, asked.limit), asked.after.as_deref())?;
    let format = wanted(asked.format.as_deref(), &headers)?;
    let campaign_id = access::owned(&state, &caller, id).await?;
    let name = access::domain(&name)?;
    let row = domains::by_name(state.app.database.pool(), campaign_id, name.as_str()).await?;
    let row = row.ok_or(access::NO_SUCH_DOMAIN)?;
    let life = Life {
        stream: state
            .app
            .database
            .log()
            .stream("domain", &domain::stream_id(campaign_id, name.as_str())),
        state,
        campaign_id,
        filter,
        run_id: asked.run_id.map(RunId),
    };
    let origin = life.origin(&row).await?;
    if let Some(format) = format {
        refuse_page(&[
            ("first", asked.first.is_some()),
            ("limit", asked.limit.is_some()),
            ("after", asked.after.is_some()),
        ])?;
        let first = match &origin {
            Some(origin) => vec![DomainHistoryEntry::of_origin(origin)],
            None => life.entries(0, ENTRIES).await?,
        };
        let next = move |last: &DomainHistoryEntry| {
            let (life, after) = (life.clone(), last.sequence);
            async move {
                let read = life.entries(after, ENTRIES).await;
                read.map_err(std::io::Error::other)
            }
            .boxed()
        };
        let file = format!("campaign-{id}-{}-history", row.name);
        return Ok(download(format, &file, first, next));
    }
    let after = place
        .after
        .map_or(0, |after| u64::try_from(after).unwrap_or(0));
    let mut items = life.entries(after, place.first + 1).await?;
    let page_info = cut(&mut items, place.first, |entry| {
        i64::try_from(entry.sequence).unwrap_or(i64::MAX)
    });
    let body = DomainHistoryResponse {
        campaign_id: id,
        domain: row.name,
        created_at: row.created_at,
        origin,
        next_after: items
            .last()
            .filter(|_| page_info.has_next_page)
            .map(|entry| entry.sequence),
        items,
        page_info,
    };
    Ok(Answer::ok(body).into_response())
}

/// A domain's stream, and which of its events are wanted.
#[derive(Clone)]
struct Life {
    state: State,
    campaign_id: CampaignId,
    stream: Stream,
    filter: Filter,
    run_id: Option<RunId>,
}

impl Life {
    /// Tells how the domain came to its campaign; nothing while the audit trail is behind.
    async fn origin(&self, row: &Listed) -> Result<Option<DomainOrigin>, Error> {
        let mut connection = self.state.app.database.pool().acquire().await?;
        let birth = audit::birth_of(&mut connection, self.campaign_id, row.ordinal).await?;
        drop(connection);
        let Some(birth) = birth else {
            return Ok(None);
        };
        let run = birth.entry.details.get("run_id").and_then(run_of);
        let mut starts = self.starts(run.as_slice()).await?;
        let run = run.and_then(|run| Some(DomainRun::of(run, starts.remove(&run)?)));
        let line = self.line(&birth, row.ordinal).await?;
        Ok(Some(DomainOrigin::of(birth, row, line, run)))
    }

    /// Reads from the event that imported the domain which line of the list it stands on; entries leave the lines out.
    async fn line(&self, birth: &Birth, ordinal: i64) -> Result<Option<u64>, Error> {
        let before = u64::try_from(birth.entry.sequence - 1);
        let Some(before) = before
            .ok()
            .filter(|_| birth.entry.action == "DomainsImported")
        else {
            return Ok(None);
        };
        let log = self.state.app.database.log();
        let stream = log.stream("campaign", &self.campaign_id.to_string());
        let page = stream.page(before, 1).await?;
        let Some(stored) = page.first() else {
            return Ok(None);
        };
        let Event::DomainsImported {
            first_ordinal,
            lines,
            ..
        } = stored.event.decode()?
        else {
            return Ok(None);
        };
        let ordinal = u64::try_from(ordinal).unwrap_or(0);
        let at = usize::try_from(ordinal.saturating_sub(first_ordinal)).unwrap_or(usize::MAX);
        Ok(lines.get(at).copied())
    }

    /// Reads the first events that pass the filters after a sequence.
    async fn entries(&self, after: u64, limit: i64) -> Result<Vec<DomainHistoryEntry>, Error> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let (mut entries, mut after) = (Vec::new(), after);
        loop {
            let room = u32::try_from(limit - entries.len()).unwrap_or(u32::MAX);
            let page = self.stream.page(after, room).await;
            let page = page.map_err(Error::internal)?;
            let Some(last) = page.last() else {
                break;
            };
            after = last.event.sequence;
            for stored in &page {
                let entry = DomainHistoryEntry::of(stored).map_err(Error::internal)?;
                if self.passes(stored, &entry) {
                    entries.push(entry);
                }
            }
            if entries.len() >= limit {
                break;
            }
        }
        let runs: Vec<RunId> = entries.iter().filter_map(|entry| entry.run_id).collect();
        let starts = self.starts(&runs).await?;
        for entry in &mut entries {
            let start = entry.run_id.and_then(|run| starts.get(&run));
            entry.run = entry
                .run_id
                .zip(start)
                .map(|(run, start)| DomainRun::of(run, start.clone()));
        }
        Ok(entries)
    }

    fn passes(&self, stored: &StreamEvent, entry: &DomainHistoryEntry) -> bool {
        let (filter, at) = (&self.filter, stored.event.recorded_at);
        filter
            .action
            .as_ref()
            .is_none_or(|action| *action == entry.action)
            && filter
                .actor
                .as_ref()
                .is_none_or(|actor| *actor == entry.actor)
            && filter.from.is_none_or(|from| at >= from)
            && filter.to.is_none_or(|to| at < to)
            && self.run_id.is_none_or(|run| entry.run_id == Some(run))
    }

    async fn starts(&self, runs: &[RunId]) -> Result<HashMap<RunId, Start>, Error> {
        if runs.is_empty() {
            return Ok(HashMap::new());
        }
        let pool = self.state.app.database.pool();
        let starts = audit::starts_of(pool, self.campaign_id, runs).await?;
        Ok(starts.into_iter().collect())
    }
}

/// Reads the id of a run.
fn run_of(value: &serde_json::Value) -> Option<RunId> {
    value.as_str()?.parse().ok()
}
