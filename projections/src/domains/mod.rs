//! Domains and their counts: one row a name of a campaign, and of each combination of findings how many rows there are, in
//! each stretch of ordinals, with which rows they are, and in all.
//!
//! The three tables belong to one projection and move in one statement, so every counter is a recount at every cursor.
//! Results arrive by the thousand and are written by the thousand: the events of a page are sorted into one batch for
//! each kind, which is one `UPDATE … FROM unnest`. Different kinds touch different columns, and of the version the
//! highest stays, so their order within a page does not matter; events that make, reset or remove rows are barriers between batches, and so is a second
//! result of the same kind for a domain.

mod batch;
mod classes;
mod counts;
mod evidence;
mod kinds;
mod list;
mod listing;
mod members;
mod metrics;
mod momentum;
mod pages;
#[cfg(test)]
mod plan;
mod recommendations;
mod reconcile;
mod rejections;
mod reset;
mod rows;
mod runs;
mod sql;
mod statements;
mod stretches;
mod taken;
mod weight;
mod work;

pub(crate) use self::{counts::counts_in, listing::listing_in, rows::generate};

use aggregates::{campaign, domain, ids::CampaignId};
use event_store::Recorded;
use futures::{FutureExt, future::BoxFuture};
use sqlx::PgConnection;

pub use self::{
    classes::{Class, Classes, Sample, classes_of},
    counts::{Counts, counts_of, counts_of_many, recount},
    evidence::{PageEvidence, confidence},
    list::{Direction, Filter, Listed, Page, Sort, Warnings, by_name},
    listing::{Listing, listing, page},
    metrics::{Analyzed, Metrics, Pages, metrics_of, pages_of},
    momentum::{BUCKETS, Momentum, Mover, counts_and_momentum_of, momentum_of},
    recommendations::{Code, Recommendation, Severity, recommend},
    reconcile::{Corrected, Drift, campaigns_after, correct, drift_of},
    rejections::{Reason, rejections_of},
    taken::{found_well, passed_after},
    work::{Candidate, Scored, candidates, existing_names, next_boundaries, scored_after},
};
use crate::runtime::{ApplyError, Projection, decode};

/// The projection behind the tables `domains`, `domain_counts` and `domain_totals`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Domains;

impl Projection for Domains {
    fn name(&self) -> &'static str {
        "domains"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["domains", "domain_counts", "domain_totals"]
    }

    fn reads(&self) -> &'static [&'static str] {
        &["campaign", "domain"]
    }

    fn weight(&self, event: &Recorded) -> u32 {
        weight::weight(event)
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            sqlx::query(sql::ROW_BY_ROW)
                .execute(&mut *connection)
                .await?;
            let mut batch = batch::Batch::default();
            for event in events {
                if event.aggregate_type == "domain" {
                    let (campaign_id, name) = domain::parse_stream_id(&event.aggregate_id)
                        .ok_or_else(|| {
                            ApplyError::poison(event, "the stream id names no domain")
                        })?;
                    let result: domain::Event = decode(event)?;
                    if batch.has(campaign_id, name, result.kind()) {
                        batch.flush(connection).await?;
                    }
                    batch.push(campaign_id, name, event, result)?;
                } else if rows::concerns(&event.event_type) {
                    batch.flush(connection).await?;
                    apply_campaign_event(connection, event).await?;
                }
            }
            batch.flush(connection).await
        }
        .boxed()
    }
}

async fn apply_campaign_event(
    connection: &mut PgConnection,
    event: &Recorded,
) -> Result<(), ApplyError> {
    let campaign_id: CampaignId = event
        .aggregate_id
        .parse()
        .map_err(|_| ApplyError::poison(event, "the stream id names no campaign"))?;
    match decode::<campaign::Event>(event)? {
        campaign::Event::DomainsGenerated {
            pattern,
            generator_version,
            start,
            count,
            first_ordinal,
            names,
            ..
        } => {
            let generated = rows::generate(&pattern, generator_version, start, count)
                .map_err(|message| ApplyError::poison(event, message))?;
            if generated.names.len() as u64 != names {
                return Err(ApplyError::poison(
                    event,
                    "the generator makes another number of names",
                ));
            }
            rows::insert(
                connection,
                campaign_id,
                first_ordinal,
                &generated,
                event.recorded_at,
            )
            .await
        }
        campaign::Event::DomainsImported {
            first_ordinal,
            names,
            ..
        }
        | campaign::Event::DomainsTaken {
            first_ordinal,
            names,
            ..
        } => {
            let imported = rows::Names {
                offsets: vec![None; names.len()],
                names,
            };
            rows::insert(
                connection,
                campaign_id,
                first_ordinal,
                &imported,
                event.recorded_at,
            )
            .await
        }
        campaign::Event::PhaseStarted {
            phase,
            run_number,
            kind,
            ..
        } if run_number > 1 => reset::reset(connection, campaign_id, phase, kind).await,
        campaign::Event::Deleted {} => rows::remove(connection, campaign_id).await,
        _ => Ok(()),
    }
}
