//! What an operation may be refused with, as far as that follows from its shape: the middleware and the extractors
//! refuse alike everywhere, so that no handler has to say it.

use utoipa::openapi::{
    ContentBuilder, OneOfBuilder, Ref, RefOr, ResponseBuilder, Schema,
    path::{Operation, Parameter, ParameterIn},
};

use crate::http::v1;

/// Adds the refusals that a public operation may meet.
pub(super) fn of_public(operation: &mut Operation, base: &str, path: &str) {
    refuses(operation, 400, "the request does not read");
    refuses(operation, 413, "the body is too large");
    if operation.request_body.is_some() {
        refuses(operation, 408, "the body does not go on");
        refuses(operation, 415, "the body is of another type");
    }
    refuses(operation, 429, "too many requests");
    refuses(operation, 500, "our fault");
    refuses(
        operation,
        503,
        "not now: it takes too long, or cannot be done",
    );
    describe(operation, base, path);
}

/// Adds the refusals that an operation behind the log-in may meet.
pub(super) fn of_private(operation: &mut Operation, method: &str, base: &str, path: &str) {
    refuses(operation, 401, "nobody is logged in");
    if takes(operation, &ParameterIn::Path) {
        refuses(
            operation,
            404,
            "there is no such thing, or it is somebody else's",
        );
    }
    if method != "get" {
        refuses(
            operation,
            403,
            "the sender may give no such command, or the session's cookie came from another site",
        );
        refuses(
            operation,
            409,
            "the state is another than the command needs",
        );
        refuses(
            operation,
            422,
            "the rules refuse a value, or the idempotency key",
        );
    }
    if has(operation, "If-Match") {
        refuses(
            operation,
            412,
            "`If-Match` names another version than the resource's",
        );
    }
    of_public(operation, base, path);
}

fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    operation
        .parameters
        .iter()
        .flatten()
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter),
            RefOr::Ref(_) => None,
        })
}

fn takes(operation: &Operation, place: &ParameterIn) -> bool {
    parameters(operation).any(|parameter| parameter.parameter_in == *place)
}

fn has(operation: &Operation, name: &str) -> bool {
    parameters(operation).any(|parameter| parameter.name == name)
}

/// Adds an error to what an operation may answer, unless it says so itself.
fn refuses(operation: &mut Operation, status: u16, description: &str) {
    operation
        .responses
        .responses
        .entry(status.to_string())
        .or_insert_with(|| RefOr::T(ResponseBuilder::new().description(description).build()));
}

/// Says in which envelope the errors are.
fn describe(operation: &mut Operation, base: &str, path: &str) {
    let errors = operation.responses.responses.iter_mut();
    for (status, response) in errors.filter(|(status, _)| !status.starts_with('2')) {
        if let RefOr::T(response) = response
            && response.content.is_empty()
        {
            let body = ContentBuilder::new()
                .schema(Some(envelope(base, path, status)))
                .build();
            response
                .content
                .insert("application/json".to_owned(), RefOr::T(body));
        }
    }
}

/// Commands on a campaign's phases are refused by rules that have an envelope of their own.
fn envelope(base: &str, path: &str, status: &str) -> RefOr<Schema> {
    if base == v1::BASE {
        return Ref::from_schema_name("FieldError").into();
    }
    let error = Ref::from_schema_name("ErrorEnvelope");
    if status == "409" && path.starts_with("/campaigns/{campaignId}") {
        let control = Ref::from_schema_name("ControlEnvelope");
        RefOr::T(OneOfBuilder::new().item(error).item(control).into())
    } else {
        error.into()
    }
}
