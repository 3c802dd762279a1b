//! Records that a phase that should start by itself cannot.

use super::{Campaign, Error, Event, Phase};

/// Says why the phase that is due does not start by itself. A command of the coordinator, which tries again for as long
/// as the phase is due: the same reason again records nothing. The reason is one of the version that it was found at, and
/// the command is given with that version expected.
#[derive(Clone, Debug)]
pub struct RefuseStart {
    /// The phase.
    pub phase: Phase,
    /// Why, in words.
    pub message: String,
}

impl RefuseStart {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        campaign.must_exist()?;
        // Whoever started, stopped or changed the mode meanwhile has the last word. So has whoever configured: the
        // phase stays due then, and what is refused is a version that the campaign is not at any more.
        let still_due = campaign.auto_start_due() == Some(self.phase);
        let known = campaign.phase(self.phase).refusal() == Some(self.message.as_str());
        if !still_due || known {
            return Ok(Vec::new());
        }
        Ok(vec![Event::PhaseStartRefused {
            phase: self.phase,
            message: self.message,
        }])
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::Aggregate as _;
    use uuid::Uuid;

    use super::*;
    use crate::{
        campaign::{CampaignType, Mode, PhaseConfig, Pinned, RunKind, Source, Tallies},
        ids::{RunId, UserId},
        persona::{DnsConfig, HttpConfig},
    };

    const DISABLED: &str = "httpPersonaId: the persona is disabled";

    fn configured(phase: Phase) -> Event {
        let config = match phase {
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
            _ => PhaseConfig::Discovery {
                source: Source::Import,
            },
        };
        Event::PhaseConfigured { config }
    }

    fn started(phase: Phase) -> Event {
        let pinned = match phase {
            Phase::Validation => Pinned::Validation {
                dns_persona: None,
                dns: DnsConfig::default(),
                record_types: Vec::new(),
                taken: Vec::new(),
            },
            Phase::Extraction => Pinned::Extraction {
                http_persona: None,
                http: HttpConfig::default(),
                dns: DnsConfig::default(),
                rules: Vec::new(),
                taken: Vec::new(),
                proxies: None,
            },
            _ => Pinned::Discovery {
                source: Source::Import,
                pattern_hash: None,
                inputs: Vec::new(),
            },
        };
        Event::PhaseStarted {
            phase,
            run_id: RunId(Uuid::from_u128(0xa)),
            run_number: 1,
            pinned,
            auto: false,
            kind: RunKind::Full,
            through: None,
        }
    }

    fn completed(phase: Phase) -> Event {
        Event::PhaseCompleted {
            phase,
            run_id: RunId(Uuid::from_u128(0xa)),
            tallies: Tallies::new(),
        }
    }

    fn refused(message: &str) -> Event {
        Event::PhaseStartRefused {
            phase: Phase::Extraction,
            message: message.to_owned(),
        }
    }

    /// A campaign in full sequence whose validation is done, so that extraction is due, and what happened since.
    fn extraction_is_due(since: impl IntoIterator<Item = Event>) -> Campaign {
        let created = Event::Created {
            owner: UserId(Uuid::from_u128(1)),
            campaign_type: CampaignType::Full,
            name: "shops".to_owned(),
            description: None,
            notes: None,
            tags: Vec::new(),
            mode: Mode::FullSequence,
            configuration: serde_json::json!({}),
            max_domains: None,
        };
        let before = [Phase::Discovery, Phase::Validation]
            .into_iter()
            .flat_map(|phase| [configured(phase), started(phase), completed(phase)]);
        let mut campaign = Campaign::default();
        for event in [created].into_iter().chain(before).chain(since) {
            campaign.apply(event);
        }
        campaign
    }

    fn refuse(campaign: &Campaign, message: &str) -> Vec<Event> {
        let command = RefuseStart {
            phase: Phase::Extraction,
            message: message.to_owned(),
        };
        command.decide(campaign).expect("the campaign is there")
    }

    #[test]
    fn a_reason_is_recorded_once_in_a_row_and_another_one_after_it() {
        let campaign = extraction_is_due([configured(Phase::Extraction)]);
        assert_eq!(refuse(&campaign, DISABLED), [refused(DISABLED)]);
        let campaign = extraction_is_due([configured(Phase::Extraction), refused(DISABLED)]);
        assert_eq!(campaign.phase(Phase::Extraction).refusal(), Some(DISABLED));
        assert_eq!(refuse(&campaign, DISABLED), []);
        assert_eq!(refuse(&campaign, "another"), [refused("another")]);
    }

    #[test]
    fn a_phase_that_was_refused_stays_due_and_one_that_nobody_configured_is_due_too() {
        for since in [Vec::new(), vec![refused(DISABLED)]] {
            let campaign = extraction_is_due(since);
            assert_eq!(campaign.auto_start_due(), Some(Phase::Extraction));
        }
    }

    #[test]
    fn a_phase_that_is_not_due_any_more_is_not_refused() {
        let configure = configured(Phase::Extraction);
        let step_by_step = Event::ModeChanged {
            mode: Mode::StepByStep,
        };
        for faster in [started(Phase::Extraction), step_by_step, Event::Stopped {}] {
            let campaign = extraction_is_due([configure.clone(), faster]);
            assert_eq!(refuse(&campaign, DISABLED), []);
        }
    }

    #[test]
    fn a_phase_that_was_configured_meanwhile_is_still_due_and_only_its_version_tells() {
        let configure = configured(Phase::Extraction);
        let before = extraction_is_due([]);
        let campaign = extraction_is_due([configure]);
        assert_eq!(campaign.auto_start_due(), before.auto_start_due());
        assert_eq!(refuse(&campaign, DISABLED), [refused(DISABLED)]);
    }

    #[test]
    fn a_start_a_configuration_and_a_change_of_the_mode_clear_the_reason() {
        let mode = Event::ModeChanged {
            mode: Mode::StepByStep,
        };
        for clears in [
            started(Phase::Extraction),
            configured(Phase::Extraction),
            mode,
            started(Phase::Validation),
        ] {
            let campaign = extraction_is_due([refused(DISABLED), clears]);
            assert_eq!(campaign.phase(Phase::Extraction).refusal(), None);
        }
    }
}
