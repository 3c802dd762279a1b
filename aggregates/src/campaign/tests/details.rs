//! What a campaign is: making, changing and deleting it.

use super::*;

#[test]
fn a_campaign_is_created_with_the_configurations_that_came_along() {
    let command = Command::Create(Create {
        mode: Mode::FullSequence,
        max_domains: Some(100),
        phases: vec![config(Phase::Validation)],
        ..Create::new(owner(), "shops")
    });
    let events = when(&mut Campaign::default(), command).unwrap();
    assert_eq!(
        events,
        [created(Mode::FullSequence), configured(Phase::Validation)]
    );
    let campaign = given(events);
    assert_eq!(campaign.status(), Status::Draft);
    assert_eq!(
        campaign.phase(Phase::Validation).state(),
        PhaseState::Configured
    );
}

#[test]
fn an_empty_or_overlong_name_is_refused_by_name_of_the_field() {
    for name in [String::new(), "x".repeat(256)] {
        let command = Command::Create(Create::new(owner(), name));
        let refused = when(&mut Campaign::default(), command).unwrap_err();
        assert!(matches!(refused, Error::Invalid { field: "name", .. }));
    }
}

#[test]
fn details_and_phases_change_together_or_not_at_all() {
    let mut campaign = given(all_configured(Mode::StepByStep));
    let command = |name: &str, phase| {
        Command::Reconfigure(Reconfigure {
            only_pending: false,
            details: ChangeDetails {
                name: Some(name.to_owned()),
                ..ChangeDetails::default()
            },
            phases: vec![phase],
        })
    };
    let asks_mail = PhaseConfig::Validation {
        dns_persona: None,
        record_types: vec!["MX".to_owned()],
    };
    let events = when(&mut campaign, command("other", asks_mail.clone())).unwrap();
    assert!(matches!(
        events.as_slice(),
        [Event::DetailsChanged { .. }, Event::PhaseConfigured { .. }]
    ));
    campaign.apply(started(Phase::Validation, RUN, 1));
    when(&mut campaign, command("third", config(Phase::Validation))).unwrap_err();
    assert_eq!(campaign.name(), "other");
}

#[test]
fn of_two_new_configurations_of_a_phase_the_later_one_stays() {
    let kept = config(Phase::Validation);
    let mut campaign = given(all_configured(Mode::StepByStep));
    let passing = PhaseConfig::Validation {
        dns_persona: None,
        record_types: vec!["MX".to_owned()],
    };
    let command = Command::Reconfigure(Reconfigure {
        details: ChangeDetails::default(),
        phases: vec![passing, kept.clone()],
        only_pending: false,
    });
    when(&mut campaign, command).unwrap();
    assert_eq!(campaign.phase(Phase::Validation).config(), Some(&kept));
}

#[test]
fn a_copy_names_its_source_and_begins_without_a_run() {
    let source = CampaignId(Uuid::from_u128(7));
    let command = |names: Vec<String>| {
        Command::Duplicate(Duplicate {
            source,
            create: Create {
                mode: Mode::FullSequence,
                max_domains: Some(100),
                phases: vec![config(Phase::Discovery)],
                ..Create::new(owner(), "shops")
            },
            import: (!names.is_empty()).then_some(ImportDomains {
                file_id: FileId::default(),
                sha256: "00".to_owned(),
                filename: None,
                lines: Vec::new(),
                names,
            }),
        })
    };
    let events = when(&mut Campaign::default(), command(Vec::new())).unwrap();
    let copied = [
        created(Mode::FullSequence),
        configured(Phase::Discovery),
        Event::Duplicated { source },
    ];
    assert_eq!(events, copied);
    assert_eq!(given(events).status(), Status::Draft);
    let mut copy = Campaign::default();
    when(&mut copy, command(vec!["a.test".to_owned()])).unwrap();
    assert_eq!(copy.names(), 1);
    assert_eq!(
        when(&mut copy, command(Vec::new())).unwrap_err(),
        Error::Exists
    );
}

#[test]
fn a_deleted_campaign_refuses_everything() {
    let mut campaign = given([created(Mode::StepByStep), Event::Deleted {}]);
    assert_eq!(
        when(&mut campaign, start(Phase::Discovery, RUN)).unwrap_err(),
        Error::NotFound
    );
    assert_eq!(
        when(&mut campaign, Command::Delete(Delete {})).unwrap_err(),
        Error::NotFound
    );
}
