//! Adding many entries at once.

use std::collections::BTreeMap;

use aggregates::{
    ids::{SuppressionId, UserId},
    suppression::{Add, Command, Entry, Error as Refusal, Kind, Target, check_texts},
};
use axum::{body::Bytes, extract, http::HeaderMap};
use event_store::ExecuteError;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    SuppressionKind,
    write::{NOT_YET, in_force},
};
use crate::{
    app::App,
    commands::{Done, Recorded},
    http::{Answer, Caller, Error, ErrorEnvelope, Query, State, body},
};

/// The most entries of one upload: they are decided one by one, in one transaction.
const MOST: usize = 2_000;
/// Characters of a rejected line that are told.
const TOLD: usize = 200;

/// What holds for all entries of an upload.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Common {
    /// Why, 1 to 500 characters.
    reason: String,
    /// What else is to be known, at most 2,000 characters.
    note: Option<String>,
    /// What lines name that do not say it themselves; without it a line with an address or a block names that, one that
    /// begins with `*.` or `.` the end of names, and any other a domain.
    kind: Option<SuppressionKind>,
}

/// A line that names nobody.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RejectedEntry {
    /// Counted from 1.
    line: usize,
    /// The start of the line.
    text: String,
    /// What is wrong with it.
    reason: String,
}

/// What became of a list.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SuppressionUploadResponse {
    /// Lines.
    lines: usize,
    /// Entries that were added.
    added: usize,
    /// Entries that were on the list already, or twice in the text.
    duplicates: usize,
    /// Lines that name nobody.
    rejected: usize,
    /// Those lines.
    rejected_lines: Vec<RejectedEntry>,
    /// With 202: that the entries are recorded and not in force on this node yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<&'static str>,
}

/// The lines as they were read.
#[derive(Default)]
struct Lines {
    summary: SuppressionUploadResponse,
    targets: BTreeMap<SuppressionId, Target>,
}

/// Adds the entries of a text, UTF-8, an entry a line, at most 2,000 of them: `example.com`, or with its kind before it,
/// `nameserver ns1.example.com`. Empty lines and what follows a `#` say nothing. All lines that name somebody are added
/// together; the others are reported. For administrators.
#[utoipa::path(post, path = "/suppression/upload", tag = "suppression", params(Common),
    request_body(content = String, content_type = "text/plain"),
    responses((status = 200, body = SuppressionUploadResponse), (status = 202, body = SuppressionUploadResponse),
        (status = 400, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope), (status = 413, body = ErrorEnvelope),
        (status = 415, body = ErrorEnvelope), (status = 422, body = ErrorEnvelope)))]
pub(super) async fn upload(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Query(common): Query<Common>,
    headers: HeaderMap,
    text: Result<Bytes, extract::rejection::BytesRejection>,
) -> Result<Answer<SuppressionUploadResponse>, Error> {
    let text = body::text(&headers, text)?;
    let app = &state.app;
    let mut lines = read(&text, common.kind.map(Kind::from))?;
    // Said of no line, so that it refuses them all.
    check_texts(&common.reason, common.note.as_deref())?;
    let done = match app.repeated::<Entry>(&caller.metadata).await? {
        // The process died before it could answer.
        Some(done) => {
            let added = app.changed_before::<Entry>(&caller.metadata).await?.len();
            lines.count(added);
            Some(done)
        }
        None => add(app, &caller, &common, &mut lines).await?,
    };
    let Some(done) = done else {
        return Ok(Answer::ok(lines.summary));
    };
    let answer = match in_force(app, &done).await {
        true => Answer::ok(lines.summary),
        false => Answer::accepted(SuppressionUploadResponse {
            notice: Some(NOT_YET),
            ..lines.summary
        }),
    };
    Ok(answer.after(&done))
}

impl Common {
    fn add(&self, target: Target, added_by: UserId) -> Add {
        Add {
            target,
            reason: self.reason.clone(),
            note: self.note.clone(),
            added_by,
        }
    }
}

impl Lines {
    /// Takes note of how many of the targets were added.
    fn count(&mut self, added: usize) {
        self.summary.added = added;
        self.summary.duplicates += self.targets.len().saturating_sub(added);
    }
}

/// Adds what is not on the list, in one transaction and in the order of the ids, so that two uploads at once wait for each other
/// and never both.
async fn add(
    app: &App,
    caller: &Caller,
    common: &Common,
    lines: &mut Lines,
) -> Result<Option<Done<aggregates::suppression::Event>>, Error> {
    let mut transaction = app.database.begin().await?;
    let (mut added, mut last) = (0, None);
    for (id, target) in &lines.targets {
        let aggregate_id = id.to_string();
        let command = Command::Add(common.add(target.clone(), caller.user_id));
        let metadata = &caller.metadata;
        match transaction
            .execute::<Entry>(&aggregate_id, command, metadata)
            .await
        {
            Ok(committed) => {
                added += 1;
                last = Some(Recorded {
                    aggregate_id,
                    committed,
                });
            }
            Err(ExecuteError::Rejected(Refusal::Exists)) => {}
            Err(error) => {
                transaction.rollback().await?;
                return Err(error.into());
            }
        }
    }
    transaction.commit().await?;
    lines.count(added);
    match last {
        Some(recorded) => Ok(Some(app.settle::<Entry>(recorded).await?)),
        None => Ok(None),
    }
}

/// Reads the lines.
///
/// # Errors
/// 422 where there are too many.
fn read(text: &str, kind: Option<Kind>) -> Result<Lines, Error> {
    let mut lines = Lines::default();
    for (at, line) in text.lines().enumerate() {
        lines.summary.lines = at + 1;
        let said = line.split('#').next().unwrap_or_default().trim();
        if said.is_empty() {
            continue;
        }
        match target(said, kind) {
            Ok(target) => {
                if lines.targets.insert(target.id(), target).is_some() {
                    lines.summary.duplicates += 1;
                }
            }
            Err(reason) => {
                lines.summary.rejected += 1;
                lines.summary.rejected_lines.push(RejectedEntry {
                    line: at + 1,
                    text: line.chars().take(TOLD).collect(),
                    reason,
                });
            }
        }
        if lines.targets.len() + lines.summary.rejected > MOST {
            let message = format!("must have at most {MOST} entries");
            return Err(Error::unprocessable("body", message));
        }
    }
    Ok(lines)
}

/// Reads one line, in words where it names nobody.
fn target(said: &str, kind: Option<Kind>) -> Result<Target, String> {
    let (kind, value) = match said.split_once(char::is_whitespace) {
        Some((word, value)) => {
            let kind = word.parse().map_err(|error| format!("{word} {error}"))?;
            (kind, value)
        }
        None => (kind.unwrap_or_else(|| guessed(said)), said),
    };
    Target::parse(kind, value).map_err(|refused| match refused {
        Refusal::Invalid { message, .. } => message,
        other => other.to_string(),
    })
}

/// Guesses what a line names.
fn guessed(said: &str) -> Kind {
    let address = said.split('/').next().unwrap_or_default();
    if address.parse::<std::net::IpAddr>().is_ok() {
        Kind::Cidr
    } else if said.starts_with("*.") || said.starts_with('.') {
        Kind::Suffix
    } else {
        Kind::Domain
    }
}
