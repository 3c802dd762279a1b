//! Somebody who writes to the log, and what a stream of it must say.

use aggregates::{
    Actor, Metadata,
    campaign::{
        self, Campaign, ChangeMode, Command, Create, ImportDomains, Mode, PhaseConfig, Source,
    },
    ids::{CampaignId, FileId, KeywordSetId, UserId},
    keyword_set::{self, KeywordSet},
};
use domainflow::app::App;
use event_store::{Answer, BulkAppend, NewEvent, Position, Recorded};
use uuid::Uuid;

use super::client::Message;

pub fn metadata(user: UserId) -> Metadata {
    Metadata::new(Actor::User(user), Uuid::now_v7().to_string())
}

/// A campaign with imported names and no run, so that nobody else writes about it.
pub struct Written {
    pub id: CampaignId,
    owner: UserId,
    names: Vec<String>,
    rounds: u64,
    mode: Mode,
}

impl Written {
    pub async fn new(app: &App, owner: UserId, names: Vec<String>) -> Self {
        let id = CampaignId(Uuid::now_v7());
        let mode = Mode::StepByStep;
        let source = Source::Import;
        let create = Command::Create(Create {
            mode,
            phases: vec![PhaseConfig::Discovery { source }],
            ..Create::new(owner, "written")
        });
        command(app, owner, id, create).await;
        for chunk in names.chunks(campaign::IMPORT_CHUNK) {
            let import = ImportDomains {
                file_id: FileId(Uuid::now_v7()),
                sha256: "0".repeat(64),
                filename: None,
                lines: Vec::new(),
                names: chunk.to_vec(),
            };
            command(app, owner, id, Command::ImportDomains(import)).await;
        }
        Self {
            id,
            owner,
            names,
            rounds: 0,
            mode,
        }
    }

    /// Records a DNS result for each of some domains, in one commit.
    pub async fn check(&self, app: &App, names: std::ops::Range<usize>) {
        let mut batch = BulkAppend::new(&metadata(self.owner));
        let run = Uuid::now_v7();
        for name in &self.names[names] {
            let payload = format!(
                r#"{{"DnsChecked":{{"run_id":"{run}","outcome":"ok","attempts":1,"elapsed_ms":1}}}}"#
            );
            let event = NewEvent {
                event_type: "DnsChecked".to_owned(),
                event_version: "1".to_owned(),
                payload,
            };
            batch
                .raw_stream(
                    "domain",
                    &format!("{}/{name}", self.id),
                    self.rounds,
                    vec![event],
                )
                .unwrap();
        }
        let answers = batch
            .append(&app.database)
            .await
            .expect("results are appended");
        assert!(
            answers
                .iter()
                .all(|answer| matches!(answer, Answer::Appended { .. })),
            "{answers:?}"
        );
        app.database
            .sequence()
            .await
            .expect("they get their positions");
    }

    /// Records a result for every domain, in commits of a size.
    pub async fn check_all(&mut self, app: &App, size: usize) {
        for start in (0..self.names.len()).step_by(size) {
            self.check(app, start..(start + size).min(self.names.len()))
                .await;
        }
        self.rounds += 1;
    }

    pub async fn change_mode(&mut self, app: &App) {
        self.mode = match self.mode {
            Mode::StepByStep => Mode::FullSequence,
            Mode::FullSequence => Mode::StepByStep,
        };
        command(
            app,
            self.owner,
            self.id,
            Command::ChangeMode(ChangeMode { mode: self.mode }),
        )
        .await;
    }
}

async fn command(app: &App, user: UserId, id: CampaignId, command: Command) {
    app.execute::<Campaign>(&id.to_string(), command, &metadata(user), None)
        .await
        .expect("the command is taken");
}

/// Makes a keyword set.
pub async fn keyword_set(app: &App, owner: UserId) -> KeywordSetId {
    let id = KeywordSetId(Uuid::now_v7());
    let create = keyword_set::Command::Create(keyword_set::Create {
        owner,
        name: "set".to_owned(),
        description: None,
        rules: Vec::new(),
        enabled: true,
    });
    app.execute::<KeywordSet>(&id.to_string(), create, &metadata(owner), None)
        .await
        .expect("a set");
    id
}

/// Names of domains.
pub fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}{n}.test")).collect()
}

/// One thing that a stream says, with the position of its event.
pub type Said = (u64, String);

/// What a stream must say that begins after a position, read from the feed: of one owner, and of one campaign where one
/// is named. Keyword sets are the owner's, whatever campaign is named, and are left out then.
pub async fn expected(
    app: &App,
    owner: UserId,
    campaign: Option<CampaignId>,
    after: u64,
) -> Vec<Said> {
    let (mut said, mut next) = (Vec::new(), Position::START);
    let mut mine = std::collections::HashSet::new();
    loop {
        let page = app
            .database
            .feed()
            .after(next, 5_000, None)
            .await
            .expect("the feed answers");
        for event in &page.events {
            let stream = event.aggregate_id.split('/').next().unwrap().to_owned();
            if event.event_type == "Created" && event.payload.contains(&owner.to_string()) {
                mine.insert(stream.clone());
            }
            let wanted = campaign.is_none_or(|id| id.to_string() == stream);
            if event.position.get() > after && wanted && mine.contains(&stream) {
                let of_event = labels(event)
                    .into_iter()
                    .map(|label| (event.position.get(), label));
                said.extend(of_event);
            }
        }
        if page.next == next {
            return said;
        }
        next = page.next;
    }
}

fn labels(event: &Recorded) -> Vec<String> {
    let payload: serde_json::Value = serde_json::from_str(&event.payload).unwrap();
    let inner = &payload[&event.event_type];
    let one = |label: String| vec![label];
    let kind = match (event.aggregate_type.as_str(), event.event_type.as_str()) {
        ("domain", "DnsChecked" | "HttpChecked" | "LeadDecided") => {
            let outcome = inner
                .get("outcome")
                .or_else(|| inner.get("status"))
                .unwrap()
                .as_str()
                .unwrap();
            return one(format!(
                "{} {} {outcome}",
                event.aggregate_id, event.event_type
            ));
        }
        ("domain", "Scored") => return one(format!("{} domain_scored", event.aggregate_id)),
        ("campaign", "PhaseStarted") if inner["auto"] == true => "phase_auto_started",
        ("campaign", "PhaseStarted") => "phase_started",
        ("campaign", "PhasePaused") => "phase_paused",
        ("campaign", "PhaseResumed") => "phase_resumed",
        ("campaign", "PhaseCompleted") => "phase_completed",
        ("campaign", "PhaseFailed") => "phase_failed",
        ("campaign", "PhaseStartRefused") => "error",
        ("campaign", "Completed") => "campaign_completed",
        ("campaign", "ModeChanged") => "mode_changed",
        ("keyword_set", "Created") => "keyword_set_created",
        ("keyword_set", "Deleted") => "keyword_set_deleted",
        ("keyword_set", _) => "keyword_set_updated",
        _ => return Vec::new(),
    };
    let label = format!("{} {kind} {}", event.aggregate_id, event.sequence);
    let announcement = match kind {
        "phase_completed" if inner["phase"] == "analysis" => Some("analysis_completed"),
        "phase_failed" if inner["phase"] == "analysis" => Some("analysis_failed"),
        _ => None,
    };
    let announced =
        announcement.map(|kind| format!("{} {kind} {}", event.aggregate_id, event.sequence));
    announced.into_iter().chain([label]).collect()
}

/// What messages say, in the same words; progress says nothing that the log has.
pub fn said(messages: &[Message]) -> Vec<String> {
    messages.iter().flat_map(of_message).collect()
}

fn of_message(message: &Message) -> Vec<String> {
    let payload = message.payload();
    let text = |field: &str| payload[field].as_str().unwrap_or_default().to_owned();
    match message.kind.as_str() {
        "campaign_progress" => Vec::new(),
        "domain_scored" => vec![format!(
            "{}/{} domain_scored",
            text("campaignId"),
            text("domain")
        )],
        "domain_status_delta" => {
            let items = payload["items"].as_array().expect("items");
            assert!(
                (items.len() <= 200 && payload["count"] == items.len())
                    && (!items.is_empty() || payload["leftOut"].as_u64() > Some(0)),
                "{payload}"
            );
            items
                .iter()
                .flat_map(|item| of_item(&text("campaignId"), item))
                .collect()
        }
        kind => {
            let of = if kind.starts_with("keyword_set") {
                text("keywordSetId")
            } else {
                text("campaignId")
            };
            vec![format!("{of} {kind} {}", payload["sequence"])]
        }
    }
}

fn of_item(campaign: &str, item: &serde_json::Value) -> Vec<String> {
    let findings = [
        ("dns_status", "DnsChecked"),
        ("http_status", "HttpChecked"),
        ("lead_status", "LeadDecided"),
    ];
    findings
        .into_iter()
        .filter_map(|(field, event)| {
            let status = item.get(field)?.as_str()?;
            Some(format!(
                "{campaign}/{} {event} {status}",
                item["domain"].as_str()?
            ))
        })
        .collect()
}

/// Checks that each message's id is the position of the last event that it covers.
pub fn assert_ids(messages: &[Message], expected: &[Said]) {
    let mut expected = expected.iter();
    let mut last = 0;
    for message in messages {
        let mut covered = None;
        for label in of_message(message) {
            let (position, wanted) = expected.next().expect("no more than expected");
            assert_eq!(label, *wanted);
            covered = Some(*position);
        }
        let id = message.position();
        assert!(id >= last, "ids never fall: {id} after {last}");
        match covered {
            // An announcement goes before the message of its event.
            Some(position) if message.id.as_deref().is_some_and(|id| id.starts_with('0')) => {
                assert_eq!(id, position - 1)
            }
            Some(position) => assert_eq!(id, position, "{message:?}"),
            None => {}
        }
        last = id;
    }
    assert_eq!(expected.next(), None, "everything was said");
}
