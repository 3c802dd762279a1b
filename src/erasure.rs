//! What becomes of the objects of users who were erased: they are deleted, campaigns with all that was found.
//!
//! Called when a user was erased, and then again and again by every server, so that it ends whatever died in between, and
//! takes what a command made that was under way while its user was erased. Each object is deleted by its own command.

use aggregates::{
    Actor, Metadata,
    campaign::{self, Campaign},
    ids::ProxyId,
    keyword_set::{self, KeywordSet},
    persona::{self, Persona},
    proxy::{self, Proxy},
    proxy_pool::{self, ProxyPool},
    scoring_profile::{self, ScoringProfile},
};
use cqrs_es::Aggregate;
use event_store::ExecuteError;
use projections::holdings::{self, Kind};
use uuid::Uuid;

use crate::{app::App, commands::Done, credentials};

/// Objects that are looked up at once.
const PAGE: i64 = 100;

/// Why objects were not deleted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error("cannot find what erased users left")]
    Database(#[from] sqlx::Error),
    /// The log failed.
    #[error("cannot delete what erased users left")]
    Log(#[from] event_store::Error),
}

/// Deletes what erased users own; returns how much that was.
///
/// # Errors
/// When the database or the log fails; the rest is left to the next call.
pub async fn clear_out(app: &App) -> Result<u64, Error> {
    let metadata = Metadata::new(
        Actor::Worker("erasure".to_owned()),
        Uuid::now_v7().to_string(),
    );
    let mut deleted = 0;
    for kind in Kind::ALL {
        let mut after = Uuid::nil();
        loop {
            let left = holdings::of_erased(app.database.pool(), kind, after, PAGE).await?;
            let Some(last) = left.last() else {
                break;
            };
            after = *last;
            for id in left {
                deleted += u64::from(delete(app, kind, id, &metadata).await?);
            }
        }
    }
    Ok(deleted)
}

/// Deletes one object; says whether it was still there.
async fn delete(app: &App, kind: Kind, id: Uuid, metadata: &Metadata) -> Result<bool, Error> {
    let stream = id.to_string();
    let id = stream.as_str();
    match kind {
        Kind::Campaigns => {
            let command = campaign::Command::Delete(campaign::Delete {});
            outcome::<Campaign>(app.execute::<Campaign>(id, command, metadata, None).await)
        }
        Kind::ProxyPools => {
            let command = proxy_pool::Command::Delete(proxy_pool::Delete);
            outcome::<ProxyPool>(app.execute::<ProxyPool>(id, command, metadata, None).await)
        }
        Kind::Proxies => {
            let mut transaction = app.database.begin().await?;
            if let Ok(proxy) = id.parse().map(ProxyId) {
                credentials::remove(transaction.connection(), proxy).await?;
            }
            let command = proxy::Command::Delete(proxy::Delete);
            let done = app.execute_in::<Proxy>(transaction, id, command, metadata, None);
            outcome::<Proxy>(done.await)
        }
        Kind::Personas => {
            let command = persona::Command::Delete(persona::Delete);
            outcome::<Persona>(app.execute::<Persona>(id, command, metadata, None).await)
        }
        Kind::KeywordSets => {
            let command = keyword_set::Command::Delete(keyword_set::Delete);
            outcome::<KeywordSet>(app.execute::<KeywordSet>(id, command, metadata, None).await)
        }
        Kind::ScoringProfiles => {
            let expected_version = None;
            let command = scoring_profile::Delete { expected_version };
            let command = scoring_profile::Command::Delete(command);
            outcome::<ScoringProfile>(
                app.execute::<ScoringProfile>(id, command, metadata, None)
                    .await,
            )
        }
    }
}

fn outcome<A: Aggregate>(
    outcome: Result<Done<A::Event>, ExecuteError<A::Error>>,
) -> Result<bool, Error> {
    match outcome {
        Ok(_) => Ok(true),
        Err(ExecuteError::Log(failed)) => Err(failed.into()),
        // Somebody else deleted it, or is about to change it; the next call sees.
        Err(refused) => {
            tracing::debug!(%refused, kind = A::TYPE, "not deleted for an erased user");
            Ok(false)
        }
    }
}
