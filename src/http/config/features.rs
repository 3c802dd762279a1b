//! What this installation does and what it leaves alone.

use std::collections::BTreeMap;

use axum::extract;
use utoipa::ToSchema;

use super::settings;
use crate::http::{Answer, Error, ErrorEnvelope, State};

/// What this node does and does not, by name.
#[derive(Debug, serde::Serialize, ToSchema)]
#[serde(transparent)]
pub(super) struct FeatureFlags(BTreeMap<&'static str, bool>);

/// Tells what this node does: `reconciliation` of counters with their domains, `counterCorrection` of those that drifted, `stealth` in sending,
/// `proxyChecks` by themselves, `privateAddresses` that may be fetched from, `ownTechnologyRules` of the operator. The first three are
/// settings under `/config`, the others options of the node's start.
#[utoipa::path(get, path = "/config/features", tag = "config",
    responses((status = 200, body = FeatureFlags), (status = 400, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope), (status = 422, body = ErrorEnvelope)))]
pub(super) async fn show(
    extract::State(state): extract::State<State>,
) -> Result<Answer<FeatureFlags>, Error> {
    let settings = settings(&state).await?;
    let reconciling = state.app.installation.reconciling_by(&settings);
    let network = &state.app.defaults.network;
    Ok(Answer::ok(FeatureFlags(BTreeMap::from([
        ("reconciliation", reconciling.enabled),
        (
            "counterCorrection",
            reconciling.enabled && reconciling.auto_correct,
        ),
        ("stealth", settings.stealth()),
        ("proxyChecks", network.proxy_check_url.is_some()),
        ("privateAddresses", network.allow_private),
        ("ownTechnologyRules", network.technologies.is_some()),
    ]))))
}
