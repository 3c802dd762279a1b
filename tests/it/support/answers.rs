//! Holds every answer that a test's client sees against the OpenAPI document: its status is one that the operation
//! has, and its body is of the schema of that status, with no field that the schema does not name.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use jsonschema::{Draft, Validator};
use reqwest::{Method, Url, header::HeaderMap};
use serde_json::{Value, json};

use domainflow::http::{self, router::BASE, v1};

/// The document, with every object closed to fields that it does not name.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = serde_json::to_value(http::openapi()).expect("the document is JSON");
    close(&mut document);
    document
});

/// Compiled schemas by where they stand in the document.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Panics where an answer is not as the document says. Outside the interface's operations only errors have a shape.
#[track_caller]
pub fn check(method: &Method, url: &Url, status: u16, content_type: &str, text: &str) {
    let Some((path, operation)) = operation(method, url.path()) else {
        if status >= 400 {
            let here = format!("{method} {} {status}", url.path());
            let typed = url.path().starts_with(&format!("{}/", v1::BASE));
            let envelope = if typed { "FieldError" } else { "ErrorEnvelope" };
            fits(&format!("/components/schemas/{envelope}"), &here, text);
        }
        return;
    };
    let here = format!("{method} {path} {status}");
    let pointer = format!("{operation}/responses/{status}");
    let response = DOCUMENT.pointer(&pointer);
    let response = response.unwrap_or_else(|| panic!("{here} is not in the document: {text}"));
    let Some(content) = response["content"].as_object() else {
        assert!(text.is_empty(), "{here} has a body: {text}");
        return;
    };
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    assert!(
        content.contains_key(media_type),
        "{here} is of the type {media_type:?}: {text}"
    );
    if media_type == "application/json" {
        let schema = format!("{pointer}/content/{}/schema", escaped(media_type));
        fits(&schema, &here, text);
    }
}

/// Headers of answers that the document declares, in the middleware's spelling and in its own.
const DECLARED: [(&str, &str); 7] = [
    ("etag", "ETag"),
    ("x-event-cursor", "X-Event-Cursor"),
    ("x-projection-lag", "X-Projection-Lag"),
    ("x-total-count", "X-Total-Count"),
    ("x-request-id", "X-Request-Id"),
    ("retry-after", "Retry-After"),
    ("www-authenticate", "WWW-Authenticate"),
];

/// Panics where an answer has a header that the document does not declare, or shows no version where one is declared.
#[track_caller]
pub fn check_headers(method: &Method, url: &Url, status: u16, headers: &HeaderMap) {
    let Some((path, operation)) = operation(method, url.path()) else {
        return;
    };
    let declared = DOCUMENT.pointer(&format!("{operation}/responses/{status}/headers"));
    let declared = declared.cloned().unwrap_or_default();
    for (name, spelled) in DECLARED {
        let (there, said) = (headers.contains_key(name), declared.get(spelled).is_some());
        assert!(said || !there, "{method} {path} {status} has {spelled}");
        let always = name == "etag" || name == "x-total-count";
        assert!(
            !said || there || !always,
            "{method} {path} {status} has no {spelled}"
        );
    }
}

/// Panics where a body does not fit a schema of the document.
#[track_caller]
fn fits(schema: &str, here: &str, text: &str) {
    let body: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("{here}: {text}"));
    let faults: Vec<String> = validator(schema)
        .iter_errors(&body)
        .map(|fault| format!("{here} {}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{}\n{body}", faults.join("\n"));
}

/// Finds the operation that a request meets: its path in the document, and where it stands there.
fn operation(method: &Method, path: &str) -> Option<(String, String)> {
    let method = method.as_str().to_lowercase();
    let matches = |template: &str| {
        let (wanted, given) = (template.split('/'), path.split('/'));
        wanted.clone().count() == given.clone().count()
            && wanted
                .zip(given)
                .all(|(wanted, given)| wanted == given || wanted.starts_with('{'))
    };
    let paths = DOCUMENT["paths"].as_object()?;
    // What a template says in words comes before what it leaves open, as in the router.
    let template = paths
        .iter()
        .filter(|(template, item)| matches(template) && item.get(&method).is_some())
        .min_by_key(|(template, _)| template.matches('{').count())?
        .0;
    let pointer = format!("/paths/{}/{method}", escaped(template));
    Some((template.trim_start_matches(BASE).to_owned(), pointer))
}

fn validator(pointer: &str) -> Arc<Validator> {
    let mut validators = VALIDATORS
        .lock()
        .unwrap_or_else(|broken| broken.into_inner());
    let compile = || {
        let mut schema = json!({"allOf": [DOCUMENT.pointer(pointer).expect("a schema")]});
        schema["components"] = DOCUMENT["components"].clone();
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(&schema)
            .unwrap_or_else(|error| panic!("{pointer}: {error}"));
        Arc::new(validator)
    };
    validators
        .entry(pointer.to_owned())
        .or_insert_with(compile)
        .clone()
}

/// Closes every object that names its fields.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let named = fields.get("properties").is_some_and(Value::is_object);
            if named && fields.get("type").is_some_and(|of| of == "object") {
                fields
                    .entry("additionalProperties")
                    .or_insert(Value::Bool(false));
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Writes a key as part of a JSON pointer (RFC 6901).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
