//! Testing a persona: it is really worked with, and what happened is told step by step.

use std::sync::{Arc, Mutex, PoisonError};

use aggregates::{
    ids::PersonaId,
    names::DomainName,
    persona::{Config, Persona},
};
use axum::extract;
use chrono::Utc;
use serde::Deserialize;
use utoipa::ToSchema;

use super::test_view::{PersonaTestResponse, Results, Steps};
use crate::http::{
    Answer, Caller, Error, ErrorEnvelope, OptionalJson, Path, State,
    owned::{Mine, Owned as _},
    steps::Step,
    trial::trial,
};
use crate::work::{
    Network,
    trials::{Seen, Target, Tell, few_enough},
};

/// What personas are tried on where neither the user nor the operator says it: a domain that is reserved for such uses
/// (RFC 2606).
const STANDING: &str = "example.com";

/// What a persona is to be tried on.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PersonaTestRequest {
    /// A domain, whose start page an HTTP persona fetches, or the address of a page, whose host a DNS persona looks up. The
    /// operator's where this is not said: `example.com`, or what `DOMAINFLOW_PERSONA_TEST_TARGET` names.
    target: Option<String>,
}

/// Tests a persona, switched on or not: works with it as a run would, and answers what happened step by step.
///
/// A DNS persona asks each of its resolvers by itself, and then all of them as a run does. An HTTP persona looks the host
/// up as the operator's defaults say, asks for robots.txt where it follows it, and fetches the page. The guard of
/// addresses and every bound of runs hold. Nothing is recorded. What fails is told with `success` false; the whole takes
/// 60 s at most. A DNS persona of more than 64 resolvers is refused; resolvers whose turn does not come in the first 45 s
/// are not asked by themselves, and told as `skipped`.
#[utoipa::path(post, path = "/personas/{id}/test", tag = "personas", params(("id" = uuid::Uuid, Path)),
    request_body(content = Option<PersonaTestRequest>, description = "may be left out"),
    responses((status = 200, body = PersonaTestResponse), (status = 400, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope), (status = 413, body = ErrorEnvelope),
        (status = 415, body = ErrorEnvelope), (status = 422, body = ErrorEnvelope), (status = 429, body = ErrorEnvelope)))]
pub(super) async fn test(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Path(id): Path<PersonaId>,
    OptionalJson(request): OptionalJson<PersonaTestRequest>,
) -> Result<Answer<PersonaTestResponse>, Error> {
    let persona = Mine::<Persona>::find(&state.app, &caller, id).await?;
    let persona = persona.get();
    let config = persona.config().ok_or(Persona::MISSING)?;
    if let Config::Dns(config) = config {
        few_enough(config).map_err(|why| Error::unprocessable("resolvers", why))?;
    }
    let defaults = &state.app.defaults;
    let target = target(request.unwrap_or_default().target, &defaults.network)?;
    let trial = trial(&state, &caller)?;
    let steps: Arc<Mutex<Vec<Step>>> = Arc::default();
    let (log, since) = (Arc::clone(&steps), std::time::Instant::now());
    let tell: Tell = Arc::new(move |seen: Seen| {
        let step = Step::of(since.elapsed(), seen);
        log.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(step);
    });
    let results = match config {
        Config::Dns(config) => {
            let name = target.name().ok_or_else(|| {
                Error::unprocessable("target", "must name a domain, which an address has not")
            })?;
            let found = trial.dns(config, &defaults.network, name, &tell).await;
            Results::of_dns(name.to_owned(), trial.elapsed(), found)
        }
        Config::Http(config) => {
            let found = trial.http(config, defaults, &target, &tell).await;
            Results::of_http(target.to_string(), trial.elapsed(), found)
        }
    };
    let steps = std::mem::take(&mut *steps.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Answer::ok(PersonaTestResponse::new(
        (id.0, config.kind(), persona.name()),
        Steps { steps },
        results,
        Utc::now(),
    )))
}

/// Reads what a persona is to be tried on.
fn target(wanted: Option<String>, network: &Network) -> Result<Target, Error> {
    if let Some(wanted) = wanted {
        let target = wanted.parse();
        return target.map_err(|why: String| Error::unprocessable("target", why));
    }
    match &network.persona_test_target {
        Some(target) => Ok(target.clone()),
        None => DomainName::parse(STANDING)
            .map(Target::Domain)
            .map_err(Error::internal),
    }
}
