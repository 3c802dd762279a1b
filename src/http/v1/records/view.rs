//! A domain or lead of a typed campaign as it is answered.

use aggregates::{
    campaign::{CampaignType, PhaseState},
    domain::{DnsChecked, Event, HttpChecked, Outcome},
};
use chrono::{DateTime, SecondsFormat, Utc};
use projections::{
    campaigns::{Campaign, TypedStatus},
    domains::Listed,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{
    campaigns::{export::plain, views::on_the_wire},
    vocabulary,
};

/// A domain, with the fields of its campaign's type.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::http::v1) enum Record {
    /// A name that was made.
    Generated(Generated),
    /// A name that was checked.
    Checked(Box<Checked>),
    /// What a lead is made of.
    Lead(Lead),
}

/// A name that was made.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::v1) struct Generated {
    /// The name.
    domain: String,
    /// Names of a campaign are those that were generated.
    #[schema(value_type = vocabulary::GenerationStatusEnum)]
    generation_status: &'static str,
    /// When it was generated.
    generated_at: DateTime<Utc>,
    /// The offset of the pattern that it was generated from.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
}

/// A name that was checked, or will be.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::v1) struct Checked {
    /// The name.
    domain: String,
    /// How its check stands.
    #[schema(value_type = vocabulary::ValidationStatusEnum)]
    validation_status: &'static str,
    /// When it was last checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_checked_at: Option<DateTime<Utc>>,
    /// Why a check failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_details: Option<String>,
    /// What DNS said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    dns_record_data: Option<DnsRecordData>,
    /// The status of the last response.
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status_code: Option<u16>,
    /// What HTTP found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    result_data: Option<HttpChecked>,
}

/// What DNS said of a name.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::v1) struct DnsRecordData {
    addresses: Vec<String>,
    /// The names on the way to the addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cname: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mx: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ns: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    txt: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    soa: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    caa: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolver: Option<String>,
    attempts: u32,
    elapsed_ms: u32,
}

/// What a lead is made of.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::v1) struct Lead {
    /// The name.
    domain: String,
    /// The address of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// The keywords that were found, each once for every place that is kept.
    keyword_matches: Vec<KeywordMatch>,
    /// The score, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    /// How the making of the lead stands.
    #[schema(value_type = vocabulary::ExtractionStatusEnum)]
    extraction_status: &'static str,
    /// `pending`, `match` or `no_match`; `error` or `timeout` where a check failed.
    lead_status: String,
    /// The one reason of the decision.
    #[schema(value_type = vocabulary::DomainRejectionReasonEnum)]
    rejection_reason: String,
    /// Why a check failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_details: Option<String>,
    /// When something was last found out about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_processed_at: Option<DateTime<Utc>>,
}

/// A keyword that was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::v1) struct KeywordMatch {
    /// The pattern of its rule.
    keyword: String,
    /// The text around it.
    match_context: String,
}

/// The last results of a domain.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    dns: Option<DnsChecked>,
    dns_at: Option<DateTime<Utc>>,
    http: Option<HttpChecked>,
    http_at: Option<DateTime<Utc>>,
    decided_at: Option<DateTime<Utc>>,
}

impl Evidence {
    /// Takes a result in.
    pub(super) fn add(&mut self, event: Event, at: DateTime<Utc>) {
        match event {
            Event::DnsChecked(checked) => {
                self.dns = Some(checked);
                self.dns_at = Some(at);
            }
            Event::HttpChecked(checked) => {
                self.http = Some(checked);
                self.http_at = Some(at);
            }
            Event::Scored(_) | Event::LeadDecided(_) => {
                self.decided_at = self.decided_at.max(Some(at));
            }
        }
    }

    /// Leaves out what a later run has taken back: it is in the stream, and counts no more.
    fn that_counts(mut self, row: &Listed) -> Self {
        let pending = |status: &str| status == "pending";
        if pending(&row.dns_status) {
            (self.dns, self.dns_at) = (None, None);
        }
        if pending(&row.http_status) {
            (self.http, self.http_at) = (None, None);
        }
        if pending(&row.lead_status) && row.score.is_none() {
            self.decided_at = None;
        }
        self
    }

    /// Returns when something was last found out that counts.
    fn last(&self) -> Option<DateTime<Utc>> {
        self.dns_at.max(self.http_at).max(self.decided_at)
    }

    /// Says why a check failed: the last one, where several did.
    fn failure(&self) -> Option<String> {
        let told = |outcome, reason: Option<&'static str>, detail: &Option<String>| {
            let failed = outcome != Outcome::Ok;
            let reason = reason.filter(|_| failed)?;
            Some(match detail {
                Some(detail) => format!("{reason}: {detail}"),
                None => reason.to_owned(),
            })
        };
        let of_http = self.http.as_ref().and_then(|http| {
            let reason = http.reason.map(|reason| reason.name());
            told(http.outcome, reason, &http.detail)
        });
        let of_dns = || {
            let dns = self.dns.as_ref()?;
            let reason = dns.reason.map(|reason| reason.name());
            told(dns.outcome, reason, &dns.detail)
        };
        of_http.or_else(of_dns)
    }
}

/// What becomes of the domains of a campaign that have no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// They wait for a start, a resume, or the end of what keeps a phase from starting.
    Waiting,
    /// A run works on them.
    UnderWay,
    /// They failed before, and a run works on them again.
    Again,
    /// No run will come to them by itself.
    Over,
}

impl Open {
    pub(super) fn of(campaign: &Campaign) -> Self {
        let again = campaign
            .phases
            .iter()
            .any(|row| row.state == PhaseState::Running && row.run_kind.is_partial());
        match campaign.typed_status() {
            TypedStatus::Pending | TypedStatus::Paused => Self::Waiting,
            // It goes on by itself once the reason is gone.
            TypedStatus::Error if campaign.refused_start().is_some() => Self::Waiting,
            _ if again => Self::Again,
            TypedStatus::Active | TypedStatus::Retrying => Self::UnderWay,
            TypedStatus::Completed
            | TypedStatus::Failed
            | TypedStatus::Cancelled
            | TypedStatus::Error => Self::Over,
        }
    }

    /// Returns the status of such a domain, as campaigns of the type name it.
    pub(super) const fn word(self, campaign_type: CampaignType) -> &'static str {
        match (self, campaign_type) {
            // Leads know four statuses: what no run will come to waits for the next one.
            (Self::Waiting, _) | (Self::Over, CampaignType::Lead) => "pending",
            (Self::UnderWay, _) | (Self::Again, CampaignType::Lead) => "processing",
            (Self::Again, _) => "retried",
            (Self::Over, _) => "skipped",
        }
    }
}

/// How a domain stands, whatever its campaign's type calls that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its last check came out well, or its lead is decided.
    Done,
    /// A check failed.
    Failed,
    /// There is no result.
    Open,
}

/// Returns the field that tells how a domain stands.
pub(super) const fn status_field(campaign_type: CampaignType) -> &'static str {
    match campaign_type {
        CampaignType::Dns | CampaignType::Http => "validationStatus",
        CampaignType::Lead => "extractionStatus",
        CampaignType::Generation | CampaignType::Full => "generationStatus",
    }
}

/// Reads how domains stand that are asked for; nothing for a word that campaigns of the type do not have.
pub(super) fn standing(campaign_type: CampaignType, word: &str) -> Option<Standing> {
    match (word, campaign_type) {
        ("done", _) => Some(Standing::Done),
        ("failed", CampaignType::Dns | CampaignType::Http) | ("error", CampaignType::Lead) => {
            Some(Standing::Failed)
        }
        ("pending" | "processing", _) => Some(Standing::Open),
        ("retried" | "skipped", CampaignType::Dns | CampaignType::Http) => Some(Standing::Open),
        _ => None,
    }
}

fn has_failed(row: &Listed) -> bool {
    let failed = |status: &str| matches!(status, "error" | "timeout");
    failed(&row.dns_status) || failed(&row.http_status)
}

impl Record {
    /// Makes the view of a row and its evidence.
    pub(super) fn of(
        campaign_type: CampaignType,
        open: Open,
        row: Listed,
        evidence: Evidence,
    ) -> Self {
        let evidence = evidence.that_counts(&row);
        match campaign_type {
            CampaignType::Generation | CampaignType::Full => Self::Generated(Generated {
                domain: row.name,
                generation_status: "generated",
                generated_at: row.created_at,
                offset: row.pattern_offset,
            }),
            CampaignType::Dns | CampaignType::Http => {
                let is_done = match campaign_type {
                    CampaignType::Dns => row.dns_status == "ok",
                    _ => row.http_status == "ok",
                };
                Self::Checked(Box::new(Checked {
                    validation_status: match (has_failed(&row), is_done) {
                        (true, _) => "failed",
                        (false, true) => "done",
                        (false, false) => open.word(campaign_type),
                    },
                    domain: row.name,
                    last_checked_at: evidence.last(),
                    error_details: evidence.failure(),
                    http_status_code: evidence.http.as_ref().and_then(|http| http.status),
                    dns_record_data: evidence.dns.as_ref().map(DnsRecordData::of),
                    result_data: evidence.http,
                }))
            }
            CampaignType::Lead => Self::Lead(Lead::of(open, row, &evidence)),
        }
    }
}

impl DnsRecordData {
    fn of(checked: &DnsChecked) -> Self {
        let of_type = |wanted: &str| -> Vec<String> {
            let records = checked.records.iter();
            let records = records.filter(|record| record.record_type == wanted);
            records.map(|record| record.value.clone()).collect()
        };
        Self {
            addresses: checked.addresses.iter().map(ToString::to_string).collect(),
            cname: of_type("CNAME"),
            mx: of_type("MX"),
            ns: of_type("NS"),
            txt: of_type("TXT"),
            soa: of_type("SOA"),
            caa: of_type("CAA"),
            resolver: checked.resolver.clone(),
            attempts: checked.attempts,
            elapsed_ms: checked.elapsed_ms,
        }
    }
}

impl Lead {
    fn of(open: Open, row: Listed, evidence: &Evidence) -> Self {
        let page = evidence.http.as_ref().and_then(|http| http.page.as_ref());
        let found = page.and_then(|page| page.keywords.as_deref());
        let keyword_matches = found.unwrap_or_default().iter().flat_map(|keyword| {
            keyword.contexts.iter().map(|context| KeywordMatch {
                keyword: keyword.pattern.clone(),
                match_context: context.clone(),
            })
        });
        Self {
            extraction_status: match (has_failed(&row), row.lead_status.as_str()) {
                (true, _) => "error",
                (false, "pending") => open.word(CampaignType::Lead),
                (false, _) => "done",
            },
            url: evidence
                .http
                .as_ref()
                .and_then(|http| http.final_url.clone()),
            keyword_matches: keyword_matches.collect(),
            score: row.score.map(on_the_wire),
            error_details: evidence.failure(),
            last_processed_at: evidence.last(),
            domain: row.name,
            lead_status: row.lead_status,
            rejection_reason: row.rejection_reason,
        }
    }
}

/// Returns the headings of a download as CSV.
pub(in crate::http::v1) const fn headings(campaign_type: CampaignType) -> &'static [&'static str] {
    match campaign_type {
        CampaignType::Generation | CampaignType::Full => {
            &["domain", "generationStatus", "generatedAt", "offset"]
        }
        CampaignType::Dns | CampaignType::Http => &[
            "domain",
            "validationStatus",
            "lastCheckedAt",
            "errorDetails",
            "addresses",
            "httpStatusCode",
            "finalUrl",
        ],
        CampaignType::Lead => &[
            "domain",
            "url",
            "keywords",
            "score",
            "extractionStatus",
            "leadStatus",
            "rejectionReason",
            "errorDetails",
            "lastProcessedAt",
        ],
    }
}

/// Returns the cells of a record, below [`headings`].
pub(in crate::http::v1) fn cells(record: &Record) -> Vec<String> {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let text = |text: &Option<String>| plain(text.as_deref().unwrap_or_default());
    match record {
        Record::Generated(made) => vec![
            made.domain.clone(),
            made.generation_status.to_owned(),
            time(made.generated_at),
            made.offset
                .map(|offset| offset.to_string())
                .unwrap_or_default(),
        ],
        Record::Checked(checked) => {
            let addresses = checked.dns_record_data.as_ref();
            let result = checked.result_data.as_ref();
            vec![
                checked.domain.clone(),
                checked.validation_status.to_owned(),
                checked.last_checked_at.map(time).unwrap_or_default(),
                text(&checked.error_details),
                addresses
                    .map(|dns| dns.addresses.join(" "))
                    .unwrap_or_default(),
                checked
                    .http_status_code
                    .map(|code| code.to_string())
                    .unwrap_or_default(),
                text(&result.and_then(|result| result.final_url.clone())),
            ]
        }
        Record::Lead(lead) => {
            let mut keywords: Vec<&str> = lead
                .keyword_matches
                .iter()
                .map(|found| found.keyword.as_str())
                .collect();
            keywords.dedup();
            vec![
                lead.domain.clone(),
                text(&lead.url),
                plain(&keywords.join("|")),
                lead.score
                    .map(|score| score.to_string())
                    .unwrap_or_default(),
                lead.extraction_status.to_owned(),
                lead.lead_status.clone(),
                lead.rejection_reason.clone(),
                text(&lead.error_details),
                lead.last_processed_at.map(time).unwrap_or_default(),
            ]
        }
    }
}
