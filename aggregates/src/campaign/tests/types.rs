//! Campaigns that are for less than everything.

use super::*;

fn of_type(campaign_type: CampaignType) -> Vec<Event> {
    let created = Event::Created {
        owner: owner(),
        campaign_type,
        name: "shops".to_owned(),
        description: None,
        notes: None,
        tags: Vec::new(),
        mode: Mode::FullSequence,
        configuration: serde_json::json!({}),
        max_domains: None,
    };
    let phases = campaign_type.phases().iter();
    [created]
        .into_iter()
        .chain(phases.map(|phase| configured(*phase)))
        .collect()
}

#[test]
fn a_campaign_completes_with_its_type_s_last_phase_and_nothing_follows() {
    for campaign_type in CampaignType::ALL {
        let mut campaign = given(of_type(campaign_type));
        for phase in campaign_type.phases() {
            assert_eq!(campaign.due_phase(), Some(*phase));
            when(&mut campaign, start(*phase, RUN)).unwrap();
            let complete = Command::CompletePhase(CompletePhase {
                phase: *phase,
                run_id: RUN,
                tallies: Tallies::new(),
            });
            let events = when(&mut campaign, complete).unwrap();
            let is_last = *phase == campaign_type.last_phase();
            assert_eq!(events.contains(&Event::Completed {}), is_last, "{phase}");
        }
        assert_eq!(campaign.status(), Status::Completed);
        assert_eq!(
            (campaign.due_phase(), campaign.auto_start_due()),
            (None, None)
        );
    }
}

#[test]
fn a_phase_that_the_type_lacks_is_neither_configured_nor_started_nor_restarted() {
    let mut campaign = given(of_type(CampaignType::Generation));
    let configure = Command::ConfigurePhase(ConfigurePhase {
        config: config(Phase::Validation),
    });
    let lacking = |refused: &Error| {
        let phase = Phase::Validation;
        *refused
            == Error::NoSuchPhase {
                phase,
                campaign_type: CampaignType::Generation,
            }
    };
    assert!(lacking(&when(&mut campaign, configure).unwrap_err()));
    let begun = when(&mut campaign, start(Phase::Validation, RUN));
    assert!(lacking(&begun.unwrap_err()));
    assert!(lacking(&campaign.restarts().unwrap_err()));
    assert!(lacking(&campaign.can_retry(Phase::Validation).unwrap_err()));

    let create = Command::Create(Create {
        campaign_type: CampaignType::Generation,
        phases: vec![config(Phase::Validation)],
        ..Create::new(owner(), "shops")
    });
    assert!(lacking(
        &when(&mut Campaign::default(), create).unwrap_err()
    ));
}

#[test]
fn names_are_taken_from_another_campaign_once_and_only_while_the_run_goes_on() {
    let mut campaign = given(of_type(CampaignType::Lead));
    campaign.apply(started(Phase::Discovery, RUN, 1));
    let source = CampaignId(Uuid::from_u128(7));
    let take = |to_ordinal, run_id| {
        Command::RecordTaken(RecordTaken {
            run_id,
            source,
            to_ordinal,
            names: vec![format!("n{to_ordinal}.test")],
        })
    };
    assert_eq!(when(&mut campaign, take(4, RUN)).unwrap().len(), 1);
    assert_eq!(
        (campaign.names(), campaign.taken_to()),
        (1, Some((source, 4)))
    );
    assert_eq!(when(&mut campaign, take(4, RUN)).unwrap(), []);
    assert_eq!(when(&mut campaign, take(9, RUN)).unwrap().len(), 1);
    assert_eq!(
        when(&mut campaign, take(10, OTHER_RUN)).unwrap_err(),
        Error::RunIsOver
    );
    when(&mut campaign, pause(Phase::Discovery)).unwrap();
    assert!(matches!(
        when(&mut campaign, take(10, RUN)).unwrap_err(),
        Error::InvalidTransition { .. }
    ));
    assert_eq!(campaign.names(), 2);
}

#[test]
fn a_campaign_that_was_started_changes_its_notes_and_not_what_it_works_with() {
    let change = |phases| {
        Command::Reconfigure(Reconfigure {
            details: ChangeDetails {
                notes: Some("seen".to_owned()),
                tags: Some(vec!["spring".to_owned()]),
                ..ChangeDetails::default()
            },
            phases,
            only_pending: true,
        })
    };
    let mut campaign = given(of_type(CampaignType::Dns));
    let first = when(&mut campaign, change(vec![config(Phase::Validation)])).unwrap();
    assert!(matches!(first.as_slice(), [Event::DetailsChanged { .. }]));
    assert_eq!(when(&mut campaign, change(Vec::new())).unwrap(), []);
    campaign.apply(started(Phase::Discovery, RUN, 1));
    assert_eq!(
        when(&mut campaign, change(vec![config(Phase::Validation)])).unwrap_err(),
        Error::NotPending
    );
    assert_eq!(when(&mut campaign, change(Vec::new())).unwrap(), []);
}

#[test]
fn tags_are_few_short_and_different() {
    let many: Vec<String> = (0..51).map(|n| n.to_string()).collect();
    let wrong = [
        vec![String::new()],
        vec![" a".to_owned()],
        vec!["a".repeat(65)],
        vec!["a".to_owned(), "a".to_owned()],
        many,
    ];
    for tags in wrong {
        let create = Command::Create(Create {
            tags,
            ..Create::new(owner(), "shops")
        });
        let refused = when(&mut Campaign::default(), create).unwrap_err();
        assert!(matches!(refused, Error::Invalid { field: "tags", .. }));
    }
}
