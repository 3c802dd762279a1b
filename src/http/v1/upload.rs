//! Uploading a list of names.

use axum::{
    RequestExt as _,
    extract::{DefaultBodyLimit, Request},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{access, retry::checking};
use crate::http::{
    Answer, Caller, Error, IfMatch, Path, State,
    campaigns::{self, Form, MAX_FORM, UploadForm, UploadResponse},
    vocabulary,
};

/// Rejected lines that are reported one by one; all of them are counted.
const MOST_REPORTED: usize = 100;

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(upload))
        .layer(DefaultBodyLimit::max(MAX_FORM))
}

/// Takes a list of names into a campaign that checks names: `.txt`, UTF-8, a name a line, at most 64 MiB and a million
/// lines. Addresses are reduced to their host; lines that hold no name are counted, the first 100 of them reported.
#[utoipa::path(
    post, path = "/campaigns/{type}/{campaignId}/upload", tag = "typed campaigns",
    params(("type" = inline(vocabulary::CheckingTypeInPath), Path), ("campaignId" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = UploadResponse), (status = 404), (status = 409), (status = 412), (status = 413),
        (status = 429))
)]
async fn upload(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((campaign_type, id)): Path<(String, Uuid)>,
    IfMatch(expected): IfMatch,
    form: Form,
) -> Result<Answer<UploadResponse>, Error> {
    let campaign_type = checking(&campaign_type)?;
    let campaign = access::current(&state, &caller, (campaign_type, id)).await?;
    let taken = campaigns::take_in(&state, &caller, (campaign.campaign_id, expected), form);
    let (mut body, done) = taken.await?;
    body.rejected_lines.truncate(MOST_REPORTED);
    Ok(Answer::ok(body).version(done.version).after(&done))
}

/// Asks, of a request for the route, whether the caller reaches the campaign, before anything of its body is taken in.
///
/// # Errors
/// [`Error::NotFound`], also where nobody is logged in who could have one.
pub(in crate::http) async fn may_upload(state: &State, request: &mut Request) -> Result<(), Error> {
    let caller: Caller = request.extract_parts().await?;
    let Path((campaign_type, id)): Path<(String, Uuid)> = request.extract_parts().await?;
    let campaign_type = checking(&campaign_type)?;
    access::current(state, &caller, (campaign_type, id))
        .await
        .map(drop)
}
