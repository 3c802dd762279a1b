//! A whole campaign, heard from outside.

use std::collections::BTreeSet;

use aggregates::{
    campaign::{
        Campaign, Command, Create, Mode, PausePhase, Phase, PhaseState, ResumePhase, Source,
        StartPhase,
    },
    ids::{CampaignId, RunId},
};
use domainflow::commands::pin;
use sandbox::World;
use uuid::Uuid;

use super::{
    client::{Message, Stream},
    log::{assert_ids, expected, metadata},
};
use crate::support::{
    eventually,
    pipeline::{pattern, phases},
    server::TestApp,
};

async fn give(app: &TestApp, user: aggregates::ids::UserId, id: CampaignId, command: Command) {
    app.app
        .execute::<Campaign>(&id.to_string(), command, &metadata(user), None)
        .await
        .expect("the command is taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_through_all_phases_is_told_event_by_event_and_progress_keeps_out_of_it() {
    let app = TestApp::in_sandbox(World::generated(3)).await;
    let user = app.user("user").await;
    let user_id = user.user_id.unwrap();
    let id = CampaignId(Uuid::now_v7());
    let source = Source::Pattern {
        pattern: pattern("shop", 4, "abcdefgh"),
        count: Some(2_000),
    };
    let create = Create {
        mode: Mode::FullSequence,
        phases: phases(source, &["espresso"]),
        ..Create::new(user_id, "shops")
    };
    give(&app, user_id, id, Command::Create(create)).await;
    let mut stream = Stream::open(
        &user,
        &format!("/sse/campaigns/{id}/events?domains=all"),
        None,
    )
    .await;
    let start = stream.cursor;
    let (campaign, _) = app
        .app
        .database
        .log()
        .load::<Campaign>(&id.to_string())
        .await
        .unwrap();
    let pinned = pin::pin(
        &app.app.database,
        &campaign,
        Phase::Discovery,
        &app.app.defaults,
    )
    .await
    .unwrap();
    give(
        &app,
        user_id,
        id,
        Command::StartPhase(StartPhase {
            run_id: RunId(Uuid::now_v7()),
            pinned,
            auto: false,
        }),
    )
    .await;

    let pausing = async {
        // Whatever runs when the pause comes: the sandbox may be quick.
        let phase = eventually("a run is paused in the middle", || async {
            let (campaign, _) = app
                .app
                .database
                .log()
                .load::<Campaign>(&id.to_string())
                .await
                .unwrap();
            let phase = campaign
                .active_phase()
                .filter(|phase| *phase != Phase::Discovery)?;
            let pause = Command::PausePhase(PausePhase {
                phase,
                expected: Some(PhaseState::Running),
            });
            let paused = app
                .app
                .execute::<Campaign>(&id.to_string(), pause, &metadata(user_id), None)
                .await;
            paused.is_ok().then_some(phase)
        })
        .await;
        eventually("batches under way have ended", || async {
            let open = app.app.orders.open().await.expect("orders answer");
            (open.get("leased").copied().unwrap_or(0) == 0).then_some(())
        })
        .await;
        give(
            &app,
            user_id,
            id,
            Command::ResumePhase(ResumePhase {
                phase,
                expected: None,
            }),
        )
        .await;
    };
    let hearing = stream.until(|message| message.kind == "campaign_completed");
    let ((), messages) = tokio::join!(pausing, hearing);

    assert_ids(
        &messages,
        &expected(&app.app, user_id, Some(id), start).await,
    );
    let kinds: BTreeSet<&str> = messages
        .iter()
        .map(|message| message.kind.as_str())
        .collect();
    for kind in [
        "phase_started",
        "phase_auto_started",
        "phase_paused",
        "phase_resumed",
        "phase_completed",
        "campaign_progress",
        "domain_status_delta",
        "domain_scored",
        "analysis_completed",
        "campaign_completed",
    ] {
        assert!(kinds.contains(kind), "{kind} was told: {kinds:?}");
    }
    assert_progress(&messages);
    app.stop().await;
}

/// Progress is of the run that is under way where it is told, and never of one that is paused or over.
fn assert_progress(messages: &[Message]) {
    let (mut running, mut seen): (Option<String>, u64) = (None, 0);
    for message in messages {
        let payload = message.payload();
        let run = payload["runId"].as_str().map(str::to_owned);
        match message.kind.as_str() {
            "phase_started" | "phase_auto_started" | "phase_resumed" => {
                running = run;
                seen = 0;
            }
            "phase_paused" | "phase_completed" | "phase_failed" => running = None,
            "campaign_progress" => {
                assert!(
                    running.is_some() && running == run,
                    "of the run under way: {message:?}"
                );
                assert_eq!(
                    (&payload["status"], &payload["overall"]["status"]),
                    (&"running".into(), &"running".into())
                );
                assert_eq!(payload["phase"], payload["currentPhase"]);
                let done = payload["itemsProcessed"].as_u64().unwrap();
                assert!(
                    done >= seen && done <= payload["itemsTotal"].as_u64().unwrap(),
                    "{message:?}"
                );
                seen = done;
            }
            _ => {}
        }
    }
}
