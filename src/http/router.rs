//! The router: which routes are public, and the middleware in the order that it needs.
//!
//! From the outside in: `security`, whose headers are on every answer; the answers to browsers that ask for other sites,
//! which are none of the interface's; `request_id`, because everything that goes wrong further in is written with the
//! request's id; `peer`, which tells from where it comes; the panic catch inside it, so that a panic is answered like any fault of ours; `carry_through`, so
//! that a client that goes away drops nothing further in half way, though the end of the process does, and around it
//! `patience`, which gives up waiting and not what was begun; the body limit
//! of the extractors, which `idempotency` does not read through and replaces by bounds of its own. On every route then `measure`, which counts what became of the
//! request; on private ones `authenticate`, so that nothing is done for strangers; `limits`, so that nobody asks for too much; `csrf`, which needs to know how a command was sent;
//! `access`, which needs to know by whom; `undeclared`, so that a command with something that nobody heeds uses up no key; `idempotency`, which needs to know
//! by whom it was sent; the wait of `read_after`, right before the query that it is for; and last `quotas`, which only a command meets that is not a repeat.

use std::{any::Any, sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use projections::then::Archive;
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::{
    access::refuse_commands,
    audit, auth,
    authenticate::authenticate,
    body::MAX_JSON,
    campaigns,
    carry_through::carry_through,
    config,
    csrf::refuse_foreign_commands,
    discovery, document, documentation,
    error::Error,
    extract, health,
    idempotency::once,
    keyword_sets,
    limits::{Allowances, limit_callers, limit_probes, limit_strangers},
    measure::measured,
    monitoring,
    patience::with_patience,
    peer::with_client_address,
    personas, politeness, proxies, proxy_pools,
    quotas::within_quota,
    read_after::wait_for_cursor,
    request_id::with_request_id,
    scoring_profiles,
    security::with_security_headers,
    settings::Settings,
    suppression,
    undeclared::{Declared, refuse_undeclared},
    users, v1,
};
use crate::{
    app::App,
    auth::Auth,
    checkpoints::Prover,
    monitoring::Monitor,
    sse::{self, Streams},
};

/// Where all paths of the interface begin.
pub const BASE: &str = "/api/v2";

/// What handlers share. Cheap to clone.
#[derive(Clone)]
pub struct State {
    /// The application.
    pub app: App,
    /// Log-in and sessions.
    pub auth: Auth,
    /// Streams to clients.
    pub streams: Streams,
    /// What proves events of the log.
    pub prover: Prover,
    /// What shows campaigns as they were.
    pub archive: Archive,
    /// When the server began.
    pub started: Instant,
    /// What watches this process.
    pub monitor: Monitor,
    /// What the operator decides about how the interface is reached.
    pub settings: Arc<Settings>,
    pub(super) allowances: Arc<Allowances>,
}

impl State {
    /// Puts together what handlers share; the server begins now.
    #[must_use]
    pub fn new(app: App, auth: Auth, streams: Streams, settings: Settings) -> Self {
        Self {
            allowances: Arc::new(Allowances::new(settings.limits, app.installation.clone())),
            settings: Arc::new(settings),
            archive: Archive::new(app.database.clone()),
            prover: Prover::without_checkpoints(app.database.clone()),
            monitor: Monitor::new(app.database.clone()),
            app,
            auth,
            streams,
            started: Instant::now(),
        }
    }

    /// Proves events by the checkpoints of this process.
    #[must_use]
    pub fn with_prover(self, prover: Prover) -> Self {
        Self { prover, ..self }
    }
}

/// The routes that need no user.
fn public() -> OpenApiRouter<State> {
    health::routes().merge(auth::public())
}

/// The routes that need one.
fn private() -> OpenApiRouter<State> {
    auth::private()
        .merge(personas::routes())
        .merge(proxies::routes())
        .merge(proxy_pools::routes())
        .merge(keyword_sets::routes())
        .merge(scoring_profiles::routes())
        .merge(suppression::routes())
        .merge(politeness::routes())
        .merge(config::routes())
        .merge(audit::routes())
        .merge(monitoring::routes())
        .merge(users::routes())
        .merge(campaigns::routes())
        .merge(discovery::routes())
        .merge(extract::routes())
        .merge(sse::routes())
}

/// Describes the interface.
#[must_use]
pub fn openapi() -> OpenApi {
    document::compose([
        (
            BASE,
            Some(public().into_openapi()),
            private().into_openapi(),
        ),
        (v1::BASE, None, v1::routes().into_openapi()),
    ])
}

/// Builds what a server serves.
pub fn router(state: State) -> Router {
    // The last layer added is the first that a request meets.
    let document = openapi();
    let declared = Declared::of(&document);
    let behind_log_in = |routes: OpenApiRouter<State>| {
        Router::from(routes)
            .route_layer(from_fn_with_state(state.clone(), within_quota))
            .route_layer(from_fn_with_state(state.clone(), wait_for_cursor))
            .route_layer(from_fn_with_state(state.clone(), once))
            .route_layer(from_fn_with_state(declared.clone(), refuse_undeclared))
            .route_layer(from_fn(refuse_commands))
            .route_layer(from_fn_with_state(
                state.settings.origins.clone(),
                refuse_foreign_commands,
            ))
            .route_layer(from_fn_with_state(state.clone(), limit_callers))
            .route_layer(from_fn_with_state(state.clone(), authenticate))
            .route_layer(from_fn_with_state(state.clone(), measured))
    };
    let strangers = || from_fn_with_state(state.clone(), limit_strangers);
    let open = |routes: OpenApiRouter<State>| {
        Router::from(routes).route_layer(from_fn_with_state(declared.clone(), refuse_undeclared))
    };
    let measure = || from_fn_with_state(state.clone(), measured);
    let probed = open(health::routes())
        .route_layer(from_fn_with_state(state.clone(), limit_probes))
        .route_layer(measure());
    let entered = open(auth::public())
        .route_layer(strangers())
        .route_layer(measure());
    let interface = probed.merge(entered).merge(behind_log_in(private()));
    let typed = behind_log_in(v1::routes());
    let origins = state.settings.origins.layer();
    let over_tls = state.auth.secure_cookie();
    let with_patience = from_fn_with_state(state.settings.bounds, with_patience);
    let with_address = from_fn_with_state(state.clone(), with_client_address);
    let shown = Router::new()
        .route("/", get(to_documentation))
        .merge(documentation::routes(&document))
        .route_layer(strangers());
    // Whatever nobody needs to be known for counts.
    let (nowhere, nohow) = (state.clone(), state.clone());
    Router::new()
        .nest(BASE, interface)
        .nest(v1::BASE, typed)
        .with_state(state)
        .merge(shown)
        .fallback(async move |request: Request| {
            let counted = nowhere.allowances.stranger(request.extensions());
            counted.err().unwrap_or(Error::no_such("resource", "path"))
        })
        .method_not_allowed_fallback(async move |request: Request| {
            let counted = nohow.allowances.stranger(request.extensions());
            counted.err().unwrap_or(Error::MethodNotAllowed)
        })
        .layer(DefaultBodyLimit::max(MAX_JSON))
        .layer(from_fn(carry_through))
        .layer(with_patience)
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(with_address)
        .layer(from_fn(with_request_id))
        .layer(option_layer(origins))
        .layer(from_fn_with_state(over_tls, with_security_headers))
}

/// Leads whoever opens the server's address in a browser to the page that describes it.
async fn to_documentation() -> Redirect {
    Redirect::temporary(&format!("{BASE}/docs"))
}

fn after_panic(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned());
    Error::internal(Panic(message)).into_response()
}

/// A handler panicked.
#[derive(Debug, thiserror::Error)]
#[error("panic: {0}")]
struct Panic(String);

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::StatusCode, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_in_the_envelope_without_its_message() {
        let router: Router = Router::new()
            .route("/", get(async || -> &'static str { panic!("a secret") }))
            .layer(CatchPanicLayer::custom(after_panic))
            .layer(from_fn(with_request_id));
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), 10_000)
            .await
            .unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(
            text.contains("INTERNAL_SERVER_ERROR") && !text.contains("secret"),
            "{text}"
        );
    }
}
