//! A log, and campaigns in it, written event by event.

use std::sync::Arc;

use aggregates::{Actor, Metadata, campaign::Phase, domain, ids::CampaignId};
use event_store::{Answer, BulkAppend, ConnectOptions, Database, NewEvent};
use private_postgres::testing::TestDatabase;
use projections::{
    domains,
    runtime::{Projection, Runtime},
};
use serde_json::{Value, json};
use uuid::Uuid;

/// A log of a test's own.
pub(crate) struct World {
    pub(crate) database: Database,
    _test: TestDatabase,
}

impl World {
    pub(crate) async fn start() -> Self {
        let test = TestDatabase::from_template("projections", |url| async move {
            let database = Database::connect(&url, ConnectOptions::default()).await?;
            database.migrate().await?;
            database.close().await;
            Ok::<_, event_store::Error>(())
        })
        .await
        .unwrap();
        let database = Database::connect(test.url(), ConnectOptions::default())
            .await
            .unwrap();
        Self {
            database,
            _test: test,
        }
    }

    /// Appends events to streams in one commit: aggregate type, stream, sequence before, event.
    pub(crate) async fn append(&self, events: Vec<(&str, String, u64, Value)>) {
        let metadata = Metadata::new(Actor::Operator, "test");
        self.append_as(&metadata, events).await;
    }

    /// Appends events like [`Self::append`], given by somebody for some reason.
    pub(crate) async fn append_as(
        &self,
        metadata: &Metadata,
        events: Vec<(&str, String, u64, Value)>,
    ) {
        let mut append = BulkAppend::new(metadata);
        for (aggregate_type, stream, version, event) in events {
            let event_type = event.as_object().unwrap().keys().next().unwrap().clone();
            let event = NewEvent {
                event_type,
                event_version: "1".to_owned(),
                payload: event.to_string(),
            };
            append
                .raw_stream(aggregate_type, &stream, version, vec![event])
                .unwrap();
        }
        let answers = append.append(&self.database).await.unwrap();
        let appended = |answer: &Answer| matches!(answer, Answer::Appended { .. });
        assert!(answers.iter().all(appended), "{answers:?}");
        while self.database.sequence().await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    }

    /// Appends one event to each of these domains' streams, all after the same sequence.
    pub(crate) async fn results(
        &self,
        campaign_id: CampaignId,
        names: &[String],
        version: u64,
        event: &Value,
    ) {
        let events = names
            .iter()
            .map(|name| {
                let stream = domain::stream_id(campaign_id, name);
                ("domain", stream, version, event.clone())
            })
            .collect();
        self.append(events).await;
    }

    /// Brings the domains read model to the end of the log, by this projection.
    pub(crate) async fn catch_up(&self, projection: Arc<dyn Projection>) {
        let runtime = Runtime::new(self.database.clone(), vec![projection]);
        runtime.catch_up().await.unwrap();
    }

    /// Brings the domains read model to the end of the log and holds every counter against its rows.
    pub(crate) async fn level(&self) {
        self.catch_up(Arc::new(domains::Domains)).await;
        let mut connection = self.database.pool().acquire().await.unwrap();
        let differing = domains::recount(&mut connection).await.unwrap();
        assert_eq!(differing, [], "a counter is no recount of its rows");
    }

    pub(crate) async fn execute(&self, statement: &str) {
        sqlx::raw_sql(statement)
            .execute(self.database.pool())
            .await
            .unwrap();
    }

    pub(crate) async fn number(&self, query: &str) -> i64 {
        sqlx::query_scalar(query)
            .fetch_one(self.database.pool())
            .await
            .unwrap()
    }

    /// Counts domains that a test wrote itself.
    pub(crate) async fn count_domains(&self) {
        self.execute(
            "TRUNCATE read.domain_counts, read.domain_totals; \
             INSERT INTO read.domain_counts SELECT campaign_id, ordinal / 4096, dns_status, dns_reason, http_status, \
             http_reason, has_contact, lead_status, rejection_reason, keyword_hit, searched, scored, high_potential, warned, \
             count(*), bit_or(set_bit(repeat('0', 4096)::bit(4096), (ordinal % 4096)::integer, 1)) \
             FROM read.domains GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14; \
             INSERT INTO read.domain_totals SELECT campaign_id, dns_status, dns_reason, http_status, http_reason, \
             has_contact, lead_status, rejection_reason, keyword_hit, searched, scored, high_potential, warned, sum(n) \
             FROM read.domain_counts GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13",
        )
        .await;
    }
}

pub(crate) fn new_campaign() -> CampaignId {
    CampaignId(Uuid::now_v7())
}

pub(crate) fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("name-{n}.test")).collect()
}

/// The chunk of an import that begins at this ordinal.
pub(crate) fn imported(first_ordinal: usize, names: &[String]) -> Value {
    json!({"DomainsImported": {"file_id": Uuid::now_v7(), "sha256": "0".repeat(64),
                               "first_ordinal": first_ordinal, "names": names}})
}

pub(crate) fn dns_ok() -> Value {
    json!({"DnsChecked": {"run_id": Uuid::now_v7(), "outcome": "ok", "addresses": ["192.0.2.1"], "attempts": 1,
                          "elapsed_ms": 3}})
}

/// A page with these keywords, absent where none was looked for.
pub(crate) fn fetched(keywords: Option<&[&str]>) -> Value {
    let mut page = json!({"bytes": 5120, "content_hash": "aa", "parked_confidence": 0.25,
                          "contacts": {"mails": ["info@shop.test"]}});
    if let Some(keywords) = keywords {
        let places = json!({"body": 1});
        page["keywords"] = keywords
            .iter()
            .map(|pattern| {
                json!({"rule_id": Uuid::now_v7(), "pattern": pattern, "weight": 1.0, "hits": 1, "places": places})
            })
            .collect();
    }
    json!({"HttpChecked": {"run_id": Uuid::now_v7(), "outcome": "ok", "attempts": 1, "elapsed_ms": 9, "page": page}})
}

pub(crate) fn scored() -> Value {
    serde_json::from_str(include_str!(
        "../../../aggregates/tests/golden/domain/Scored.v1.json"
    ))
    .unwrap()
}

pub(crate) fn decided() -> Value {
    json!({"LeadDecided": {"run_id": Uuid::now_v7(), "status": "match", "reason": "qualified"}})
}

/// The start of a second run; what it works with is nothing to the read model.
pub(crate) fn rerun(phase: Phase) -> Value {
    let pinned = json!({"phase": "discovery", "source": {"from": "import"}});
    json!({"PhaseStarted": {"phase": phase.name(), "run_id": Uuid::now_v7(), "run_number": 2, "pinned": pinned}})
}
