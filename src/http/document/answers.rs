//! What an answer means by its status, where neither its handler nor the refusals that all share say it.

use utoipa::openapi::{RefOr, path::Operation};

/// Describes every answer of an operation that has no description.
pub(super) fn describe(method: &str, operation: &mut Operation) {
    for (status, answer) in &mut operation.responses.responses {
        if let RefOr::T(answer) = answer
            && answer.description.is_empty()
        {
            meaning(method, status).clone_into(&mut answer.description);
        }
    }
}

fn meaning(method: &str, status: &str) -> &'static str {
    match (status, method) {
        ("200", "get") => "what was asked for",
        ("200", _) => "it is done, and this is what it came to",
        ("201", _) => "it is made, and this is it",
        ("204", _) => "it is done, and there is nothing to show",
        ("400", _) => "the request does not read; `details` name the fields",
        ("401", _) => "nobody is logged in, or mail address and password do not fit",
        ("404", _) => "there is no such thing, or it is somebody else's",
        ("409", _) => "the state is another than the command needs",
        ("412", _) => "`If-Match` names another version than the resource's",
        ("413", _) => "the body, or the file in it, is too large",
        ("422", _) => "the rules refuse a value; `details` name the fields",
        ("429", _) => "not now: `Retry-After` says when",
        _ => "see the envelope",
    }
}
