//! Scoring profiles: named weights for the components of a score.

mod queries;
mod write;

use std::collections::BTreeMap;

use aggregates::scoring_profile;
use chrono::{DateTime, Utc};
use projections::scoring_profiles::Row;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{error::Error, owned::View, router::State};
use crate::commands::Snapshot;

/// Collects the routes.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(queries::list, write::create))
        .routes(routes!(queries::show, write::update, write::delete))
}

/// A scoring profile.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScoringProfile {
    id: Uuid,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// The weights by component, as they were given; a score normalises them.
    weights: BTreeMap<String, f64>,
    /// Counts the changes; what an update's `version` is compared with.
    version: u64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for ScoringProfile {
    fn from(row: Row) -> Self {
        Self {
            id: row.scoring_profile_id,
            name: row.name,
            description: row.description,
            weights: row.weights.0,
            version: u64::try_from(row.version).unwrap_or(0),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl View<scoring_profile::ScoringProfile> for ScoringProfile {
    fn of(id: Uuid, snapshot: &Snapshot<scoring_profile::ScoringProfile>) -> Result<Self, Error> {
        let profile = &snapshot.aggregate;
        Ok(Self {
            id,
            name: profile.name().to_owned(),
            description: profile.description().map(str::to_owned),
            weights: profile.weights().clone(),
            version: snapshot.version,
            created_at: snapshot.created_at,
            updated_at: snapshot.updated_at,
        })
    }
}
