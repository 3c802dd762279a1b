//! Adding and removing entries.

use aggregates::{
    ids::SuppressionId,
    suppression::{Add, Command, Entry, Remove, Target},
};
use axum::{
    extract,
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MISSING, SuppressionEntry, SuppressionKind};
use crate::{
    app::App,
    commands::{Done, READ_MODELS_WAIT},
    http::{Answer, Caller, Error, ErrorEnvelope, IfMatch, Json, Path, State},
};

/// An entry to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct AddSuppressionRequest {
    kind: SuppressionKind,
    /// Whom it names: a domain, the end of names, an address or a block of them (`192.0.2.0/24`), a name server. Names may be
    /// written in Unicode and in any case.
    value: String,
    /// Why, 1 to 500 characters.
    reason: String,
    /// What else is to be known, at most 2,000 characters.
    note: Option<String>,
}

/// What is to be known of a change that is recorded.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SuppressionNotice {
    /// That the change is not in force on this node yet.
    notice: &'static str,
}

/// What is said of a change that this node's engines do not go by yet.
pub(super) const NOT_YET: &str = "it is recorded, but this node cannot read it at the moment and does not go by it yet: \
    GET /health/ready says when it does";

/// Adds an entry; for administrators. With 201 the engines of this node send nothing more to whom it names when this is
/// answered; with 202 it is recorded, and they go by it once this node can read its list again, which `notice` says. Those of
/// other nodes do as soon as they have read the event, which takes them a fraction of a second.
#[utoipa::path(post, path = "/suppression", tag = "suppression", request_body = AddSuppressionRequest,
    responses((status = 201, body = SuppressionEntry), (status = 202, body = SuppressionEntry),
        (status = 400, body = ErrorEnvelope), (status = 403, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope)))]
pub(super) async fn add(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Json(request): Json<AddSuppressionRequest>,
) -> Result<Answer<SuppressionEntry>, Error> {
    let target = Target::parse(request.kind.into(), &request.value)?;
    let id = target.id().to_string();
    let command = Command::Add(Add {
        target,
        reason: request.reason,
        note: request.note,
        added_by: caller.user_id,
    });
    let app = &state.app;
    let done = app
        .execute::<Entry>(&id, command, &caller.metadata, None)
        .await?;
    let in_force = in_force(app, &done).await;
    let id = done.aggregate_id.parse().map_err(Error::internal)?;
    let entry = SuppressionEntry::of(id, app.after(&done).await?)?;
    let answer = match in_force {
        true => Answer::created(entry),
        false => Answer::accepted(entry.not_in_force(NOT_YET)),
    };
    Ok(answer.version(done.version).after(&done))
}

/// Removes an entry; for administrators. Its history stays. With 202 it is recorded, and this node goes on to leave alone whom
/// it names until it can read its list again.
#[utoipa::path(delete, path = "/suppression/{id}", tag = "suppression",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 202, body = SuppressionNotice), (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope), (status = 412, body = ErrorEnvelope)))]
pub(super) async fn remove(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path(id): Path<SuppressionId>,
) -> Result<Response, Error> {
    let (app, stream) = (&state.app, id.to_string());
    let command = Command::Remove(Remove {
        removed_by: caller.user_id,
    });
    if app.repeated::<Entry>(&caller.metadata).await?.is_none() {
        let (entry, _) = app.database.log().load::<Entry>(&stream).await?;
        // Before the version: what is not there has none.
        entry.listed().ok_or(MISSING)?;
    }
    let done = app
        .execute::<Entry>(&stream, command, &caller.metadata, version)
        .await?;
    Ok(match in_force(app, &done).await {
        true => Answer::no_content().after(&done).into_response(),
        false => {
            let notice = SuppressionNotice { notice: NOT_YET };
            Answer::accepted(notice).after(&done).into_response()
        }
    })
}

/// Waits until this node's engines go by what was recorded, and says whether they do.
pub(super) async fn in_force<E>(app: &App, done: &Done<E>) -> bool {
    let is_in_force = app.suppression.reaches(done.cursor, READ_MODELS_WAIT).await;
    if !is_in_force {
        tracing::warn!(
            cursor = done.cursor.get(),
            "the suppression list of this node is behind"
        );
    }
    is_in_force
}
