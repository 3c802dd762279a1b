//! How the test of a persona is answered.

use std::{collections::BTreeMap, time::Duration};

use aggregates::persona::Kind;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validation::{dns, http};

use super::PersonaType;
use crate::{
    http::steps::{Ended, Step, line, milliseconds, of_fault, of_report, of_unfinished},
    work::trials::Unfinished,
};

/// What the test of a persona came to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PersonaTestResponse {
    persona_id: String,
    persona_type: PersonaType,
    persona_name: String,
    /// Whether the name was found, or the page came.
    success: bool,
    /// The same.
    test_passed: bool,
    /// What it came to, in a sentence.
    message: String,
    /// What happened, step by step.
    test_results: Steps,
    /// What was found in the end.
    results: Results,
    timestamp: DateTime<Utc>,
}

/// What happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonaTestSteps)]
pub(super) struct Steps {
    /// In the order of time.
    pub(super) steps: Vec<Step>,
}

/// What was found in the end.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonaTestResults)]
#[serde(rename_all = "camelCase")]
pub(super) struct Results {
    /// What the persona was tried on.
    target: String,
    /// How long the test took, milliseconds.
    elapsed_ms: u64,
    outcome: Ended,
    /// Why it did not end well, as results of runs have it: `NXDOMAIN`, `TIMEOUT`, `TLS_ERROR`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// What the resolvers said, of a DNS persona.
    #[serde(skip_serializing_if = "Option::is_none")]
    dns: Option<Answered>,
    /// What came, of an HTTP persona.
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<Box<Fetched>>,
}

/// A record of the DNS.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonaTestRecord)]
#[serde(rename_all = "camelCase")]
struct Record {
    record_type: String,
    value: String,
    /// Seconds that it may be kept.
    ttl: u32,
}

/// What the resolvers said when they were asked as a run asks them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonaTestDns)]
#[serde(rename_all = "camelCase")]
struct Answered {
    addresses: Vec<String>,
    records: Vec<Record>,
    /// Whose answer decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolver: Option<String>,
    /// Packets sent.
    attempts: u32,
    /// The deciding answer came from a server of the zone itself.
    authoritative: bool,
    /// An answer did not fit into a packet.
    truncated: bool,
    /// The resolver vouches for the deciding answer's signatures.
    validated: bool,
    /// Whether the zone answers for any name, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    wildcard: Option<bool>,
    name_servers: Vec<String>,
    /// A name server belongs to a service that parks domains.
    parking: bool,
}

/// What came of a fetch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonaTestHttp)]
#[serde(rename_all = "camelCase")]
struct Fetched {
    /// The status of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    final_url: Option<String>,
    /// Addresses that led elsewhere, in order.
    redirects: Vec<String>,
    /// Headers of the last answer that say something about the site.
    headers: BTreeMap<String, String>,
    /// Who answered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_expires: Option<DateTime<Utc>>,
    /// Why there was no https, where it was tried first.
    #[serde(skip_serializing_if = "Option::is_none")]
    https_failure: Option<String>,
    /// Bytes of the body after decompression, as far as it was read.
    bytes: usize,
    /// The body is longer than what was read.
    cut: bool,
    /// SHA-256 of the body in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_hash: Option<String>,
    /// What the page says, where the body is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<Page>,
}

/// What a page says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonaTestPage)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// The language that the page names.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    /// The beginning of the visible text.
    snippet: String,
    h1_count: u32,
    internal_links: u32,
    external_links: u32,
}

impl PersonaTestResponse {
    pub(super) fn new(
        (id, kind, name): (Uuid, Kind, &str),
        test_results: Steps,
        results: Results,
        timestamp: DateTime<Utc>,
    ) -> Self {
        let success = results.outcome == Ended::Ok;
        Self {
            persona_id: id.to_string(),
            persona_type: match kind {
                Kind::Dns => PersonaType::Dns,
                Kind::Http => PersonaType::Http,
            },
            persona_name: name.to_owned(),
            success,
            test_passed: success,
            message: results.sentence(),
            test_results,
            results,
            timestamp,
        }
    }
}

impl Results {
    /// Writes what came of asking for a name.
    pub(super) fn of_dns(
        target: String,
        elapsed: Duration,
        found: Result<dns::Report, Unfinished>,
    ) -> Self {
        match found {
            Err(why) => Self::unfinished(target, elapsed, &why),
            Ok(mut report) => {
                let (outcome, reason) = of_report(&report);
                Self {
                    outcome,
                    reason,
                    detail: report.detail.take(),
                    dns: Some(Answered::of(report)),
                    ..Self::new(target, elapsed)
                }
            }
        }
    }

    /// Writes what came of a fetch.
    pub(super) fn of_http(
        target: String,
        elapsed: Duration,
        found: Result<http::Report, Unfinished>,
    ) -> Self {
        match found {
            Err(why) => Self::unfinished(target, elapsed, &why),
            Ok(report) => {
                let fault = report.fault.as_ref();
                Self {
                    outcome: fault.map_or(Ended::Ok, of_fault),
                    reason: fault.map(|fault| fault.reason.as_str().to_owned()),
                    detail: fault.map(line),
                    http: Some(Box::new(Fetched::of(report))),
                    ..Self::new(target, elapsed)
                }
            }
        }
    }

    fn unfinished(target: String, elapsed: Duration, why: &Unfinished) -> Self {
        Self {
            outcome: of_unfinished(why),
            detail: Some(why.to_string()),
            ..Self::new(target, elapsed)
        }
    }

    fn new(target: String, elapsed: Duration) -> Self {
        Self {
            target,
            elapsed_ms: milliseconds(elapsed),
            outcome: Ended::Ok,
            reason: None,
            detail: None,
            dns: None,
            http: None,
        }
    }

    fn sentence(&self) -> String {
        let target = &self.target;
        if self.outcome != Ended::Ok {
            let why = [self.reason.as_deref(), self.detail.as_deref()];
            let why: Vec<&str> = why.into_iter().flatten().collect();
            return format!("{target}: {}", why.join(", "));
        }
        match (&self.dns, &self.http) {
            (Some(found), _) => format!("{target} is at {}", found.addresses.join(", ")),
            (_, Some(fetched)) => {
                let status = fetched.status_code.unwrap_or_default();
                format!("{target} answered {status}, {} bytes", fetched.bytes)
            }
            (None, None) => target.clone(),
        }
    }
}

impl Answered {
    fn of(report: dns::Report) -> Self {
        let records = report.records.into_iter().map(|record| Record {
            record_type: record.record_type.to_string(),
            value: record.value,
            ttl: record.ttl,
        });
        Self {
            addresses: report.addresses.iter().map(ToString::to_string).collect(),
            records: records.collect(),
            resolver: report.resolver,
            attempts: report.attempts,
            authoritative: report.authoritative,
            truncated: report.truncated,
            validated: report.validated,
            wildcard: report.wildcard,
            name_servers: report.name_servers,
            parking: report.parking,
        }
    }
}

impl Fetched {
    fn of(report: http::Report) -> Self {
        Self {
            status_code: report.status,
            final_url: report.final_url.map(Into::into),
            redirects: report.redirects,
            headers: report.headers.into_iter().collect(),
            address: report.address.map(|address| address.to_string()),
            http_version: report.http_version,
            tls_version: report.tls_version,
            certificate_expires: report.certificate_expires,
            https_failure: report.https_failure,
            bytes: report.bytes,
            cut: report.truncated,
            content_hash: report.content_hash,
            page: report.page.map(|page| Page {
                title: page.title,
                language: page.language,
                snippet: page.snippet,
                h1_count: page.h1_count,
                internal_links: page.links_internal,
                external_links: page.links_external,
            }),
        }
    }
}
