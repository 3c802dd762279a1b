//! The OpenAPI document: the operations as their handlers describe them, and what all of them have in common.

mod absent;
mod answers;
mod by_hand;
mod headers;
mod refusals;

use utoipa::{
    PartialSchema as _, ToSchema as _,
    openapi::{
        Components, Info, ObjectBuilder, OpenApi, OpenApiBuilder, Paths, RefOr, Required, Type,
        path::{Operation, ParameterBuilder, ParameterIn, PathItem},
        security::{
            ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
        },
    },
};

use super::{
    authenticate::COOKIE,
    error::{ControlConflict, ControlEnvelope, Detail, ErrorBody, ErrorEnvelope, FieldError},
    idempotency::MAX_KEY,
    vocabulary::ControlCode,
};

/// What stands before the [campaign by hand](by_hand).
const DESCRIPTION: &str = "Campaigns over web domains: generate names, check them over DNS, fetch the live ones over \
    HTTP and match keywords, score them, and decide which are leads. Everything that happens is an event in one log.";

const AFTER: &str = "the event cursor that the answer is to know of";
const KEY: &str = "names this command; a repeat under the same key answers what the first was answered, for 30 days";

/// Returns what the page says before all operations.
fn description() -> String {
    let by_hand = by_hand::campaign_by_hand();
    format!("{DESCRIPTION}\n\n## A campaign by hand\n\n{by_hand}")
}

/// Puts the document together of interfaces, each below its base with what needs no user and what does.
pub(super) fn compose<const N: usize>(
    interfaces: [(&str, Option<OpenApi>, OpenApi); N],
) -> OpenApi {
    let mut document = OpenApiBuilder::new()
        .info(
            Info::builder()
                .title("DomainFlow")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(description()))
                .build(),
        )
        .paths(Paths::new())
        .components(Some(components()))
        .build();
    for (base, public, private) in interfaces {
        if let Some(mut public) = public {
            each(&mut public, |method, path, operation| {
                refusals::of_public(operation, base, path);
                headers::declare(method, path, operation);
                answers::describe(method, operation);
            });
            document = document.nest(base, public);
        }
        document = document.nest(base, needing_a_user(base, private));
    }
    if let Some(components) = &mut document.components {
        absent::without_nulls(components);
    }
    document
}

/// Says of every operation that it needs a user, and which headers it takes.
fn needing_a_user(base: &str, mut private: OpenApi) -> OpenApi {
    each(&mut private, |method, path, operation| {
        operation.security = Some(vec![
            SecurityRequirement::new::<_, [&str; 0], &str>("session", []),
            SecurityRequirement::new::<_, [&str; 0], &str>("bearer", []),
        ]);
        if method == "get" {
            takes_header(operation, "X-Read-After", AFTER, text());
        } else {
            let key = text().min_length(Some(1)).max_length(Some(MAX_KEY));
            takes_header(operation, "X-Idempotency-Key", KEY, key);
        }
        refusals::of_private(operation, method, base, path);
        headers::declare(method, path, operation);
        answers::describe(method, operation);
    });
    private
}

/// Names every operation and does to it what all of its kind need.
fn each(document: &mut OpenApi, mut shape: impl FnMut(&str, &str, &mut Operation)) {
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            if let Some(operation) = operation {
                operation.operation_id = Some(name(method, path));
                absent::parameters_without_nulls(operation);
                shape(method, path, operation);
            }
        }
    }
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// Adds a header that the middleware reads.
fn takes_header(operation: &mut Operation, name: &str, description: &str, schema: ObjectBuilder) {
    let header = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .build();
    operation
        .parameters
        .get_or_insert_default()
        .push(RefOr::T(header));
}

/// Gives an operation a name of its own, made of method and path: `getPersonasById`.
fn name(method: &str, path: &str) -> String {
    let words: String = path.split(['/', '-']).map(word).collect();
    format!("{method}{words}")
}

/// Writes a part of a path with a capital, a parameter as `ByName`.
fn word(part: &str) -> String {
    let (by, part) = match part.strip_prefix('{') {
        Some(parameter) => ("By", parameter.trim_end_matches('}')),
        None => ("", part),
    };
    let mut letters = part.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    by.chars().chain(first).chain(letters).collect()
}

/// Lists the operations of a path by method.
fn operations(item: &mut PathItem) -> [(&'static str, &mut Option<Operation>); 5] {
    [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("delete", &mut item.delete),
        ("patch", &mut item.patch),
    ]
}

fn components() -> Components {
    let mut components = Components::new();
    for (name, schema) in [
        (ErrorEnvelope::name(), ErrorEnvelope::schema()),
        (ErrorBody::name(), ErrorBody::schema()),
        (Detail::name(), Detail::schema()),
        (ControlEnvelope::name(), ControlEnvelope::schema()),
        (ControlConflict::name(), ControlConflict::schema()),
        (ControlCode::name(), ControlCode::schema()),
        (FieldError::name(), FieldError::schema()),
    ] {
        components.schemas.insert(name.into_owned(), schema);
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("the token of the log-in's answer, or an API key"))
        .build();
    components.add_security_scheme(
        "session",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE))),
    );
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components
}
