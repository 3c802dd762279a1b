//! Several pages with one request.

use axum::extract;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    view::Outcome,
    wanted::{Finder, Wanted},
};
use crate::http::{Answer, Caller, Error, ErrorEnvelope, Json, State, trial::trial};

/// Pages of one request.
const MOST: usize = 100;

/// Pages that are to be searched.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchKeywordExtractionRequest {
    /// The pages, 1 to 100.
    items: Vec<Page>,
}

/// A page that is to be searched.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = KeywordExtractionItem)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Page {
    /// Its address; nothing but a host and a path, of http or https.
    #[schema(format = "uri")]
    url: String,
    /// What is looked for.
    keyword_set_id: Uuid,
    /// How it is fetched; as the operator's defaults say where this is not said.
    http_persona_id: Option<Uuid>,
    /// How its host is found; as the operator's defaults say where this is not said.
    dns_persona_id: Option<Uuid>,
}

/// What came of each page, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BatchKeywordExtractionResponse {
    results: Vec<Outcome>,
}

/// Fetches pages, 8 at a time, and looks for keywords on them as campaigns do. What cannot be fetched, or not within the
/// 60 s of the request, is told in its `error`; a persona or keyword set that the caller does not reach, or that is disabled, refuses the
/// request before anything is fetched, as does a DNS persona of more than 64 resolvers. Nothing is recorded.
///
/// The texts of all matches of an answer, contexts included, have 8 MiB at most, of which each page has the same share. What
/// does not fit is counted in `matchesLeftOut` and `contextsLeftOut`. Four requests of one user that try something may be under
/// way, and sixteen of all.
#[utoipa::path(post, path = "/extract/keywords", tag = "extract", request_body = BatchKeywordExtractionRequest,
    responses((status = 200, body = BatchKeywordExtractionResponse), (status = 400, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope), (status = 429, body = ErrorEnvelope)))]
pub(super) async fn extract(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Json(request): Json<BatchKeywordExtractionRequest>,
) -> Result<Answer<BatchKeywordExtractionResponse>, Error> {
    if !(1..=MOST).contains(&request.items.len()) {
        let message = format!("must have from 1 to {MOST} items");
        return Err(Error::unprocessable("items", message));
    }
    // Before anything is read for it.
    let trial = trial(&state, &caller)?;
    let mut finder = Finder::new(&state.app, caller.whose());
    let mut items = Vec::with_capacity(request.items.len());
    for (at, page) in request.items.into_iter().enumerate() {
        let place = format!("items[{at}].");
        items.push(finder.item(&place, page.into()).await?);
    }
    drop(finder);
    let asked: Vec<_> = items
        .iter()
        .map(|item| (item.asked.clone(), item.key))
        .collect();
    let found = trial.extract_all(items, &state.app.defaults.network).await;
    let results = asked
        .into_iter()
        .zip(found)
        .map(|((url, key), found)| Outcome::of(url, key, found));
    Ok(Answer::ok(BatchKeywordExtractionResponse {
        results: results.collect(),
    }))
}

impl From<Page> for Wanted {
    fn from(page: Page) -> Self {
        Self {
            url: page.url,
            keyword_set_id: page.keyword_set_id,
            http_persona_id: page.http_persona_id,
            dns_persona_id: page.dns_persona_id,
        }
    }
}
