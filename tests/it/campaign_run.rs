//! Whole campaigns against the sandbox: every phase, every count.

use aggregates::campaign::{Phase, Status};
use sandbox::World;

use crate::support::pipeline::{Pipeline, pattern};

fn names_of(pattern: &aggregates::names::Pattern) -> Vec<String> {
    let names = pattern.names(0, u64::MAX);
    names
        .filter_map(|(_, name)| Some(name?.to_string()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_runs_through_all_phases_and_finds_what_is_there() {
    let pattern = pattern("shop", 3, "abcdefghij");
    let world = World::generated(7);
    let expected = world.expected(names_of(&pattern), &["espresso"]);
    let pipeline = Pipeline::start(world).await;
    let campaign = pipeline.create(pattern, None, &["espresso"]).await;
    pipeline
        .start_phase(campaign, Phase::Discovery)
        .await
        .expect("discovery starts");
    pipeline.reaches(campaign, Status::Completed).await;

    let counts = pipeline.counts(campaign).await;
    assert_eq!(counts.generated, 1_000);
    assert_eq!(counts.dns("ok"), expected.dns_ok);
    assert_eq!(
        counts.dns_reasons.get("NXDOMAIN").copied().unwrap_or(0),
        expected.nxdomain
    );
    assert_eq!(counts.http("ok"), expected.http_ok);
    assert_eq!(counts.keyword_hits, expected.with_keywords_on_site);
    assert_eq!(
        counts.reason("pending"),
        0,
        "every domain of a finished campaign has a reason"
    );
    let report = event_store::check(&pipeline.app().database)
        .await
        .expect("the check runs");
    assert!(report.findings.is_empty(), "{report:?}");
}
