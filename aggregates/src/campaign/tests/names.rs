//! The names of a campaign, and when they are fixed.

use super::*;

#[test]
fn a_campaign_is_made_with_its_names_or_not_at_all() {
    let make = |names: usize| {
        Command::CreateWithNames(CreateWithNames {
            create: Create {
                max_domains: Some(2),
                phases: vec![config(Phase::Discovery)],
                ..Create::new(owner(), "shops")
            },
            import: ImportDomains {
                file_id: FileId(Uuid::from_u128(4)),
                sha256: "00".to_owned(),
                filename: None,
                lines: Vec::new(),
                names: (0..names).map(|n| format!("n{n}.test")).collect(),
            },
        })
    };
    let mut campaign = Campaign::default();
    assert!(when(&mut campaign, make(3)).is_err());
    assert_eq!(campaign.owner(), None);
    assert_eq!(when(&mut campaign, make(2)).unwrap().len(), 3);
    assert_eq!(campaign.names(), 2);
}

#[test]
fn lists_are_taken_until_discovery_starts_and_never_past_the_limit() {
    let mut events = all_configured(Mode::StepByStep);
    let import = |count: usize| {
        Command::ImportDomains(ImportDomains {
            file_id: FileId(Uuid::from_u128(4)),
            sha256: "00".to_owned(),
            filename: None,
            lines: Vec::new(),
            names: (0..count).map(|n| format!("n{n}.test")).collect(),
        })
    };
    let mut campaign = given(events.clone());
    assert_eq!(when(&mut campaign, import(60)).unwrap().len(), 1);
    assert_eq!(campaign.names(), 60);
    assert!(matches!(
        when(&mut campaign, import(60)).unwrap_err(),
        Error::Invalid { field: "file", .. }
    ));
    events.push(started(Phase::Discovery, RUN, 1));
    assert!(matches!(
        when(&mut given(events), import(1)).unwrap_err(),
        Error::NamesStay { .. }
    ));
}

#[test]
fn a_list_says_where_the_names_of_an_unconfigured_campaign_come_from() {
    let import = Command::ImportDomains(ImportDomains {
        file_id: FileId(Uuid::from_u128(4)),
        sha256: "00".to_owned(),
        filename: None,
        lines: Vec::new(),
        names: vec!["a.test".to_owned()],
    });
    let mut campaign = given([created(Mode::StepByStep)]);
    let events = when(&mut campaign, import).unwrap();
    assert!(matches!(
        events.as_slice(),
        [
            Event::PhaseConfigured { .. },
            Event::DomainsImported {
                first_ordinal: 0,
                ..
            }
        ]
    ));
    assert_eq!(
        campaign.phase(Phase::Discovery).state(),
        PhaseState::Configured
    );
}

#[test]
fn names_do_not_change_once_discovery_has_completed() {
    let mut events = all_configured(Mode::StepByStep);
    events.extend([
        started(Phase::Discovery, RUN, 1),
        completed(Phase::Discovery, RUN),
    ]);
    let mut campaign = given(events);
    let refused = when(&mut campaign, start(Phase::Discovery, OTHER_RUN)).unwrap_err();
    assert!(matches!(refused, Error::RerunRefused { .. }));
}
