//! The OpenAPI document: the operations as their handlers describe them, and what all of them have in common.

use utoipa::{
    PartialSchema as _, ToSchema as _,
    openapi::{
        Components, ContentBuilder, Info, OpenApi, OpenApiBuilder, Paths, Ref, RefOr,
        ResponseBuilder,
        path::{Operation, PathItem},
        security::{
            ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
        },
    },
};

use super::{
    authenticate::COOKIE,
    error::{Detail, ErrorBody, ErrorEnvelope},
};

const DESCRIPTION: &str = "Campaigns over web domains: generate names, check them over DNS, fetch the live ones over \
    HTTP and match keywords, score them, and decide which are leads. Everything that happens is an event in one log.";

/// Puts the document together and says of every private operation that it needs a user.
pub(super) fn compose(base: &str, mut public: OpenApi, mut private: OpenApi) -> OpenApi {
    name_operations(&mut public);
    name_operations(&mut private);
    for item in private.paths.paths.values_mut() {
        for operation in operations(item)
            .into_iter()
            .filter_map(|(_, operation)| operation.as_mut())
        {
            operation.security = Some(vec![
                SecurityRequirement::new::<_, [&str; 0], &str>("session", []),
                SecurityRequirement::new::<_, [&str; 0], &str>("bearer", []),
            ]);
            refuses(operation, "401", "nobody is logged in");
        }
    }
    let document = OpenApiBuilder::new()
        .info(
            Info::builder()
                .title("DomainFlow")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(DESCRIPTION))
                .build(),
        )
        .paths(Paths::new())
        .components(Some(components()))
        .build();
    document.nest(base, public).nest(base, private)
}

/// Gives every operation a name of its own, made of method and path: `getPersonasById`.
fn name_operations(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let words: String = path.split(['/', '-']).map(word).collect();
        for (method, operation) in operations(item) {
            if let Some(operation) = operation {
                operation.operation_id = Some(format!("{method}{words}"));
            }
        }
    }
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

/// Adds an error to what an operation may answer, unless it says so itself.
fn refuses(operation: &mut Operation, status: &str, description: &str) {
    let envelope = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ErrorEnvelope")))
        .build();
    let response = ResponseBuilder::new()
        .description(description)
        .content("application/json", envelope)
        .build();
    operation
        .responses
        .responses
        .entry(status.to_owned())
        .or_insert(RefOr::T(response));
}

fn components() -> Components {
    let mut components = Components::new();
    for (name, schema) in [
        (ErrorEnvelope::name(), ErrorEnvelope::schema()),
        (ErrorBody::name(), ErrorBody::schema()),
        (Detail::name(), Detail::schema()),
    ] {
        components.schemas.insert(name.into_owned(), schema);
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("the token of the log-in's answer"))
        .build();
    components.add_security_scheme(
        "session",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE))),
    );
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components
}
