//! How the document describes a persona's configuration; what is read and kept is the configuration of `aggregates`.
#![expect(
    dead_code,
    reason = "these shapes stand in the document only: the configuration passes through in its own type"
)]

use std::collections::BTreeMap;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{OneOfBuilder, Ref, RefOr, Schema},
};

/// The configuration of a persona, of its type.
pub(super) enum PersonaConfigDetails {}

impl PartialSchema for PersonaConfigDetails {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .item(Ref::from_schema_name(PersonaConfigHttp::name()))
            .item(Ref::from_schema_name(PersonaConfigDns::name()))
            .into()
    }
}

impl ToSchema for PersonaConfigDetails {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((
            PersonaConfigHttp::name().into_owned(),
            PersonaConfigHttp::schema(),
        ));
        PersonaConfigHttp::schemas(schemas);
        schemas.push((
            PersonaConfigDns::name().into_owned(),
            PersonaConfigDns::schema(),
        ));
        PersonaConfigDns::schemas(schemas);
    }
}

/// How an HTTP persona fetches.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct PersonaConfigHttp {
    persona_type: OnlyHttp,
    /// What the client calls itself.
    user_agent: String,
    /// Further request headers. They are kept in the log: no credentials.
    headers: Option<BTreeMap<String, String>>,
    /// Names of headers in the order in which they are sent: `host`, `user-agent`, `accept`, `accept-encoding`, `cookie` and those
    /// of `headers`, each once. What is not named comes after.
    header_order: Option<Vec<String>>,
    /// What is offered in the TLS handshake.
    tls_client_hello: Option<TlsClientHello>,
    #[schema(rename = "http2Settings")]
    http2_settings: Option<Http2Settings>,
    cookie_handling: Option<CookieHandling>,
    /// How long a fetch may take as a whole, at most 300; 0 stands for the default of 20 s.
    #[schema(minimum = 0)]
    request_timeout_seconds: Option<i64>,
    /// Whether redirects are followed; they are where this is not said.
    follow_redirects: Option<bool>,
    /// The final status codes that count as ok, from 200 on; those to 299 where none is named.
    allowed_status_codes: Option<Vec<StatusCode>>,
    /// Domains a second, paced; 0 leaves only the standing limits.
    #[schema(minimum = 0)]
    rate_limit_dps: Option<f64>,
    /// How many may go at once after a pause; 0 is the same as 1.
    #[schema(minimum = 0)]
    rate_limit_burst: Option<i64>,
    robots: Option<Robots>,
    /// Whatever the owner wants to remember.
    notes: Option<String>,
}

/// What is done about robots.txt (RFC 9309), which is followed where this is not said: a page that it disallows to the
/// product that `userAgent` begins with is not fetched, and its domain's outcome is an error, with the reason `ERROR` and the
/// detail `robots_disallowed`. So it is where the file is answered with a failure of the server (5xx).
#[derive(ToSchema)]
pub(super) struct Robots {
    /// Pages are fetched whatever robots.txt says, and it is not asked for; needs a `reason`.
    ignore: Option<bool>,
    /// Why that is right, at most 500 characters; kept in the log.
    reason: Option<String>,
}

/// A status code of HTTP.
#[derive(ToSchema)]
#[schema(minimum = 100, maximum = 599)]
pub(super) struct StatusCode(i64);

#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub(super) enum OnlyHttp {
    Http,
}

#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub(super) enum OnlyDns {
    Dns,
}

/// What is offered in the TLS handshake.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct TlsClientHello {
    /// The lowest version; TLS 1.2 where this is not said, and not below it.
    min_version: Option<TlsVersion>,
    /// The highest version; TLS 1.3 where this is not said.
    max_version: Option<TlsVersion>,
    /// Refused unless empty: the client chooses its cipher suites.
    cipher_suites: Option<Vec<String>>,
    /// Refused unless empty: the client chooses its curves.
    curve_preferences: Option<Vec<String>>,
}

/// A version of TLS.
#[derive(ToSchema)]
#[schema(rename_all = "UPPERCASE")]
pub(super) enum TlsVersion {
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

/// Whether HTTP/2 is spoken; it is where this is not said.
#[derive(ToSchema)]
pub(super) struct Http2Settings {
    enabled: Option<bool>,
}

/// What is done with cookies; ignored where this is not said.
#[derive(ToSchema)]
pub(super) struct CookieHandling {
    mode: Option<CookieMode>,
    /// Name and value of each cookie that `custom` sends. They are kept in the log: no credentials.
    cookies: Option<BTreeMap<String, String>>,
}

/// What is done with cookies.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub(super) enum CookieMode {
    Preserve,
    Ignore,
    Custom,
}

/// How a DNS persona asks.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct PersonaConfigDns {
    persona_type: OnlyDns,
    /// Who is asked: `ip`, `ip:port`, `[v6]:port`, `tls://host[:port]`, `https://host[:port][/path]` or `system`; may be
    /// empty when the system's resolvers are used.
    resolvers: Vec<String>,
    /// Whether the machine's own resolvers are asked as well.
    use_system_resolvers: Option<bool>,
    /// How long one answer is waited for; 0 stands for the default of 2 s.
    #[schema(minimum = 0)]
    query_timeout_seconds: i64,
    /// The most domains of one work order.
    #[schema(minimum = 1)]
    max_domains_per_request: i64,
    resolver_strategy: Option<ResolverStrategy>,
    /// Chances under `weighted`; 1 for those not named, 0 keeps a resolver in reserve.
    resolvers_weighted: Option<BTreeMap<String, i64>>,
    /// The order under `priority`; those not named follow as they are listed.
    resolvers_preferred_order: Option<Vec<String>>,
    /// The most queries about one domain at the same time.
    #[schema(minimum = 1)]
    concurrent_queries_per_domain: i64,
    /// The shortest pause before a domain's first query.
    #[schema(minimum = 0)]
    query_delay_min_ms: Option<i64>,
    /// The longest pause before a domain's first query.
    #[schema(minimum = 0)]
    query_delay_max_ms: Option<i64>,
    /// The most queries in flight at once.
    #[schema(minimum = 1)]
    max_concurrent_goroutines: Option<i64>,
    /// Domains begun a second, paced, however many queries each takes; 0 leaves only the standing limits.
    #[schema(minimum = 0)]
    rate_limit_dps: Option<f64>,
    /// How many domains may be begun at once after a pause; 0 is the same as 1.
    #[schema(minimum = 0)]
    rate_limit_burst: Option<i64>,
    /// Packets for one question before it is given up.
    #[schema(minimum = 1, maximum = 20)]
    attempts: Option<i64>,
    /// Whether a truncated answer is asked again over TCP; it is where this is not said.
    tcp_on_truncation: Option<bool>,
    /// Whether zones that answer for any name are looked for.
    check_wildcards: Option<bool>,
    /// Queries a second to each resolver, paced; 100 where this is not said.
    resolver_rate_limit: Option<f64>,
    /// Queries a second about the names below any one registrable domain, or about the registrable domains of any one
    /// public suffix, paced; 100 and 1,000 where this is not said.
    zone_rate_limit: Option<f64>,
}

/// Which resolver is asked next.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum ResolverStrategy {
    RoundRobin,
    Random,
    Weighted,
    Priority,
}
