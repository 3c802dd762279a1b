//! The suppression list: whom no engine of the installation sends anything to. Every user reads it, administrators change it:
//! who gives commands about it is decided where that is decided for every operation, by [`super::access`].

mod check;
mod queries;
mod upload;
mod write;

use aggregates::suppression::{Entry, Kind};
use chrono::{DateTime, Utc};
use projections::suppression::Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{Error, router::State};
use crate::commands::Snapshot;

/// What is answered where there is no such entry.
pub(in crate::http) const MISSING: Error = Error::no_such("suppression entry", "id");

/// Collects the routes.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(queries::list, write::add))
        .routes(routes!(check::check))
        .routes(routes!(upload::upload))
        .routes(routes!(queries::show, write::remove))
}

/// What an entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum SuppressionKind {
    /// A domain and every name below it.
    Domain,
    /// The end of names, such as `gov` or `co.uk`: every name that is it or below it.
    Suffix,
    /// A block of addresses.
    Cidr,
    /// A name server, or all whose names are below it: every domain that has one of them.
    Nameserver,
}

impl From<SuppressionKind> for Kind {
    fn from(kind: SuppressionKind) -> Self {
        match kind {
            SuppressionKind::Domain => Self::Domain,
            SuppressionKind::Suffix => Self::Suffix,
            SuppressionKind::Cidr => Self::Cidr,
            SuppressionKind::Nameserver => Self::Nameserver,
        }
    }
}

impl From<Kind> for SuppressionKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Domain => Self::Domain,
            Kind::Suffix => Self::Suffix,
            Kind::Cidr => Self::Cidr,
            Kind::Nameserver => Self::Nameserver,
        }
    }
}

/// An entry of the suppression list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SuppressionEntry {
    /// Names the entry in verdicts and in the history; the same for the same entry, whenever it is added.
    id: Uuid,
    kind: SuppressionKind,
    /// Whom it names: a name in lower case A-labels, or a block as `network/length`.
    value: String,
    /// Why.
    reason: String,
    /// What else is to be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The user who added it.
    added_by: Uuid,
    added_at: DateTime<Utc>,
    /// In the answer 202 to its addition: that it is recorded and not in force on this node yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<&'static str>,
}

impl TryFrom<Row> for SuppressionEntry {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let kind: Kind = row.kind.parse().map_err(Error::internal)?;
        Ok(Self {
            id: row.entry_id,
            kind: kind.into(),
            value: row.value,
            reason: row.reason,
            note: row.note,
            added_by: row.added_by,
            added_at: row.added_at,
            notice: None,
        })
    }
}

impl SuppressionEntry {
    /// Shows an entry as the command left it that added it.
    fn of(id: Uuid, snapshot: Snapshot<Entry>) -> Result<Self, Error> {
        let listed = snapshot.aggregate.listed().cloned().ok_or(MISSING)?;
        Ok(Self {
            id,
            kind: listed.target.kind().into(),
            value: listed.target.value().to_owned(),
            reason: listed.reason,
            note: listed.note,
            added_by: listed.added_by.0,
            added_at: snapshot.updated_at,
            notice: None,
        })
    }

    /// Says of an entry that it is not in force yet.
    fn not_in_force(self, notice: &'static str) -> Self {
        Self {
            notice: Some(notice),
            ..self
        }
    }
}
