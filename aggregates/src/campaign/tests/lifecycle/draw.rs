//! What may happen to a campaign, drawn at random.

use std::collections::BTreeMap;

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::names as generator;

/// Ids of runs that commands name; a run that time began has another one, as if the command came too late.
fn run() -> impl Strategy<Value = RunId> {
    (1_u128..4).prop_map(|n| RunId(Uuid::from_u128(n)))
}

fn phase() -> impl Strategy<Value = Phase> {
    select(Phase::ALL.to_vec())
}

fn mode() -> impl Strategy<Value = Mode> {
    select(vec![Mode::FullSequence, Mode::StepByStep])
}

fn expected() -> impl Strategy<Value = Option<PhaseState>> {
    option::weighted(0.3, select(PhaseState::ALL.to_vec()))
}

/// A configuration that is not the one that time gives.
pub(super) fn another_config(phase: Phase) -> PhaseConfig {
    match phase {
        Phase::Discovery => PhaseConfig::Discovery {
            source: Source::Campaigns {
                campaigns: vec![CampaignId(Uuid::from_u128(7))],
            },
        },
        Phase::Validation => PhaseConfig::Validation {
            dns_persona: None,
            record_types: vec!["MX".to_owned()],
        },
        Phase::Extraction => PhaseConfig::Extraction {
            http_persona: None,
            dns_persona: None,
            proxy_pool: None,
            keyword_sets: Vec::new(),
            keywords: vec!["espresso".to_owned()],
        },
        Phase::Analysis => PhaseConfig::Analysis {
            scoring_profile: Some(ScoringProfileId(Uuid::from_u128(8))),
        },
        Phase::Enrichment => PhaseConfig::Enrichment {
            thresholds: lead::Thresholds {
                min_bytes: 17,
                ..lead::Thresholds::default()
            },
        },
    }
}

fn any_config() -> impl Strategy<Value = PhaseConfig> {
    (phase(), any::<bool>()).prop_map(|(phase, other)| match other {
        true => another_config(phase),
        false => config(phase),
    })
}

fn create() -> impl Strategy<Value = Create> {
    let of = select(CampaignType::ALL.to_vec());
    let limit = option::weighted(0.3, 0_u64..6);
    let name = select(vec!["shops", "shops", "shops", ""]);
    (of, mode(), limit, vec(any_config(), 0..4), name).prop_map(
        |(campaign_type, mode, max_domains, phases, name)| Create {
            campaign_type,
            mode,
            max_domains,
            phases,
            ..Create::new(owner(), name)
        },
    )
}

fn import() -> impl Strategy<Value = ImportDomains> {
    (0_usize..4).prop_map(|count| ImportDomains {
        file_id: FileId(Uuid::from_u128(4)),
        sha256: "00".to_owned(),
        filename: None,
        lines: Vec::new(),
        names: (0..count).map(|n| format!("n{n}.test")).collect(),
    })
}

/// Makes a campaign of any type in any way; most often one that can be made.
pub(super) fn creation() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => create().prop_map(|create| Command::Create(Create {
            phases: create
                .phases
                .into_iter()
                .filter(|config| create.campaign_type.phases().contains(&config.phase()))
                .collect(),
            name: "shops".to_owned(),
            ..create
        })),
        1 => create().prop_map(Command::Create),
        1 => (create(), import())
            .prop_map(|(create, import)| Command::CreateWithNames(CreateWithNames { create, import })),
        1 => (create(), option::of(import())).prop_map(|(create, import)| Command::Duplicate(Duplicate {
            source: CampaignId(Uuid::from_u128(7)),
            create,
            import,
        })),
    ]
}

fn details() -> impl Strategy<Value = ChangeDetails> {
    option::of(select(vec!["shops", "others", ""])).prop_map(|name| ChangeDetails {
        name: name.map(str::to_owned),
        ..ChangeDetails::default()
    })
}

/// Commands that change what a campaign is, and its names.
fn settings() -> impl Strategy<Value = Command> {
    let reconfigure = (details(), vec(any_config(), 0..3), any::<bool>());
    let generated = (run(), 0_u64..6, 1_u64..4, 0_u64..3);
    let taken = (run(), 7_u128..9, 0_u64..6, 0_usize..3);
    prop_oneof![
        1 => details().prop_map(Command::ChangeDetails),
        1 => reconfigure.prop_map(|(details, phases, only_pending)| Command::Reconfigure(Reconfigure {
            details,
            phases,
            only_pending,
        })),
        3 => mode().prop_map(|mode| Command::ChangeMode(ChangeMode { mode })),
        5 => any_config().prop_map(|config| Command::ConfigurePhase(ConfigurePhase { config })),
        1 => (8_u128..10).prop_map(|n| Command::AssignScoringProfile(AssignScoringProfile {
            scoring_profile: ScoringProfileId(Uuid::from_u128(n)),
        })),
        1 => import().prop_map(Command::ImportDomains),
        1 => generated.prop_map(|(run_id, start, count, names)| Command::RecordGenerated(RecordGenerated {
            run_id,
            pattern: pattern(),
            generator_version: generator::GENERATOR_VERSION,
            start,
            count,
            names,
        })),
        1 => taken.prop_map(|(run_id, source, to_ordinal, names)| Command::RecordTaken(RecordTaken {
            run_id,
            source: CampaignId(Uuid::from_u128(source)),
            to_ordinal,
            names: vec!["a.test".to_owned(); names],
        })),
    ]
}

/// Commands that begin a run.
fn begins() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => (phase(), run(), any::<bool>()).prop_map(|(phase, run_id, auto)| Command::StartPhase(StartPhase {
            run_id,
            pinned: pinned(phase),
            auto,
        })),
        1 => run().prop_map(|run_id| Command::Restart(Restart {
            run_id,
            pinned: pinned(Phase::Validation),
        })),
        1 => run().prop_map(|run_id| Command::RestartAnalysis(RestartAnalysis {
            run_id,
            pinned: pinned(Phase::Analysis),
        })),
        2 => (phase(), run()).prop_map(|(phase, run_id)| Command::RetryFailed(RetryFailed {
            run_id,
            pinned: pinned(phase),
        })),
        1 => run().prop_map(|run_id| Command::Rescore(Rescore {
            run_id,
            pinned: pinned(Phase::Analysis),
        })),
    ]
}

/// Commands on a run that is under way, and on what follows it.
fn controls() -> impl Strategy<Value = Command> {
    let reasons = select(vec!["the persona is disabled", "no resolver"]);
    prop_oneof![
        3 => (phase(), expected())
            .prop_map(|(phase, expected)| Command::PausePhase(PausePhase { phase, expected })),
        2 => (phase(), expected())
            .prop_map(|(phase, expected)| Command::ResumePhase(ResumePhase { phase, expected })),
        1 => phase().prop_map(|phase| Command::StopPhase(StopPhase { phase })),
        1 => Just(Command::Stop(Stop {})),
        2 => (phase(), run()).prop_map(|(phase, run_id)| Command::CompletePhase(CompletePhase {
            phase,
            run_id,
            tallies: BTreeMap::new(),
        })),
        1 => (phase(), run()).prop_map(|(phase, run_id)| Command::FailPhase(FailPhase {
            phase,
            run_id,
            message: "no resolver".to_owned(),
        })),
        1 => (phase(), reasons).prop_map(|(phase, message)| Command::RefuseStart(RefuseStart {
            phase,
            message: message.to_owned(),
        })),
    ]
}

fn simple() -> impl Strategy<Value = Command> {
    prop_oneof![
        20 => settings(),
        20 => begins(),
        20 => controls(),
        2 => creation(),
        1 => Just(Command::Delete(Delete {})),
    ]
}

/// Any command.
pub(super) fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        9 => simple(),
        1 => vec(simple(), 0..4).prop_map(|commands| Command::Several(Several { commands })),
    ]
}

/// Anything that can happen to a campaign.
pub(super) fn happening() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => command().prop_map(|command| Happens::Command(Box::new(command))),
        3 => select(Action::ALL.to_vec()).prop_map(Happens::Aimed),
        5 => Just(Happens::Time),
        1 => Just(Happens::Crash),
    ]
}

fn pattern() -> generator::Pattern {
    generator::Pattern::parse(generator::Spec {
        constant: "shop".to_owned(),
        prefix_length: 2,
        charset: "ab".to_owned(),
        tlds: vec!["test".to_owned()],
        ..generator::Spec::default()
    })
    .unwrap()
}
