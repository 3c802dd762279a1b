//! Given events, when a command comes, then these events or this refusal.

mod details;
mod lifecycle;
mod names;
mod properties;
mod reconciled;
mod reruns;
mod runs;
mod starts;
mod types;

use cqrs_es::{Aggregate as _, event_sink::EventSink};
use uuid::Uuid;

use super::*;
use crate::{
    ids::{CampaignId, FileId, ScoringProfileId},
    lead,
};

const RUN: RunId = RunId(Uuid::from_u128(0xa));
const OTHER_RUN: RunId = RunId(Uuid::from_u128(0xb));

fn owner() -> UserId {
    UserId(Uuid::from_u128(1))
}

fn created(mode: Mode) -> Event {
    Event::Created {
        owner: owner(),
        campaign_type: CampaignType::Full,
        name: "shops".to_owned(),
        description: None,
        notes: None,
        tags: Vec::new(),
        mode,
        configuration: serde_json::json!({}),
        max_domains: Some(100),
    }
}

fn config(phase: Phase) -> PhaseConfig {
    match phase {
        Phase::Discovery => PhaseConfig::Discovery {
            source: Source::Import,
        },
        Phase::Validation => PhaseConfig::Validation {
            dns_persona: None,
            record_types: Vec::new(),
        },
        Phase::Extraction => PhaseConfig::Extraction {
            http_persona: None,
            dns_persona: None,
            proxy_pool: None,
            keyword_sets: Vec::new(),
            keywords: vec!["telecom".to_owned()],
        },
        Phase::Analysis => PhaseConfig::Analysis {
            scoring_profile: None,
        },
        Phase::Enrichment => PhaseConfig::Enrichment {
            thresholds: lead::Thresholds::default(),
        },
    }
}

fn pinned(phase: Phase) -> Pinned {
    match phase {
        Phase::Discovery => Pinned::Discovery {
            source: Source::Import,
            pattern_hash: None,
            inputs: Vec::new(),
        },
        Phase::Enrichment => Pinned::Enrichment {
            thresholds: lead::Thresholds::default(),
        },
        Phase::Analysis => Pinned::Analysis {
            scoring_profile: None,
            weights: std::collections::BTreeMap::new(),
        },
        Phase::Validation => Pinned::Validation {
            dns_persona: None,
            dns: crate::persona::DnsConfig::default(),
            record_types: Vec::new(),
            taken: Vec::new(),
        },
        Phase::Extraction => Pinned::Extraction {
            http_persona: None,
            http: crate::persona::HttpConfig::default(),
            dns: crate::persona::DnsConfig::default(),
            rules: Vec::new(),
            taken: Vec::new(),
            proxies: None,
        },
    }
}

fn configured(phase: Phase) -> Event {
    Event::PhaseConfigured {
        config: config(phase),
    }
}

fn started(phase: Phase, run_id: RunId, run_number: u32) -> Event {
    Event::PhaseStarted {
        phase,
        run_id,
        run_number,
        pinned: pinned(phase),
        auto: false,
        kind: RunKind::Full,
        through: None,
    }
}

fn completed(phase: Phase, run_id: RunId) -> Event {
    Event::PhaseCompleted {
        phase,
        run_id,
        tallies: Tallies::new(),
    }
}

fn given(events: impl IntoIterator<Item = Event>) -> Campaign {
    let mut campaign = Campaign::default();
    for event in events {
        campaign.apply(event);
    }
    campaign
}

fn all_configured(mode: Mode) -> Vec<Event> {
    [created(mode)]
        .into_iter()
        .chain(Phase::ALL.into_iter().map(configured))
        .collect()
}

fn when(campaign: &mut Campaign, command: Command) -> Result<Vec<Event>, Error> {
    // `handle` never waits, so a minimal executor is all that it needs.
    let sink = EventSink::default();
    let outcome = futures_lite_block_on(campaign.handle(command, &(), &sink));
    outcome.map(|()| futures_lite_block_on(sink.collect()))
}

fn futures_lite_block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

fn start(phase: Phase, run_id: RunId) -> Command {
    Command::StartPhase(StartPhase {
        run_id,
        pinned: pinned(phase),
        auto: false,
    })
}

fn pause(phase: Phase) -> Command {
    Command::PausePhase(PausePhase {
        phase,
        expected: None,
    })
}
