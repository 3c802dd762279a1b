//! A new run of a phase.

use crate::support::{
    World, decided, dns_ok, fetched, imported, names, new_campaign, rerun, scored,
};
use aggregates::{campaign::Phase, ids::CampaignId};
use projections::domains::{self, Counts};

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
