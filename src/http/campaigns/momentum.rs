//! How a campaign's scores moved between its last two runs.

use projections::domains::{Momentum, Mover, momentum_of};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::access;
use crate::http::{Answer, Caller, Error, Path, State};

/// Domains that are shown each way.
pub(super) const MOVERS: i64 = 10;

/// How scores moved between the last two runs, over the domains that both scored; empty before there are two.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CampaignMomentumResponse {
    /// The ten domains that gained most.
    movers_up: Vec<MomentumMover>,
    /// The ten domains that lost most.
    movers_down: Vec<MomentumMover>,
    /// How many domains moved how far: 20 equally wide buckets from -1 to +1.
    histogram: Vec<i64>,
}

/// A domain whose score moved.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct MomentumMover {
    /// Its name.
    domain: String,
    /// The score now less the score before, on the scale of 0 to 1.
    delta: f64,
}

impl From<Mover> for MomentumMover {
    fn from(mover: Mover) -> Self {
        Self {
            domain: mover.name,
            delta: mover.delta,
        }
    }
}

impl From<Momentum> for CampaignMomentumResponse {
    fn from(momentum: Momentum) -> Self {
        Self {
            movers_up: momentum.up.into_iter().map(Into::into).collect(),
            movers_down: momentum.down.into_iter().map(Into::into).collect(),
            histogram: momentum.histogram,
        }
    }
}

/// Answers how a campaign's scores moved between its last two runs.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/momentum", tag = "campaigns", params(("campaignId" = Uuid, Path)),
    responses((status = 200, body = CampaignMomentumResponse), (status = 404))
)]
pub(super) async fn momentum(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Answer<CampaignMomentumResponse>, Error> {
    let id = access::owned(&state, &caller, id).await?;
    let momentum = momentum_of(state.app.database.pool(), id, MOVERS).await?;
    Ok(Answer::ok(momentum.into()))
}
