//! What can happen to a domain. Field and variant names are forever; see `tests/golden/domain`. These events are
//! the bulk of the log, so absent values take no room.

use std::{collections::BTreeMap, net::IpAddr};

use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::{
    DnsReason, HttpReason, Kind, Outcome,
    content::{DetectedLanguage, MicroCrawl, Technology},
};
use crate::{
    ids::{CampaignId, ProxyId, RuleId, RunId, ScoringProfileId},
    lead, scoring,
};

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// Where a result was taken over from, unchanged but for its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenFrom {
    /// The campaign that found it.
    pub campaign_id: CampaignId,
    /// Its run.
    pub run_id: RunId,
    /// When it was recorded there.
    pub recorded_at: DateTime<Utc>,
}

/// A DNS record of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsRecord {
    /// The record's type, such as `A`.
    #[serde(rename = "type")]
    pub record_type: String,
    /// Its data in presentation form.
    pub value: String,
    /// Time to live, seconds.
    pub ttl: u32,
}

/// What a DNS check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsChecked {
    /// The run.
    pub run_id: RunId,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it failed; absent on success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<DnsReason>,
    /// The failure in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The records of the answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<DnsRecord>,
    /// The addresses among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
    /// The resolver whose answer decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolver: Option<String>,
    /// Queries sent in all.
    pub attempts: u32,
    /// From the first query to the verdict, milliseconds.
    pub elapsed_ms: u32,
    /// The answer was authoritative (RFC 1035, AA).
    #[serde(default, skip_serializing_if = "is_false")]
    pub authoritative: bool,
    /// An answer came truncated and was asked again over TCP (RFC 1035, TC).
    #[serde(default, skip_serializing_if = "is_false")]
    pub truncated: bool,
    /// The resolver validated the answer (RFC 4035, AD).
    #[serde(default, skip_serializing_if = "is_false")]
    pub validated: bool,
    /// The zone answers for any name.
    #[serde(default, skip_serializing_if = "is_false")]
    pub wildcard: bool,
    /// The domain's name servers, where they were asked for or stood beside an answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub name_servers: Vec<String>,
    /// One of the name servers belongs to a service that parks domains or offers them for sale.
    #[serde(default, skip_serializing_if = "is_false")]
    pub parking: bool,
    /// Where the result was taken over from; absent where this run found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<TakenFrom>,
}

/// How often a keyword was found, by place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// In the title.
    #[serde(default)]
    pub title: u32,
    /// In level-one headings.
    #[serde(default)]
    pub h1: u32,
    /// In the description and keywords of the page's head.
    #[serde(default)]
    pub meta: u32,
    /// In the text of links.
    #[serde(default)]
    pub anchor: u32,
    /// In other visible text.
    #[serde(default)]
    pub body: u32,
    /// On further pages of the site.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub microcrawl: u32,
}

/// A keyword that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Keyword {
    /// The rule.
    pub rule_id: RuleId,
    /// The rule's pattern.
    pub pattern: String,
    /// The rule's category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The rule's weight.
    pub weight: f64,
    /// How often it was found.
    pub hits: u32,
    /// Where.
    pub places: Places,
    /// The first finds with the text around them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<String>,
}

/// Ways to reach the owner that a page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contacts {
    /// Mail addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mails: Vec<String>,
    /// Telephone numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    /// Links to contact pages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
}

impl Contacts {
    /// Tells whether the page shows none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.mails.is_empty() && self.phones.is_empty() && self.links.is_empty()
    }
}

/// What a fetched page says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PageFacts {
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The language, as the page names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The beginning of the visible text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub snippet: String,
    /// Size of the body after decompression, bytes.
    pub bytes: u64,
    /// The body was longer than the bound and cut there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cut: bool,
    /// SHA-256 of the body, hex.
    pub content_hash: String,
    /// Level-one headings.
    #[serde(default)]
    pub h1_count: u32,
    /// Links to the same host.
    #[serde(default)]
    pub internal_links: u32,
    /// Links to other hosts.
    #[serde(default)]
    pub external_links: u32,
    /// How surely the domain is parked or for sale, 0 to 1.
    #[serde(default)]
    pub parked_confidence: f32,
    /// What says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parked_signals: Vec<String>,
    /// Ways to reach the owner.
    #[serde(default, skip_serializing_if = "Contacts::is_empty")]
    pub contacts: Contacts,
    /// The keywords that were found; absent when none was looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keywords: Option<Vec<Keyword>>,
    /// The search for keywords was stopped at its bound, so that their counts are lower bounds.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keywords_incomplete: bool,
    /// The language as the text shows it; told only of a page that names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_language: Option<DetectedLanguage>,
    /// The technologies that the site shows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub technologies: Vec<Technology>,
    /// Further pages of the site that were searched for keywords; absent where there was no need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub micro_crawl: Option<MicroCrawl>,
}

/// What an HTTP check found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpChecked {
    /// The run.
    pub run_id: RunId,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it failed; absent on success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<HttpReason>,
    /// The failure in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The last response's status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The address of the last response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_url: Option<String>,
    /// The addresses on the way there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirects: Vec<String>,
    /// Selected response headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The TLS version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_version: Option<String>,
    /// When the certificate expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_expires: Option<DateTime<Utc>>,
    /// Why https could not be had, where http was used in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub https_failure: Option<String>,
    /// The proxy used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxyId>,
    /// Requests sent in all.
    pub attempts: u32,
    /// From the first connection to the verdict, milliseconds.
    pub elapsed_ms: u32,
    /// What the page says; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PageFacts>,
    /// Where the result was taken over from; absent where this run found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<TakenFrom>,
}

/// A score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// The run.
    pub run_id: RunId,
    /// The profile whose weights were used; the default weights where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scoring_profile: Option<ScoringProfileId>,
    /// The score with its components, weights and evidence.
    pub score: scoring::Breakdown,
    /// The richness of the page.
    pub richness: scoring::Richness,
}

/// A lead decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeadDecided {
    /// The run.
    pub run_id: RunId,
    /// The decision.
    pub status: lead::Status,
    /// The one reason for it.
    pub reason: lead::Reason,
    /// The score that it rests on, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

/// An event of a domain's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The name was checked over DNS.
    DnsChecked(DnsChecked),
    /// The name was fetched over HTTP.
    HttpChecked(HttpChecked),
    /// The page was scored.
    Scored(Scored),
    /// It was decided whether the domain is a lead.
    LeadDecided(LeadDecided),
}

impl Event {
    /// Returns which kind of result this is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::DnsChecked(_) => Kind::Dns,
            Self::HttpChecked(_) => Kind::Http,
            Self::Scored(_) => Kind::Score,
            Self::LeadDecided(_) => Kind::Lead,
        }
    }

    /// Returns the run that gave the result.
    #[must_use]
    pub const fn run_id(&self) -> RunId {
        match self {
            Self::DnsChecked(result) => result.run_id,
            Self::HttpChecked(result) => result.run_id,
            Self::Scored(result) => result.run_id,
            Self::LeadDecided(result) => result.run_id,
        }
    }

    /// Returns the event's type, as the log names it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::DnsChecked(_) => "DnsChecked",
            Self::HttpChecked(_) => "HttpChecked",
            Self::Scored(_) => "Scored",
            Self::LeadDecided(_) => "LeadDecided",
        }
    }
}

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
