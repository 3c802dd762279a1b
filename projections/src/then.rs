//! A campaign as it was when the log ended at a position.
//!
//! Its read models are made anew in temporary tables, by the projections' own code, of its own events up to there, and asked
//! by the statements that the live ones are asked by: so an answer is what the same question was answered with then. All
//! of it is one transaction that is taken back.
//!
//! That costs what a rebuild of the campaign costs, a second for some ten thousand domains, and is bounded: a campaign that
//! had more names or events by then than [`MOST_NAMES`] and [`MOST_EVENTS`] is refused, and an [`Archive`] makes [`AT_ONCE`]
//! at once.

use std::{collections::BTreeSet, sync::Arc};

use aggregates::{
    campaign::Event,
    domain,
    ids::{CampaignId, UserId},
};
use event_store::{CommitPlace, Database, Past, Position, Recorded};
use sqlx::{PgConnection, Postgres, Transaction};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    campaigns::{Campaigns, Overview, by_id_in},
    domains::{Domains, Filter, Listing, Page, counts_in, generate, listing_in},
    runtime::{ApplyError, Projection, decode},
    tables::Tables,
};

/// The most names that a campaign may have had.
pub const MOST_NAMES: u64 = 100_000;
/// The most events that the commits may have in which something happened to the campaign.
pub const MOST_EVENTS: u64 = 1_000_000;
/// How many campaigns are shown as they were at once.
pub const AT_ONCE: usize = 2;

/// Streams that are looked up at once.
const STREAMS: usize = 5_000;
/// Events that are applied at once, about.
const EVENTS: u64 = 500;

/// Why a campaign is not shown as it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It had too many names or events by then.
    #[error(
        "the campaign had more than {MOST_NAMES} names or {MOST_EVENTS} events by then, which is more than is computed for an \
         answer"
    )]
    TooLarge,
    /// So many are made already.
    #[error("{AT_ONCE} campaigns are being shown as they were, try again in a while")]
    Busy,
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] event_store::Error),
    /// An event cannot be applied.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The database does not answer.
    #[error("cannot compute a campaign as it was")]
    Database(#[from] sqlx::Error),
}

/// What shows campaigns as they were; one a process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Archive {
    database: Database,
    turns: Arc<Semaphore>,
}

impl Archive {
    /// Shows campaigns of a log.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self {
            database,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Reads whose a campaign is or was, deleted or not.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn owner_of(
        &self,
        campaign_id: CampaignId,
    ) -> Result<Option<UserId>, event_store::Error> {
        let log = self.database.log();
        let stream = log.stream("campaign", &campaign_id.to_string());
        let first = stream.page(0, 1).await?;
        let Some(first) = first.first() else {
            return Ok(None);
        };
        match first.event.decode::<Event>()? {
            Event::Created { owner, .. } => Ok(Some(owner)),
            _ => Ok(None),
        }
    }

    /// Makes the read models of a campaign of its events up to a position; one within a commit counts as its end.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn campaign(&self, campaign_id: CampaignId, until: Position) -> Result<Then, Error> {
        let turn = Arc::clone(&self.turns).try_acquire_owned();
        let turn = turn.map_err(|_| Error::Busy)?;
        let mut transaction = self.database.pool().begin().await?;
        let past = self.database.past();
        let commits = commits(&past, &mut transaction, campaign_id, until).await?;
        for statement in TABLES {
            sqlx::query(statement).execute(&mut *transaction).await?;
        }
        sqlx::query(PATH).execute(&mut *transaction).await?;
        let stream = campaign_id.to_string();
        for part in parts(&commits) {
            let events = past.events_below(&mut transaction, &stream, part).await?;
            apply(&mut transaction, &events).await?;
        }
        Ok(Then {
            transaction,
            campaign_id,
            _turn: turn,
        })
    }
}

/// A campaign as it was.
#[derive(Debug)]
pub struct Then {
    transaction: Transaction<'static, Postgres>,
    campaign_id: CampaignId,
    _turn: OwnedSemaphorePermit,
}

const TABLES: [&str; 6] = [
    "CREATE TEMPORARY TABLE campaigns (LIKE read.campaigns INCLUDING ALL) ON COMMIT DROP",
    "CREATE TEMPORARY TABLE campaign_phases (LIKE read.campaign_phases INCLUDING ALL) ON COMMIT DROP",
    "CREATE TEMPORARY TABLE campaign_uploads (LIKE read.campaign_uploads INCLUDING ALL) ON COMMIT DROP",
    "CREATE TEMPORARY TABLE domains (LIKE read.domains INCLUDING ALL) ON COMMIT DROP",
    "CREATE TEMPORARY TABLE domain_counts (LIKE read.domain_counts INCLUDING ALL) ON COMMIT DROP",
    "CREATE TEMPORARY TABLE domain_totals (LIKE read.domain_totals INCLUDING ALL) ON COMMIT DROP",
];
const PATH: &str = "SET LOCAL search_path = pg_temp, public";

impl Then {
    /// Reads the campaign and its counters; nothing where it did not exist.
    ///
    /// # Errors
    /// When the database does not answer, or a row does not decode.
    pub async fn overview(&mut self) -> Result<Option<Overview>, sqlx::Error> {
        let (connection, id) = (&mut *self.transaction, self.campaign_id);
        let Some(campaign) = by_id_in(&mut *connection, Tables::Then, id).await? else {
            return Ok(None);
        };
        let counts = counts_in(connection, Tables::Then, id).await?;
        Ok(Some(Overview { campaign, counts }))
    }

    /// Reads a page of its domains, with the total and the counters; one row more than the page's limit, where there is a next
    /// page.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn listing(
        &mut self,
        filter: &Filter,
        wanted: &Page,
    ) -> Result<Listing, sqlx::Error> {
        let one_more = Page {
            limit: wanted.limit.saturating_add(1),
            ..wanted.clone()
        };
        let (connection, id) = (&mut *self.transaction, self.campaign_id);
        listing_in(connection, Tables::Then, id, filter, &one_more).await
    }

    /// Takes the tables back.
    ///
    /// # Errors
    /// When the database does not answer; the server takes them back by itself then.
    pub async fn end(self) -> Result<(), sqlx::Error> {
        self.transaction.rollback().await
    }
}

/// Applies events to the temporary tables.
async fn apply(connection: &mut PgConnection, events: &[Recorded]) -> Result<(), ApplyError> {
    let own: Vec<Recorded> = events
        .iter()
        .filter(|event| event.aggregate_type == "campaign")
        .cloned()
        .collect();
    Campaigns.apply(connection, &own).await?;
    Domains.apply(connection, events).await
}

/// Finds the commits in which something happened to a campaign or to a domain of it, in log order.
async fn commits(
    past: &Past,
    connection: &mut PgConnection,
    campaign_id: CampaignId,
    until: Position,
) -> Result<Vec<CommitPlace>, Error> {
    let stream = campaign_id.to_string();
    let own = std::slice::from_ref(&stream);
    let own = past.commits_of(connection, "campaign", own, until).await?;
    let mut commits: BTreeSet<CommitPlace> = own.iter().copied().collect();
    let mut names = 0_u64;
    // One after the other: a commit may be a list of a million names, and the first beyond the bound is the last one read.
    for commit in &own {
        let commit = std::slice::from_ref(commit);
        let events = past.events_below(connection, &stream, commit).await?;
        let mut streams = Vec::new();
        for event in events.iter().filter(|event| event.aggregate_id == stream) {
            let known = names_of(event)?;
            names = names.saturating_add(known.len() as u64);
            if names > MOST_NAMES {
                return Err(Error::TooLarge);
            }
            let known = known.iter();
            streams.extend(known.map(|name| domain::stream_id(campaign_id, name)));
        }
        for part in streams.chunks(STREAMS) {
            commits.extend(past.commits_of(connection, "domain", part, until).await?);
        }
    }
    let events: u64 = commits.iter().map(|commit| commit.events).sum();
    if events > MOST_EVENTS {
        return Err(Error::TooLarge);
    }
    Ok(commits.into_iter().collect())
}

/// Returns the names that an event brought to its campaign.
fn names_of(event: &Recorded) -> Result<Vec<String>, Error> {
    if !matches!(
        event.event_type.as_str(),
        "DomainsGenerated" | "DomainsImported" | "DomainsTaken"
    ) {
        return Ok(Vec::new());
    }
    match decode::<Event>(event)? {
        Event::DomainsImported { names, .. } | Event::DomainsTaken { names, .. } => Ok(names),
        Event::DomainsGenerated {
            pattern,
            generator_version,
            start,
            count,
            ..
        } => match generate(&pattern, generator_version, start, count) {
            Ok(generated) => Ok(generated.names),
            Err(message) => Err(ApplyError::poison(event, message).into()),
        },
        _ => Ok(Vec::new()),
    }
}

/// Cuts commits into parts of some hundred events each.
fn parts(commits: &[CommitPlace]) -> Vec<&[CommitPlace]> {
    let (mut parts, mut rest) = (Vec::new(), commits);
    while !rest.is_empty() {
        let mut events = 0;
        let within = rest.iter().take_while(|commit| {
            let has_room = events < EVENTS;
            events += commit.events;
            has_room
        });
        let (part, others) = rest.split_at(within.count());
        parts.push(part);
        rest = others;
    }
    parts
}
