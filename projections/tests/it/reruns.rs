//! A new run of a phase.

use crate::support::{
    World, decided, dns_ok, fetched, imported, names, new_campaign, rerun, scored,
};
use aggregates::{campaign::Phase, ids::CampaignId};
use projections::domains::{self, Counts};
use serde_json::{Value, json};

/// A campaign of five domains: the first has findings of all four kinds, each later one of one kind less, and the last
/// was decided upon without any other.
async fn campaign(world: &World) -> CampaignId {
    let (campaign_id, names) = (new_campaign(), names(5));
    let stream = campaign_id.to_string();
    world
        .append(vec![("campaign", stream, 0, imported(0, &names))])
        .await;
    let kinds = [dns_ok(), fetched(Some(&["telecom"])), scored(), decided()];
    for (version, event) in kinds.iter().enumerate() {
        let having = &names[..4 - version];
        world
            .results(campaign_id, having, version as u64, event)
            .await;
    }
    world.results(campaign_id, &names[4..], 0, &decided()).await;
    campaign_id
}

/// Counts the updates of domains: statements, and rows.
const WATCH: &str = "CREATE TABLE watched (what text);
    CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO public.watched VALUES (TG_LEVEL); RETURN NULL; END $$;
    CREATE TRIGGER each_row AFTER UPDATE ON read.domains FOR EACH ROW EXECUTE FUNCTION watch();
    CREATE TRIGGER each_statement AFTER UPDATE ON read.domains FOR EACH STATEMENT EXECUTE FUNCTION watch();";

async fn counts(world: &World, campaign_id: CampaignId) -> Counts {
    domains::counts_of(world.database.pool(), campaign_id)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_rerun_takes_the_findings_of_its_phase_and_of_later_ones_in_one_statement() {
    let world = World::start().await;
    let other = campaign(&world).await;
    world.level().await;
    let others = counts(&world, other).await;
    // The phase, the domains that lose something, and those that keep a finding of each kind.
    let cases = [
        (Phase::Discovery, 0, [4, 3, 2, 2]),
        (Phase::Validation, 5, [0, 0, 0, 0]),
        (Phase::Extraction, 4, [4, 0, 0, 0]),
        (Phase::Analysis, 3, [4, 3, 0, 0]),
        (Phase::Enrichment, 2, [4, 3, 2, 0]),
    ];
    for (phase, rows, [dns, http, score, lead]) in cases {
        let campaign_id = campaign(&world).await;
        world.level().await;
        world.execute(WATCH).await;
        let stream = campaign_id.to_string();
        world
            .append(vec![("campaign", stream, 1, rerun(phase))])
            .await;
        world.level().await;

        let watched = "SELECT count(*) FROM watched WHERE what = ";
        let statements = i64::from(rows > 0);
        assert_eq!(
            world.number(&format!("{watched}'STATEMENT'")).await,
            statements,
            "{phase:?}"
        );
        assert_eq!(
            world.number(&format!("{watched}'ROW'")).await,
            rows,
            "{phase:?}"
        );
        world
            .execute("DROP FUNCTION watch CASCADE; DROP TABLE watched")
            .await;
        let now = counts(&world, campaign_id).await;
        assert_eq!(
            (
                now.generated,
                now.dns("ok"),
                now.http("ok"),
                now.scored,
                now.lead("match")
            ),
            (5, dns, http, score, lead),
            "{phase:?}"
        );
        assert_eq!((now.keyword_hits, now.analyzed), (http, score), "{phase:?}");
        let left_behind = format!(
            "SELECT count(*) FROM read.domains WHERE campaign_id = '{campaign_id}' AND ( \
             dns_status = 'pending' AND (dns_run IS NOT NULL OR addresses IS NOT NULL) \
             OR http_status = 'pending' AND num_nonnulls(http_run, fetched_at, evidence, keywords, keywords_unique, \
                parked_confidence) + has_contact::int > 0 \
             OR NOT scored AND num_nonnulls(score_run, score, score_breakdown, richness_score, features) > 0 \
             OR lead_status = 'pending' AND (lead_run IS NOT NULL OR rejection_reason <> 'pending'))"
        );
        assert_eq!(world.number(&left_behind).await, 0, "{phase:?}");
    }
    assert_eq!(
        counts(&world, other).await,
        others,
        "another campaign is left alone"
    );
}

/// A start of a run of another kind than a full one.
fn partial(phase: Phase, kind: &str) -> Value {
    let mut start = rerun(phase);
    start["PhaseStarted"]["kind"] = json!(kind);
    start
}

fn dns_failed(outcome: &str, reason: &str) -> Value {
    let mut checked = dns_ok();
    checked["DnsChecked"]["outcome"] = json!(outcome);
    checked["DnsChecked"]["reason"] = json!(reason);
    checked
}

#[tokio::test]
async fn a_retry_takes_the_findings_of_failed_checks_and_what_rests_on_them_and_the_runs_after_it_nothing()
 {
    let world = World::start().await;
    let (campaign_id, names) = (new_campaign(), names(5));
    let stream = campaign_id.to_string();
    world
        .append(vec![("campaign", stream.clone(), 0, imported(0, &names))])
        .await;
    let outcomes = [
        dns_ok(),
        dns_ok(),
        dns_failed("error", "NXDOMAIN"),
        dns_failed("error", "SERVFAIL"),
        dns_failed("timeout", "TIMEOUT"),
    ];
    for (name, outcome) in names.iter().zip(&outcomes) {
        world
            .results(campaign_id, std::slice::from_ref(name), 0, outcome)
            .await;
    }
    let mut broken = fetched(None);
    broken["HttpChecked"]["outcome"] = json!("error");
    broken["HttpChecked"]["reason"] = json!("UPSTREAM_5XX");
    world
        .results(campaign_id, &names[..1], 1, &fetched(Some(&["telecom"])))
        .await;
    world.results(campaign_id, &names[1..2], 1, &broken).await;
    world.results(campaign_id, &names[..1], 2, &scored()).await;
    world.results(campaign_id, &names[..1], 3, &decided()).await;
    for rest in [&names[1..2], &names[2..]] {
        let version = if rest.len() == 1 { 2 } else { 1 };
        world.results(campaign_id, rest, version, &decided()).await;
    }
    world.level().await;
    let pending = async |phase: Phase| {
        let ranges = domains::next_boundaries(world.database.pool(), campaign_id, phase, 100).await;
        ranges
            .unwrap()
            .iter()
            .map(|(_, _, items)| items)
            .sum::<i64>()
    };
    for phase in [Phase::Validation, Phase::Extraction, Phase::Enrichment] {
        assert_eq!(pending(phase).await, 0, "{phase}");
    }
    let start = partial(Phase::Extraction, "retry");
    world
        .append(vec![("campaign", stream.clone(), 1, start)])
        .await;
    world.level().await;
    assert_eq!(
        (
            pending(Phase::Validation).await,
            pending(Phase::Extraction).await
        ),
        (0, 1)
    );

    let start = partial(Phase::Validation, "retry");
    world
        .append(vec![("campaign", stream.clone(), 2, start)])
        .await;
    world.level().await;
    let now = counts(&world, campaign_id).await;
    assert_eq!(
        (now.dns("pending"), now.dns("ok"), now.dns("error")),
        (2, 2, 1)
    );
    assert_eq!(
        (now.http("pending"), now.http("ok"), now.http("error")),
        (4, 1, 0)
    );
    assert_eq!(
        (now.scored, now.lead("pending"), now.keyword_hits),
        (1, 3, 1)
    );
    assert_eq!(pending(Phase::Validation).await, 2);
    assert_eq!(pending(Phase::Enrichment).await, 3);
    // Also of a range that holds others.
    for (phase, found_anew) in [
        (Phase::Validation, vec![3, 4]),
        (Phase::Extraction, vec![1]),
        (Phase::Enrichment, vec![1, 3, 4]),
    ] {
        let candidates = domains::candidates(world.database.pool(), campaign_id, (0, 4), phase);
        let candidates = candidates.await.unwrap().into_iter();
        let candidates: Vec<String> = candidates.map(|candidate| candidate.name).collect();
        let expected: Vec<String> = found_anew.iter().map(|at| names[*at].clone()).collect();
        assert_eq!(candidates, expected, "{phase}");
    }

    let start = partial(Phase::Extraction, "rest");
    world
        .append(vec![("campaign", stream.clone(), 3, start)])
        .await;
    world.level().await;
    assert_eq!(counts(&world, campaign_id).await, now);

    // Runs of the log as it was left names that do not exist as they were; a retry of today is about them too.
    let start = partial(Phase::Validation, "retry_failed");
    world.append(vec![("campaign", stream, 4, start)]).await;
    world.level().await;
    let now = counts(&world, campaign_id).await;
    assert_eq!(
        (now.dns("pending"), now.dns("ok"), now.dns("error")),
        (3, 2, 0)
    );
    let mut connection = world.database.pool().acquire().await.unwrap();
    assert_eq!(domains::recount(&mut connection).await.unwrap(), []);
}
