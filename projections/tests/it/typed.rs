//! How typed campaigns stand: the database says of a row what the program says of the campaign.

use aggregates::{
    campaign::{CampaignType, Event, FailureCause, Mode, PhaseState, RunKind},
    ids::{CampaignId, UserId},
};
use chrono::Utc;
use projections::campaigns::{Campaign, TypedStatus};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::World;

fn campaign(campaign_type: CampaignType) -> Campaign {
    let created = Event::Created {
        owner: UserId(Uuid::nil()),
        campaign_type,
        name: "shops".to_owned(),
        description: None,
        notes: None,
        tags: Vec::new(),
        mode: Mode::FullSequence,
        configuration: json!({}),
        max_domains: None,
    };
    Campaign::begun(CampaignId(Uuid::nil()), created, Utc::now()).unwrap()
}

/// Every way in which the phases of a campaign can stand, with a run kind and a cause that change from one to the next.
fn standings(campaign_type: CampaignType) -> Vec<Campaign> {
    let kinds = [
        RunKind::Full,
        RunKind::Retry,
        RunKind::RetryUnanswered,
        RunKind::Rest,
        RunKind::Rescore,
    ];
    let causes = [None, Some(FailureCause::Stopped), Some(FailureCause::Error)];
    let phases = u32::try_from(campaign_type.phases().len()).unwrap();
    let mut standings = Vec::new();
    for number in 0..6_usize.pow(phases) {
        let mut one = campaign(campaign_type);
        let mut rest = number;
        for (at, row) in one.phases.iter_mut().enumerate() {
            row.state = PhaseState::ALL[rest % 6];
            rest /= 6;
            let varied = number.wrapping_mul(31).wrapping_add(at * 7);
            row.run_kind = kinds[varied % kinds.len()];
            row.failure_cause = causes[varied / 5 % causes.len()];
            row.run_number = i32::from(varied % 2 == 0);
            row.error = (varied / 3 % 4 == 0).then(|| "a reason".to_owned());
        }
        one.stopped = number % 5 == 0;
        standings.push(one);
    }
    standings
}

fn rows(campaign: &Campaign) -> Value {
    let rows = campaign.phases.iter();
    // Phases that were never touched have no row.
    let rows = rows.filter(|row| {
        row.state != PhaseState::NotStarted || row.run_number > 0 || row.error.is_some()
    });
    let rows = rows.map(|row| {
        json!({"state": row.state, "run_kind": row.run_kind, "failure_cause": row.failure_cause,
               "run_number": row.run_number, "error": row.error})
    });
    rows.collect()
}

#[tokio::test]
async fn the_database_says_how_a_campaign_stands_as_the_program_does() {
    let world = World::start().await;
    let mut seen = std::collections::HashSet::new();
    for campaign_type in CampaignType::ALL {
        let standings = standings(campaign_type);
        let phases: Vec<Value> = standings.iter().map(rows).collect();
        let stopped: Vec<bool> = standings.iter().map(|one| one.stopped).collect();
        let told: Vec<String> = sqlx::query_scalar(
            "SELECT typed_status($1, given.stopped, given.phases) FROM unnest($2::bool[], $3::json[]) \
             WITH ORDINALITY AS given (stopped, phases, at) ORDER BY at",
        )
        .bind(campaign_type.name())
        .bind(stopped)
        .bind(&phases)
        .fetch_all(world.database.pool())
        .await
        .unwrap();
        assert_eq!(told.len(), standings.len());
        for ((one, told), phases) in standings.iter().zip(told).zip(phases) {
            let status = one.typed_status();
            assert_eq!(told, status.name(), "{campaign_type:?} {phases}");
            seen.insert(status);
        }
    }
    assert_eq!(seen.len(), TypedStatus::ALL.len());
}
