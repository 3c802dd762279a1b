//! How counters are held against the domains that they count.

use aggregates::settings::{ChangeReconciliation, Command, Reconciliation, Settings};
use axum::extract;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Changed, change as give, settings};
use crate::{
    http::{Answer, Caller, Error, ErrorEnvelope, IfMatch, Json, State},
    installation::Reconciling,
};

/// How counters are held against the domains that they count.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReconciliationSettings {
    /// Whether they are at all.
    enabled: bool,
    /// Minutes from the end of one look to the beginning of the next.
    interval_minutes: u32,
    /// Percent of a campaign's domains; what is counted wrongly beyond it is a drift.
    drift_threshold_pct: f64,
    /// Whether a drift is put right.
    auto_correct: bool,
    /// How many counters one look puts right at most.
    max_corrections_per_run: u32,
}

impl From<Reconciling> for ReconciliationSettings {
    fn from(reconciling: Reconciling) -> Self {
        let Reconciling {
            enabled,
            interval_minutes,
            drift_threshold_pct,
            auto_correct,
            max_corrections_per_run,
        } = reconciling;
        Self {
            enabled,
            interval_minutes,
            drift_threshold_pct,
            auto_correct,
            max_corrections_per_run,
        }
    }
}

impl ReconciliationSettings {
    /// Shows what is in force on this node where these are the settings.
    fn of(state: &State, settings: &Settings) -> Self {
        state.app.installation.reconciling_by(settings).into()
    }
}

/// How counters are to be held against the domains that they count; what is left out is as each node was started with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ReconciliationRequest {
    /// Whether they are at all.
    enabled: Option<bool>,
    /// Minutes from the end of one look to the beginning of the next.
    #[schema(minimum = 1, maximum = 525_600)]
    interval_minutes: Option<u32>,
    /// Percent of a campaign's domains; what is counted wrongly beyond it is a drift.
    #[schema(minimum = 0, maximum = 100)]
    drift_threshold_pct: Option<f64>,
    /// Whether a drift is put right.
    auto_correct: Option<bool>,
    /// How many counters one look puts right at most.
    #[schema(minimum = 1, maximum = 1_000_000)]
    max_corrections_per_run: Option<u32>,
}

/// Shows how counters are held against the domains that they count.
#[utoipa::path(get, path = "/config/reconciliation", tag = "config",
    responses((status = 200, body = ReconciliationSettings)))]
pub(super) async fn show(
    extract::State(state): extract::State<State>,
) -> Result<Answer<ReconciliationSettings>, Error> {
    let settings = settings(&state).await?;
    let shown = ReconciliationSettings::of(&state, &settings);
    Ok(Answer::ok(shown).version(settings.version()))
}

/// Sets how counters are held against the domains that they count; for administrators. All of it is set at once: what is left
/// out is as each node was started with.
#[utoipa::path(put, path = "/config/reconciliation", tag = "config", request_body = ReconciliationRequest,
    params(("If-Match" = Option<String>, Header)),
    responses((status = 200, body = ReconciliationSettings), (status = 400, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope), (status = 412, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope)))]
pub(super) async fn change(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Json(request): Json<ReconciliationRequest>,
) -> Result<Answer<ReconciliationSettings>, Error> {
    let reconciliation = Reconciliation {
        enabled: request.enabled,
        interval_minutes: request.interval_minutes,
        drift_threshold_pct: request.drift_threshold_pct,
        auto_correct: request.auto_correct,
        max_corrections_per_run: request.max_corrections_per_run,
    };
    let command = Command::ChangeReconciliation(ChangeReconciliation { reconciliation });
    let Changed { settings, done } = give(&state, &caller, command, version).await?;
    let shown = ReconciliationSettings::of(&state, &settings);
    Ok(Answer::ok(shown).version(done.version).after(&done))
}
