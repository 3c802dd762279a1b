//! One domain name inside one campaign: what each run of each phase found.
//!
//! The stream's id is `<campaign>/<name>`: known without a look-up, readable in an audit, and never shared by two
//! campaigns. The state is small (a version and the last run of each kind) and travels with a worker's lease, so
//! workers decide here, in [`Domain::record`], and store many decisions at once through the bulk lane.

mod content;
mod event;
mod outcome;

use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

pub use self::{
    content::{DetectedLanguage, MicroCrawl, MissedPage, Technology},
    event::{
        Contacts, DnsChecked, DnsRecord, Event, HttpChecked, Keyword, LeadDecided, PageFacts,
        Places, Scored, TakenFrom,
    },
    outcome::{DnsReason, HttpReason, Outcome},
};
use crate::ids::{CampaignId, RunId};

/// The aggregate id of a domain's stream.
#[must_use]
pub fn stream_id(campaign_id: CampaignId, name: &str) -> String {
    format!("{campaign_id}/{name}")
}

/// Splits a domain stream's id into campaign and name.
#[must_use]
pub fn parse_stream_id(id: &str) -> Option<(CampaignId, &str)> {
    let (campaign, name) = id.split_once('/')?;
    Some((campaign.parse().ok()?, name))
}

/// The four kinds of result, one for each phase after discovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// DNS.
    Dns,
    /// HTTP and keywords.
    Http,
    /// Score.
    Score,
    /// Lead decision.
    Lead,
}

/// A result to be recorded.
#[derive(Clone, Debug)]
pub struct Record {
    /// The result, as the event that it becomes.
    pub result: Event,
}

/// A result that may not be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The phase before has found nothing to work on.
    #[error("the domain has no result of the phase before")]
    NothingBefore,
}

/// The state of a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// How many events the stream has.
    pub version: u64,
    /// The run of the last DNS result.
    pub dns_run: Option<RunId>,
    /// The run of the last HTTP result.
    pub http_run: Option<RunId>,
    /// The run of the last score.
    pub score_run: Option<RunId>,
    /// The run of the last lead decision.
    pub lead_run: Option<RunId>,
}

impl Domain {
    /// Returns the run of the last result of a kind.
    #[must_use]
    pub const fn run_of(&self, kind: Kind) -> Option<RunId> {
        match kind {
            Kind::Dns => self.dns_run,
            Kind::Http => self.http_run,
            Kind::Score => self.score_run,
            Kind::Lead => self.lead_run,
        }
    }

    /// Decides whether a result is recorded. A result of a run that has recorded one already is done: nothing is
    /// recorded twice. An HTTP result needs a DNS result before it, a score an HTTP result.
    ///
    /// # Errors
    /// [`Error::NothingBefore`] when the result rests on one that is not there.
    pub fn record(&self, result: Event) -> Result<Option<Event>, Error> {
        let kind = result.kind();
        if self.run_of(kind) == Some(result.run_id()) {
            return Ok(None);
        }
        let rests_on = match kind {
            Kind::Dns | Kind::Lead => true,
            Kind::Http => self.dns_run.is_some(),
            Kind::Score => self.http_run.is_some(),
        };
        if rests_on {
            Ok(Some(result))
        } else {
            Err(Error::NothingBefore)
        }
    }
}

impl Aggregate for Domain {
    const TYPE: &'static str = "domain";
    type Command = Record;
    type Event = Event;
    type Error = Error;
    type Services = ();

    async fn handle(
        &mut self,
        command: Record,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Error> {
        if let Some(event) = self.record(command.result)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        self.version = self.version.saturating_add(1);
        let run = Some(event.run_id());
        match event.kind() {
            Kind::Dns => self.dns_run = run,
            Kind::Http => self.http_run = run,
            Kind::Score => self.score_run = run,
            Kind::Lead => self.lead_run = run,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn run(n: u128) -> RunId {
        RunId(Uuid::from_u128(n))
    }

    fn examples_of(run_id: RunId) -> [Event; 4] {
        let mut events = [
            include_str!("../../tests/golden/domain/DnsChecked.v1.json"),
            include_str!("../../tests/golden/domain/HttpChecked.v1.json"),
            include_str!("../../tests/golden/domain/Scored.v1.json"),
            include_str!("../../tests/golden/domain/LeadDecided.v1.json"),
        ]
        .map(|json| serde_json::from_str(json).unwrap());
        for event in &mut events {
            match event {
                Event::DnsChecked(result) => result.run_id = run_id,
                Event::HttpChecked(result) => result.run_id = run_id,
                Event::Scored(result) => result.run_id = run_id,
                Event::LeadDecided(result) => result.run_id = run_id,
            }
        }
        events
    }

    #[test]
    fn a_run_records_one_result_of_a_kind() {
        let mut domain = Domain::default();
        for event in examples_of(run(1)) {
            let recorded = domain.record(event.clone()).unwrap().unwrap();
            domain.apply(recorded);
            assert_eq!(domain.record(event), Ok(None));
        }
        assert_eq!(domain.version, 4);
    }

    #[test]
    fn another_run_records_beside_the_earlier_one() {
        let mut domain = Domain::default();
        let [dns, ..] = examples_of(run(1));
        domain.apply(dns);
        let [again, ..] = examples_of(run(2));
        assert!(domain.record(again).unwrap().is_some());
    }

    #[test]
    fn a_result_that_rests_on_nothing_is_refused() {
        let [_, http, scored, _] = examples_of(run(1));
        assert_eq!(Domain::default().record(http), Err(Error::NothingBefore));
        assert_eq!(Domain::default().record(scored), Err(Error::NothingBefore));
    }

    #[test]
    fn the_same_name_in_two_campaigns_is_two_streams() {
        let [a, b] = [1, 2].map(|n| stream_id(CampaignId(Uuid::from_u128(n)), "example.com"));
        assert_ne!(a, b);
        assert_eq!(
            parse_stream_id(&a),
            Some((CampaignId(Uuid::from_u128(1)), "example.com"))
        );
    }
}
