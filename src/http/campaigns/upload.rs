//! Uploading a list of names.

use aggregates::{
    campaign::{Event, MAX_FILENAME},
    ids::{CampaignId, FileId},
};
use axum::{
    RequestExt as _,
    extract::{DefaultBodyLimit, Request},
};
use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    access,
    form::{Form, FormFile},
    list_of_names::{ListOfNames, RejectedLine},
};
use crate::{
    commands::{
        Done,
        import::{self, List},
    },
    http::{Answer, Caller, Error, IfMatch, Path, State, body::MAX_UPLOAD},
};

/// The largest form, bytes: the file, and room for what a multipart body has around it.
pub(in crate::http) const MAX_FORM: usize = MAX_UPLOAD + (64 << 10);

/// Lists that are read at the same time; each takes up to some 200 MB until its names are recorded.
const AT_ONCE: usize = 4;

static READING: Semaphore = Semaphore::const_new(AT_ONCE);

/// What became of an uploaded list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct UploadResponse {
    /// The campaign.
    campaign_id: Uuid,
    /// Names the list in the campaign's history.
    file_id: Uuid,
    /// What the file is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<String>,
    /// SHA-256 of the file, hex.
    sha256: String,
    /// Lines.
    lines: u64,
    /// Names that were new to the campaign.
    accepted: u64,
    /// Names that the list or the campaign had already.
    duplicates: u64,
    /// Lines that hold no domain name.
    rejected: u64,
    /// Those lines, the first ten thousand of them.
    pub(in crate::http) rejected_lines: Vec<RejectedLine>,
}

/// The file of a form, as it is sent to this operation.
#[derive(ToSchema)]
pub(in crate::http) struct UploadForm {
    /// A `.txt` file, UTF-8, a name a line.
    #[schema(value_type = String, format = Binary)]
    #[expect(
        dead_code,
        reason = "describes the form for the OpenAPI document; the file is read as it arrives"
    )]
    file: Vec<u8>,
}

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(upload))
        .layer(DefaultBodyLimit::max(MAX_FORM))
}

/// Takes a list of names into a campaign whose names are imported: `.txt`, UTF-8, a name a line, at most 64 MiB and a
/// million lines. Addresses are reduced to their host; every line that holds no name is reported.
#[utoipa::path(
    post, path = "/campaigns/{campaignId}/upload", tag = "campaigns",
    params(("campaignId" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = UploadResponse), (status = 404), (status = 409), (status = 412), (status = 413),
        (status = 429))
)]
async fn upload(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    form: Form,
) -> Result<Answer<UploadResponse>, Error> {
    let campaign_id = access::owned(&state, &caller, id).await?;
    let (body, done) = take_in(&state, &caller, (campaign_id, expected), form).await?;
    Ok(Answer::ok(body).version(done.version).after(&done))
}

/// Takes the file of a form into a campaign, all of its names or none; with the version of it that the
/// caller saw, where he says so.
///
/// # Errors
/// 412 at another version, 413, 415, 422 for what is no such file, 429 while others are read, or what the campaign
/// refuses.
pub(in crate::http) async fn take_in(
    state: &State,
    caller: &Caller,
    (campaign_id, expected): (CampaignId, Option<u64>),
    form: Form,
) -> Result<(UploadResponse, Done<Event>), Error> {
    let _turn = READING.try_acquire().map_err(|_| Error::TooManyRequests {
        message: "other lists are being read".to_owned(),
        retry_after_seconds: 5,
    })?;
    let (filename, mut list) = form.read(read).await?;
    let (sha256, lines) = list.finish()?;
    let file_id = FileId(Uuid::now_v7());
    let wanted = List {
        file_id,
        sha256: sha256.clone(),
        filename: filename.clone(),
        names: std::mem::take(&mut list.names),
        lines: std::mem::take(&mut list.lines),
    };
    let imported = state
        .app
        .import_domains(campaign_id, wanted, &caller.metadata, expected)
        .await?;
    let body = UploadResponse {
        campaign_id: campaign_id.0,
        file_id: imported.file_id.unwrap_or(file_id).0,
        filename,
        sha256,
        lines,
        accepted: imported.accepted as u64,
        duplicates: list.duplicates.saturating_add(imported.known as u64),
        rejected: list.rejected,
        rejected_lines: list.reported,
    };
    Ok((body, imported.done))
}

/// Asks, of a request for the route, whether the caller reaches the campaign, before anything of its body is taken in.
///
/// # Errors
/// [`Error::NotFound`], also where nobody is logged in who could have one.
pub(in crate::http) async fn may_upload(state: &State, request: &mut Request) -> Result<(), Error> {
    let caller: Caller = request.extract_parts().await?;
    let Path(id): Path<Uuid> = request.extract_parts().await?;
    access::owned(state, &caller, id).await.map(drop)
}

async fn read(mut file: FormFile<'_>) -> Result<(Option<String>, ListOfNames), Error> {
    let filename = file.name().map(str::to_owned);
    if let Some(name) = &filename {
        if name.chars().count() > MAX_FILENAME {
            return Err(Error::unprocessable(
                "file",
                format!("must have a name of at most {MAX_FILENAME} characters"),
            ));
        }
        if !name.to_ascii_lowercase().ends_with(".txt") {
            return Err(Error::unprocessable("file", "must be a .txt file"));
        }
    }
    let mut list = ListOfNames::new();
    while let Some(chunk) = file.chunk().await? {
        list.push(&chunk)?;
    }
    Ok((filename, list))
}

impl From<import::Error> for Error {
    fn from(error: import::Error) -> Self {
        match error {
            import::Error::Refused(refused) => refused.into(),
            import::Error::Compare(source) => Self::internal(source),
            import::Error::Behind { .. } => Self::Conflict {
                code: "NAMES_PENDING",
                message: error.to_string(),
            },
        }
    }
}
