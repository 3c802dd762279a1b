//! The document of the interface, and the page that shows it: written when the server starts, and handed out to whoever asks
//! without a copy for him. A megabyte for each of those who ask and do not read would fill the memory.

use std::{borrow::Cow, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, serve};

use super::{error::Error, router::BASE};

/// What is handed out.
#[derive(Clone)]
struct Documentation {
    document: Bytes,
    config: Arc<Config<'static>>,
}

/// Makes the routes of the document and the page.
pub(super) fn routes(document: &OpenApi) -> Router {
    #[expect(
        clippy::expect_used,
        reason = "what was put together by the program is JSON"
    )]
    let document = serde_json::to_vec(document).expect("a document");
    let documentation = Documentation {
        document: document.into(),
        config: Arc::new(Config::new([format!("{BASE}/openapi.json")])),
    };
    Router::new()
        .route(&format!("{BASE}/openapi.json"), get(give_document))
        .route(&format!("{BASE}/docs"), get(lead_on))
        .route(&format!("{BASE}/docs/"), get(give_page))
        .route(&format!("{BASE}/docs/{{*part}}"), get(give_part))
        .with_state(documentation)
}

/// The page cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the documentation: {0}")]
struct Unwritten(String);

async fn give_document(State(documentation): State<Documentation>) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], documentation.document).into_response()
}

async fn lead_on() -> Redirect {
    Redirect::to(&format!("{BASE}/docs/"))
}

async fn give_page(State(documentation): State<Documentation>) -> Result<Response, Error> {
    documentation.part("")
}

async fn give_part(
    State(documentation): State<Documentation>,
    Path(part): Path<String>,
) -> Result<Response, Error> {
    documentation.part(&part)
}

impl Documentation {
    fn part(&self, name: &str) -> Result<Response, Error> {
        let found = serve(name, self.config.clone());
        let found = found.map_err(|error| Error::internal(Unwritten(error.to_string())))?;
        let file = found.ok_or(Error::no_such("resource", "path"))?;
        let bytes = match file.bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            // The one that says where the document is; half a kilobyte.
            Cow::Owned(bytes) => bytes.into(),
        };
        let kind = HeaderValue::try_from(file.content_type).map_err(Error::internal)?;
        let mut response = ([(header::CONTENT_TYPE, kind)], bytes).into_response();
        if file.gzpipped {
            let gzip = HeaderValue::from_static("gzip");
            response
                .headers_mut()
                .insert(header::CONTENT_ENCODING, gzip);
        }
        Ok(response)
    }
}
