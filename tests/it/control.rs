//! Pause, resume, stop and start, against workers that are in the middle of things.

use std::time::Duration;

use aggregates::{
    campaign::{
        Command, Event, PausePhase, Phase, Pinned, RecordGenerated, ResumePhase, Source, Status,
        Stop, StopPhase,
    },
    ids::{CampaignId, RunId},
    names::{GENERATOR_VERSION, Pattern},
};
use domainflow::work::{Finished, Orders as _, PostgresOrders};
use futures::future::join_all;
use sandbox::{ResolverScript, World};

use crate::support::{
    eventually,
    pipeline::{Node, Pipeline, network, pattern},
};

/// A world whose only resolver takes its time, so that a run can be met in the middle.
fn slow_world() -> World {
    World::generated(3).resolver(ResolverScript::healthy().delay(Duration::from_millis(150)))
}

async fn slow_pipeline() -> Pipeline {
    Pipeline::start_with(slow_world(), |network, sandbox| {
        network.resolvers = sandbox
            .resolvers()
            .iter()
            .map(ToString::to_string)
            .collect();
    })
    .await
}

fn pause(phase: Phase) -> Command {
    Command::PausePhase(PausePhase {
        phase,
        expected: None,
    })
}

fn resume(phase: Phase) -> Command {
    Command::ResumePhase(ResumePhase {
        phase,
        expected: None,
    })
}

/// Makes a campaign over a pattern and starts its first phase.
async fn started(pipeline: &Pipeline, pattern: Pattern, count: Option<u64>) -> CampaignId {
    let campaign = pipeline.create(pattern, count, &["espresso"]).await;
    pipeline
        .start_phase(campaign, Phase::Discovery)
        .await
        .expect("discovery starts");
    campaign
}

/// Tries to claim an order.
async fn nothing_to_claim(pipeline: &Pipeline) -> bool {
    let orders = &pipeline.app().orders;
    let claimed = orders.claim("late", Duration::from_secs(1), &[]).await;
    claimed.expect("claims answer").is_none()
}

/// Waits until a run of validation has recorded something and is not done.
async fn in_the_middle_of_validation(pipeline: &Pipeline, campaign: CampaignId) {
    eventually("validation is under way", || async {
        let counts = pipeline.counts(campaign).await;
        let checked = counts.generated - counts.dns("pending");
        (checked > 0 && counts.dns("pending") > 0).then_some(())
    })
    .await;
}

/// Counts the results of each kind that the log has for a campaign's domains.
async fn results(pipeline: &Pipeline, campaign: CampaignId, event_type: &str) -> (i64, i64) {
    sqlx::query_as(
        "SELECT count(*), count(DISTINCT aggregate_id) FROM events WHERE aggregate_type = 'domain' \
         AND event_type = $2 AND aggregate_id LIKE $1 || '/%'",
    )
    .bind(campaign.to_string())
    .bind(event_type)
    .fetch_one(pipeline.app().database.pool())
    .await
    .expect("the log answers")
}

async fn leased(pipeline: &Pipeline) -> i64 {
    let open = pipeline.app().orders.open().await.expect("orders answer");
    open.get("leased").copied().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_holds_when_every_order_was_handed_out_before_it() {
    let pipeline = slow_pipeline().await;
    let campaign = started(&pipeline, pattern("shop", 3, "abcdefgh"), None).await;
    // That of discovery may still be, for a moment after the names are there.
    eventually("the only order of validation is handed out", || async {
        let handed_out: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM work_orders JOIN run_plans USING (run_id) \
             WHERE phase = 'validation' AND state = 'leased'",
        )
        .fetch_one(pipeline.app().database.pool())
        .await
        .expect("orders answer");
        (handed_out == 1).then_some(())
    })
    .await;
    assert_eq!(pipeline.counts(campaign).await.generated, 512);
    pipeline
        .command(campaign, pause(Phase::Validation))
        .await
        .expect("pause");
    eventually("the batch under way has ended", || async {
        let (recorded, _) = results(&pipeline, campaign, "DnsChecked").await;
        (recorded == 512 && leased(&pipeline).await == 0).then_some(())
    })
    .await;
    let orders = &pipeline.app().orders;
    let finished = orders.finished_runs().await.expect("orders answer");
    assert_eq!(finished, [], "nothing follows under a pause");

    let resumed = pipeline.command(campaign, resume(Phase::Validation)).await;
    assert_eq!(resumed.expect("the phase is still paused").len(), 1);
    pipeline.reaches(campaign, Status::Completed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_holds_across_a_restart_of_everything_and_resume_repeats_and_skips_nothing() {
    let mut pipeline = slow_pipeline().await;
    let campaign = started(&pipeline, pattern("shop", 4, "abcdefgh"), None).await;
    in_the_middle_of_validation(&pipeline, campaign).await;

    let answered = pipeline
        .command(campaign, pause(Phase::Validation))
        .await
        .expect("pause");
    assert_eq!(answered.len(), 1, "the pause is recorded with the answer");
    assert!(
        nothing_to_claim(&pipeline).await,
        "nothing is leased once the answer says paused"
    );

    pipeline.restart().await;
    eventually("batches under way have ended", || async {
        (leased(&pipeline).await == 0).then_some(())
    })
    .await;
    let (held, _) = results(&pipeline, campaign, "DnsChecked").await;
    assert!(held < 4_096, "the pause came too late to show anything");
    assert!(
        nothing_to_claim(&pipeline).await,
        "the pause is still there after the restart"
    );
    let status = projections::campaigns::by_id(pipeline.app().database.pool(), campaign)
        .await
        .unwrap()
        .unwrap()
        .status();
    assert_eq!(status, Status::Paused);

    pipeline
        .command(campaign, resume(Phase::Validation))
        .await
        .expect("resume");
    pipeline.reaches(campaign, Status::Completed).await;
    for kind in ["DnsChecked", "LeadDecided"] {
        let recorded = results(&pipeline, campaign, kind).await;
        assert_eq!(recorded, (4_096, 4_096), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_starts_at_the_same_moment_make_one_run() {
    let pipeline = Pipeline::start(World::generated(4)).await;
    let campaign = pipeline
        .create(pattern("shop", 2, "abc"), None, &["espresso"])
        .await;
    let starts = join_all((0..8).map(|_| pipeline.start_phase(campaign, Phase::Discovery))).await;
    let recorded: usize = starts
        .into_iter()
        .filter_map(Result::ok)
        .map(|events| events.len())
        .sum();
    assert_eq!(recorded, 1);
    pipeline.reaches(campaign, Status::Completed).await;
    let (started,): (i64,) = sqlx::query_as(
        "SELECT count(*) FROM events WHERE aggregate_type = 'campaign' AND event_type = 'PhaseStarted' \
         AND payload -> 'PhaseStarted' ->> 'phase' = 'discovery'",
    )
    .fetch_one(pipeline.app().database.pool())
    .await
    .unwrap();
    assert_eq!(started, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_that_come_after_a_stop_are_refused_whole() {
    let pipeline = slow_pipeline().await;
    let campaign = started(&pipeline, pattern("shop", 4, "abcdefgh"), Some(4_000)).await;
    in_the_middle_of_validation(&pipeline, campaign).await;
    pipeline
        .command(campaign, Command::Stop(Stop {}))
        .await
        .expect("stop");
    let stopped_with = results(&pipeline, campaign, "DnsChecked").await;
    eventually("workers have given up", || async {
        (leased(&pipeline).await == 0).then_some(())
    })
    .await;
    assert_eq!(
        results(&pipeline, campaign, "DnsChecked").await,
        stopped_with
    );
    assert_eq!(
        stopped_with.0 % 1_000,
        0,
        "a batch is stored whole or not at all"
    );
    pipeline.reaches(campaign, Status::Cancelled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_ran_out_is_somebody_elses_and_its_holder_cannot_finish() {
    let pipeline = Pipeline::without_workers(World::generated(5)).await;
    let app = pipeline.app();
    started(&pipeline, pattern("shop", 2, "abc"), None).await;
    let orders = PostgresOrders::new(app.database.clone());
    let dead = eventually("the run is planned", || async {
        orders
            .claim("dead", Duration::from_millis(1), &[])
            .await
            .unwrap()
    })
    .await;
    let heir = eventually("the lease runs out", || async {
        orders
            .claim("heir", Duration::from_secs(30), &[])
            .await
            .unwrap()
    })
    .await;
    assert_eq!(heir.epoch, dead.epoch + 1);
    assert!(!orders.renew(&dead, Duration::from_secs(1)).await.unwrap());
    let mut transaction = app.database.begin().await.unwrap();
    assert_eq!(
        orders.fence(&mut transaction, &dead).await.unwrap(),
        Finished::LeaseLost
    );
    assert_eq!(
        orders.fence(&mut transaction, &heir).await.unwrap(),
        Finished::Done
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_are_fair_so_that_a_small_campaign_does_not_wait_behind_a_huge_one() {
    let pipeline = Pipeline::without_workers(World::generated(6)).await;
    let orders = PostgresOrders::new(pipeline.app().database.clone());
    let mut campaigns = Vec::new();
    for constant in ["huge", "tiny"] {
        campaigns.push(started(&pipeline, pattern(constant, 2, "abc"), None).await);
    }
    eventually("both are planned", || async {
        (orders.open().await.unwrap().get("pending") == Some(&2)).then_some(())
    })
    .await;
    sqlx::query(
        "INSERT INTO work_orders (run_id, first_ordinal, last_ordinal) SELECT run_id, n, n FROM run_plans, \
         generate_series(1, 50) n WHERE campaign_id = $1",
    )
    .bind(campaigns[0].0)
    .execute(pipeline.app().database.pool())
    .await
    .unwrap();
    let mut served = Vec::new();
    for _ in 0..3 {
        let order = orders
            .claim("worker", Duration::from_secs(30), &[])
            .await
            .unwrap()
            .unwrap();
        served.push(order.campaign_id);
    }
    assert!(
        served.contains(&campaigns[1]),
        "the tiny campaign waited: {served:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_share_the_work_and_record_every_result_once() {
    let pipeline = slow_pipeline().await;
    let second = Node::start(pipeline.database.url(), network(&pipeline.sandbox)).await;
    let campaign = started(&pipeline, pattern("shop", 4, "abcdefgh"), None).await;
    pipeline.reaches(campaign, Status::Completed).await;
    for kind in ["DnsChecked", "LeadDecided"] {
        let recorded = results(&pipeline, campaign, kind).await;
        assert_eq!(recorded, (4_096, 4_096), "{kind}");
    }
    second.stop().await;
}

/// Whether a gate is waited for in a mode.
async fn waits_for_gate(pipeline: &Pipeline, run: RunId, mode: &str) -> bool {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND mode = $2 \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND objid = (hashtext($1)::bigint & 4294967295)::oid)",
    )
    .bind(run.to_string())
    .bind(mode)
    .fetch_one(pipeline.app().database.pool())
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_waits_for_workers_who_are_recording_and_for_none_who_came_later() {
    let pipeline = Pipeline::without_workers(World::generated(8)).await;
    let campaign = started(&pipeline, pattern("shop", 2, "abc"), None).await;
    let run = run_of(&pipeline, campaign).await;
    let (database, orders) = (&pipeline.app().database, &pipeline.app().orders);
    let lease = Duration::from_secs(60);
    let order = eventually("the run is planned", || async {
        orders.claim("recording", lease, &[]).await.unwrap()
    })
    .await;
    let another = "INSERT INTO work_orders (run_id, first_ordinal, last_ordinal) VALUES ($1, 1, 1)";
    let another = sqlx::query(another).bind(run.0);
    another.execute(database.pool()).await.unwrap();
    let mut recording = database.begin().await.unwrap();
    let fenced = orders.fence(&mut recording, &order).await.unwrap();
    assert_eq!(fenced, Finished::Done);
    let scene = async {
        eventually("the pause waits for the worker", || async {
            let waits = waits_for_gate(&pipeline, run, "ExclusiveLock").await;
            waits.then_some(())
        })
        .await;
        let late = orders.clone();
        let later = tokio::spawn(async move { late.claim("later", lease, &[]).await.unwrap() });
        eventually(
            "the later worker waits, or has passed the pause",
            || async {
                let waits = waits_for_gate(&pipeline, run, "ShareLock").await;
                (waits || later.is_finished()).then_some(())
            },
        )
        .await;
        recording.commit().await.unwrap();
        later.await.unwrap()
    };
    let (paused, later) = tokio::join!(pipeline.command(campaign, pause(Phase::Discovery)), scene);
    assert_eq!(paused.unwrap().len(), 1);
    assert!(later.is_none(), "an order was handed out under a pause");
}

async fn run_of(pipeline: &Pipeline, campaign: CampaignId) -> RunId {
    let stream = campaign.to_string();
    let log = pipeline.app().database.log();
    let (state, _) = log
        .load::<aggregates::campaign::Campaign>(&stream)
        .await
        .unwrap();
    state.phase(Phase::Discovery).run().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_discovery_that_was_stopped_and_started_again_makes_no_more_names_than_were_asked_for() {
    let pipeline = Pipeline::without_workers(World::generated(9)).await;
    let pattern = pattern("shop", 2, "abcdefghij");
    let campaign = started(&pipeline, pattern.clone(), Some(10)).await;
    let recorded = Command::RecordGenerated(RecordGenerated {
        run_id: run_of(&pipeline, campaign).await,
        pattern,
        generator_version: GENERATOR_VERSION,
        start: 0,
        count: 6,
        names: 6,
    });
    pipeline.command(campaign, recorded).await.expect("names");
    let stop = Command::StopPhase(StopPhase {
        phase: Phase::Discovery,
    });
    pipeline.command(campaign, stop).await.expect("stop");
    let again = pipeline
        .start_phase(campaign, Phase::Discovery)
        .await
        .unwrap();
    assert!(
        matches!(
            &again[..],
            [Event::PhaseStarted {
                pinned: Pinned::Discovery {
                    source: Source::Pattern { count: Some(4), .. },
                    ..
                },
                ..
            }]
        ),
        "{again:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_fails_again_and_again_ends_its_run_with_the_reason() {
    let pipeline = Pipeline::start(World::generated(10)).await;
    sqlx::raw_sql(
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.evidence := '17'; RETURN NEW; END $$; \
         CREATE TRIGGER spoil BEFORE UPDATE ON read.domains FOR EACH ROW WHEN (NEW.http_status = 'ok') \
         EXECUTE FUNCTION spoil()",
    )
    .execute(pipeline.app().database.pool())
    .await
    .unwrap();
    let campaign = started(&pipeline, pattern("shop", 2, "abcdefgh"), None).await;
    pipeline.reaches(campaign, Status::Failed).await;
    let row = projections::campaigns::by_id(pipeline.app().database.pool(), campaign)
        .await
        .unwrap()
        .unwrap();
    let error = row.phase(Phase::Analysis).error.unwrap_or_default();
    assert!(error.contains("10 times"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_not_planned_before_the_domains_read_model_has_seen_its_start() {
    let database = crate::support::pipeline::database().await;
    let app = domainflow::app::App::open(database.url(), domainflow::work::Network::default())
        .await
        .unwrap();
    let campaign = CampaignId(uuid::Uuid::now_v7());
    let events = crate::support::pipeline::validation_under_way();
    let stream = campaign.to_string();
    let metadata = aggregates::Metadata::new(aggregates::Actor::Operator, "test");
    let mut batch = event_store::BulkAppend::new(&metadata);
    batch
        .stream::<aggregates::campaign::Campaign>(&stream, 0, &events)
        .unwrap();
    batch.append(&app.database).await.unwrap();
    while app.database.sequence().await.unwrap() != Some(0) {}
    // As after a crash: the campaigns read model has seen the start, domains has not, and this process has seen nothing.
    let campaigns = projections::runtime::Runtime::new(
        app.database.clone(),
        vec![std::sync::Arc::new(projections::campaigns::Campaigns)],
    );
    campaigns.catch_up().await.unwrap();
    let coordinator = domainflow::work::Coordinator::new(
        app.database.clone(),
        app.runtime.clone(),
        app.orders.clone(),
        app.defaults.clone(),
        std::sync::Arc::default(),
    );
    let run = projections::campaigns::active_runs(app.database.pool())
        .await
        .unwrap()[0]
        .run_id;
    coordinator.pass().await.unwrap();
    assert!(
        !app.orders.is_planned(run).await.unwrap(),
        "names were left out"
    );
    app.runtime.catch_up().await.unwrap();
    coordinator.pass().await.unwrap();
    let planned: (i64,) = sqlx::query_as("SELECT items FROM run_plans")
        .fetch_one(app.database.pool())
        .await
        .unwrap();
    assert_eq!(planned, (9,));
}
