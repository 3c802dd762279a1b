//! HTTP results.

use aggregates::domain::HttpChecked;
use chrono::{DateTime, Utc};
use event_store::Recorded;

use super::rows::{Columns, Statement};
use crate::{
    domains::{PageEvidence, sql::result_update},
    runtime::ApplyError,
};

#[derive(Default)]
pub(super) struct Http {
    statuses: Vec<&'static str>,
    reasons: Vec<&'static str>,
    fetched: Vec<DateTime<Utc>>,
    evidence: Vec<Option<serde_json::Value>>,
    /// The patterns of a page's keywords, an array: the lists of a batch differ in length, which arrays of arrays
    /// may not.
    keywords: Vec<Option<serde_json::Value>>,
    unique: Vec<Option<i32>>,
    parked: Vec<Option<f32>>,
    contacts: Vec<bool>,
}

impl Columns for Http {
    type Result = HttpChecked;

    const WRITE: &'static str = result_update!(
        "$5::text[], $6::text[], $7::timestamptz[], $8::jsonb[], $9::jsonb[], $10::int[], $11::real[], $12::bool[]",
        "status, reason, fetched, evidence, keywords, uniq, parked, contact",
        "http_run = i.run, http_status = i.status, http_reason = i.reason, fetched_at = i.fetched, \
         evidence = i.evidence, keywords = CASE WHEN i.keywords IS NOT NULL THEN \
         ARRAY(SELECT jsonb_array_elements_text(i.keywords)) END, keywords_unique = i.uniq, \
         keyword_hit = coalesce(i.uniq, 0) > 0, parked_confidence = i.parked, has_contact = i.contact"
    );

    fn push(&mut self, event: &Recorded, checked: HttpChecked) -> Result<(), ApplyError> {
        self.statuses.push(checked.outcome.name());
        self.reasons
            .push(checked.reason.map_or("", |reason| reason.name()));
        let fetched = checked
            .taken_from
            .map_or(event.recorded_at, |taken| taken.recorded_at);
        self.fetched.push(fetched);
        let page = checked.page.as_ref();
        let evidence = page.map(|page| {
            serde_json::to_value(PageEvidence::of(page, checked.redirects.len()))
                .map_err(|error| ApplyError::poison(event, error))
        });
        self.evidence.push(evidence.transpose()?);
        let found = page.and_then(|page| page.keywords.as_deref());
        self.unique
            .push(found.map(|found| i32::try_from(found.len()).unwrap_or(i32::MAX)));
        self.keywords.push(found.map(|found| {
            let patterns: Vec<&str> = found.iter().map(|k| k.pattern.as_str()).collect();
            patterns.into()
        }));
        self.parked.push(page.map(|page| page.parked_confidence));
        self.contacts
            .push(page.is_some_and(|page| !page.contacts.is_empty()));
        Ok(())
    }

    fn bind(self, statement: Statement) -> Statement {
        statement
            .bind(self.statuses)
            .bind(self.reasons)
            .bind(self.fetched)
            .bind(self.evidence)
            .bind(self.keywords)
            .bind(self.unique)
            .bind(self.parked)
            .bind(self.contacts)
    }
}
