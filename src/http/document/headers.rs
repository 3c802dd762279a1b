//! Which headers an answer has, as far as that follows from the operation's shape; where it does not, it is listed here.
//! What a test's client sees in any answer is held against this by `tests/it/support/answers.rs`.

use utoipa::openapi::{
    ObjectBuilder, RefOr, Response, Type,
    header::HeaderBuilder,
    path::{Operation, ParameterIn},
};

/// Commands that change nothing and streams of what is not recorded: neither has a place in the log.
const WITHOUT_CURSOR: [&str; 5] = [
    "/discovery/preview",
    "/campaigns/domain-generation/pattern-offset",
    "/extract/keywords",
    "/extract/keywords/stream",
    "/personas/{id}/test",
];

/// Commands that need no user.
const OPEN_COMMANDS: [&str; 2] = ["/auth/login", "/auth/setup"];

/// Queries that show one resource at a version.
const OF_ONE_VERSION: [&str; 23] = [
    "/campaigns/{type}/{campaignId}",
    "/campaigns/{campaignId}",
    "/campaigns/{campaignId}/configs",
    "/campaigns/{campaignId}/enriched",
    "/campaigns/{campaignId}/phase-executions",
    "/campaigns/{campaignId}/phase-executions/{phaseType}",
    "/campaigns/{campaignId}/phases/{phase}/status",
    "/campaigns/{campaignId}/progress",
    "/campaigns/{campaignId}/state",
    "/campaigns/{campaignId}/status",
    "/config/politeness",
    "/config/reconciliation",
    "/config/requests",
    "/config/stealth",
    "/keyword-sets/{setId}",
    "/keyword-sets/{setId}/rules",
    "/personas/dns/{id}",
    "/personas/http/{id}",
    "/personas/{id}",
    "/proxies/{proxyId}",
    "/proxy-pools/{poolId}",
    "/scoring-profiles/{profileId}",
    "/suppression/{id}",
];

/// Queries that show a page of what there is.
const OF_A_PAGE: [&str; 16] = [
    "/auth/api-keys",
    "/auth/sessions",
    "/campaigns/{type}",
    "/campaigns/{type}/{campaignId}/domains",
    "/campaigns/{type}/{campaignId}/leads",
    "/campaigns",
    "/campaigns/{campaignId}/domains",
    "/keyword-rules",
    "/keyword-sets",
    "/keyword-sets/{setId}/rules",
    "/personas",
    "/proxies",
    "/proxies/status",
    "/proxy-pools",
    "/scoring-profiles",
    "/suppression",
];

const REQUEST_ID: &str =
    "the request's id: the caller's where it sent a usable one, else one of ours";
const CURSOR: &str = "the log's position of the command's last event; a query with it as `X-Read-After` shows the \
    command's effect on every node";
const BEGINNING: &str = "the log's position after which the stream begins";
const LAG: &str =
    "events that the read models are behind, where the answer did not wait for them any longer";
const ETAG: &str = "the version of the resource in quotes, for `If-Match`";
const TOTAL: &str = "how many rows there are where the body is one page of them";
const RETRY_AFTER: &str = "seconds after which it is worth another try";
const CHALLENGE: &str = "`Bearer`";

/// Declares the headers of an operation's answers.
pub(super) fn declare(method: &str, path: &str, operation: &mut Operation) {
    let query = method == "get";
    let private = operation.security.is_some();
    let command =
        !query && private && !WITHOUT_CURSOR.contains(&path) || OPEN_COMMANDS.contains(&path);
    let versioned = if query {
        OF_ONE_VERSION.contains(&path)
    } else {
        method != "delete" && is_of_a_version(path, operation)
    };
    let answers_nothing = operation.responses.responses.contains_key("204");
    for (status, answer) in &mut operation.responses.responses {
        let RefOr::T(answer) = answer else { continue };
        has(answer, "X-Request-Id", Type::String, REQUEST_ID);
        let success = status.starts_with('2');
        // What a command answers that has nothing to answer is a dry run.
        let done = success && !(answers_nothing && status == "200");
        let stream = answer.content.contains_key("text/event-stream");
        let headers = [
            (done && command, "X-Event-Cursor", Type::Integer, CURSOR),
            (
                success && stream && !WITHOUT_CURSOR.contains(&path),
                "X-Event-Cursor",
                Type::Integer,
                BEGINNING,
            ),
            (
                success && (command || query && private),
                "X-Projection-Lag",
                Type::Integer,
                LAG,
            ),
            (done && versioned, "ETag", Type::String, ETAG),
            (
                success && query && OF_A_PAGE.contains(&path),
                "X-Total-Count",
                Type::Integer,
                TOTAL,
            ),
            (
                status == "429" || status == "503",
                "Retry-After",
                Type::Integer,
                RETRY_AFTER,
            ),
            (status == "401", "WWW-Authenticate", Type::String, CHALLENGE),
        ];
        for (declared, name, schema_type, description) in headers {
            if declared {
                has(answer, name, schema_type, description);
            }
        }
    }
}

/// Says whether a command answers with the version that it made: what takes `If-Match`, makes a resource, or adds to one.
fn is_of_a_version(path: &str, operation: &Operation) -> bool {
    let takes_version = operation.parameters.iter().flatten().any(|parameter| {
        matches!(parameter, RefOr::T(parameter)
            if parameter.name == "If-Match" && parameter.parameter_in == ParameterIn::Header)
    });
    // Users and their keys are of no version that anybody could name.
    let made = operation.responses.responses.contains_key("201") && !path.starts_with("/auth/");
    takes_version || made || path.ends_with("{campaignId}/upload")
}

fn has(answer: &mut Response, name: &str, schema_type: Type, description: &str) {
    let header = HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(schema_type)))
        .description(Some(description))
        .build();
    answer.headers.insert(name.to_owned(), RefOr::T(header));
}
