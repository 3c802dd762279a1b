//! Asking whether somebody is left alone.

use std::net::IpAddr;

use aggregates::{ids::SuppressionId, names::DomainName};
use axum::extract;
use projections::suppression;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validation::suppression::Held;

use super::SuppressionEntry;
use crate::http::{Answer, Caller, Error, ErrorEnvelope, Query, State, health::SUPPRESSION_LIST};

/// Whom the question is about.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// A name or an address.
    target: String,
}

/// Whether somebody is left alone.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SuppressionCheckResponse {
    /// The name or the address as the engines know it.
    target: String,
    /// Whether this node's engines send nothing to it.
    suppressed: bool,
    /// The entry that holds it: the nearest name, or the smallest block.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry_id: Option<Uuid>,
    /// What the entry says; absent where it was changed this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<SuppressionEntry>,
}

/// Tells whether a name or an address is suppressed, as the engines of this node decide it, and by which entry. Entries for name
/// servers hold for domains whose name servers are known; a name alone does not tell those.
#[utoipa::path(get, path = "/suppression/check", tag = "suppression", params(Wanted),
    responses((status = 200, body = SuppressionCheckResponse), (status = 400, body = ErrorEnvelope),
        (status = 503, body = ErrorEnvelope)))]
pub(super) async fn check(
    extract::State(state): extract::State<State>,
    _: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Answer<SuppressionCheckResponse>, Error> {
    let list = state.app.suppression.list();
    let text = wanted.target.trim();
    let (target, held) = match text.parse::<IpAddr>() {
        Ok(address) => (address.to_canonical().to_string(), list.address(address)),
        Err(_) => {
            let name = DomainName::parse(text).map_err(|error| Error::bad("target", error))?;
            let held = list.name(name.as_str());
            (name.to_string(), held)
        }
    };
    let entry_id = match held {
        Some(Held::Unread | Held::ServersUnknown) => {
            return Err(Error::NotReady(vec![SUPPRESSION_LIST.to_owned()]));
        }
        Some(Held::By(id, _)) => Some(id),
        None => None,
    };
    let entry = match entry_id {
        Some(id) => suppression::by_id(state.app.database.pool(), SuppressionId(id)).await?,
        None => None,
    };
    Ok(Answer::ok(SuppressionCheckResponse {
        target,
        suppressed: entry_id.is_some(),
        entry_id,
        entry: entry.map(TryInto::try_into).transpose()?,
    }))
}
