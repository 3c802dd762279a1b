//! Evidence that an event is in the log, as it was when it was signed.

use axum::extract;
use chrono::{DateTime, Utc};
use event_store::{Position, describe};
use replay::NoProof;
use serde::Serialize;
use transparency::{Event, Evidence};
use utoipa::ToSchema;

use crate::{
    checkpoints::ProofError,
    http::{Answer, Error, ErrorEnvelope, Path, State},
};

/// An event as the log keeps it, byte for byte.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct ProvenEvent {
    /// Its place in the log, counted from 1.
    #[schema(minimum = 1)]
    position: u64,
    /// The kind of thing that it happened to.
    aggregate_type: String,
    /// Which of them.
    aggregate_id: String,
    /// Its place in the history of that thing, counted from 1.
    #[schema(minimum = 1)]
    sequence: u64,
    /// What happened.
    event_type: String,
    /// The version of the payload's shape.
    event_version: String,
    /// What happened in particular: JSON, in a string, because its bytes count.
    payload: String,
    /// Who gave the command, from where and because of what: JSON, in a string likewise.
    metadata: String,
    /// When it was recorded, to the microsecond.
    recorded_at: DateTime<Utc>,
}

impl From<Event> for ProvenEvent {
    fn from(event: Event) -> Self {
        Self {
            position: event.position,
            aggregate_type: event.aggregate_type,
            aggregate_id: event.aggregate_id,
            sequence: event.sequence,
            event_type: event.event_type,
            event_version: event.event_version,
            payload: event.payload,
            metadata: event.metadata,
            recorded_at: event.recorded_at,
        }
    }
}

/// Evidence that an event is in the log. Saved to a file it is what `domainflow proof check` checks, on any machine, with the
/// public key and nothing else.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct ProofResponse {
    event: ProvenEvent,
    /// The hashes beside the way from the event's leaf to the root, the lowest first, each in base64 (RFC 9162, section
    /// 2.1.3).
    proof: Vec<String>,
    /// The checkpoint that the root is of, a signed note: how many events there were, the root, when, and the signature.
    checkpoint: String,
}

impl From<Evidence> for ProofResponse {
    fn from(evidence: Evidence) -> Self {
        Self {
            event: evidence.event.into(),
            proof: evidence.proof.iter().map(ToString::to_string).collect(),
            checkpoint: evidence.checkpoint,
        }
    }
}

/// Proves that the event at a position is in the log and was not changed since it was signed. For administrators and auditors: an
/// event tells who did it, and from where.
#[utoipa::path(get, path = "/audit/{position}/proof", tag = "audit",
    params(("position" = u64, Path, minimum = 1, description = "the event's place in the log, as `X-Event-Cursor` tells it")),
    responses(
        (status = 200, body = ProofResponse),
        (status = 403, description = "it is for administrators and auditors", body = ErrorEnvelope),
        (status = 404, description = "the log has no event there", body = ErrorEnvelope),
        (status = 409, description = "no checkpoint of this node covers the event yet (`NOT_SIGNED_YET`), or the log is not \
            what was signed (`LOG_CONTRADICTED`)", body = ErrorEnvelope),
    ))]
pub(super) async fn proof(
    extract::State(state): extract::State<State>,
    Path(position): Path<Position>,
) -> Result<Answer<ProofResponse>, Error> {
    let proven = state.prover.prove(position).await;
    let evidence = proven.map_err(|error| refusal(position, error))?;
    Ok(Answer::ok(evidence.into()))
}

fn refusal(position: Position, error: ProofError) -> Error {
    let conflict = |code| Error::Conflict {
        code,
        message: error.to_string(),
    };
    match &error {
        ProofError::Unproven(NoProof::NoEvent) => Error::no_such("event", "position"),
        ProofError::Unproven(NoProof::NotSigned) => conflict("NOT_SIGNED_YET"),
        ProofError::Unproven(NoProof::Contradicted) => {
            tracing::error!(position = position.get(), error = %describe(&error), "an event cannot be proven");
            conflict("LOG_CONTRADICTED")
        }
        ProofError::Replay(_) | ProofError::File { .. } => Error::internal(error),
    }
}
