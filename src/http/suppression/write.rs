//! Adding and removing entries.

use aggregates::{
    ids::SuppressionId,
    suppression::{Add, Command, Entry, Remove, Target},
};
use axum::extract;
use serde::Deserialize;
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

/// Adds an entry; for administrators. When this is answered, the engines of this node send nothing more to whom it names;
/// those of other nodes do as soon as they have read the event, which takes them a fraction of a second.
#[utoipa::path(post, path = "/suppression", tag = "suppression", request_body = AddSuppressionRequest,
    responses((status = 201, body = SuppressionEntry), (status = 400, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope),
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
    in_force(app, &done).await;
    let id = done.aggregate_id.parse().map_err(Error::internal)?;
    let entry = SuppressionEntry::of(id, app.after(&done).await?)?;
    Ok(Answer::created(entry).version(done.version).after(&done))
}

/// Removes an entry; for administrators. Its history stays.
#[utoipa::path(delete, path = "/suppression/{id}", tag = "suppression",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 403, body = ErrorEnvelope), (status = 404, body = ErrorEnvelope),
        (status = 412, body = ErrorEnvelope)))]
pub(super) async fn remove(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path(id): Path<SuppressionId>,
) -> Result<Answer<()>, Error> {
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
    in_force(app, &done).await;
    Ok(Answer::no_content().after(&done))
}

/// Waits until this node's engines go by what was recorded.
pub(super) async fn in_force<E>(app: &App, done: &Done<E>) {
    if !app.suppression.reaches(done.cursor, READ_MODELS_WAIT).await {
        tracing::warn!(
            cursor = done.cursor.get(),
            "the suppression list of this node is behind"
        );
    }
}
