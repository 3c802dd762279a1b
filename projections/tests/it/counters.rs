//! Counters that have come to nothing.

use crate::support::{World, dns_ok, imported, names, new_campaign};

#[tokio::test]
async fn empty_counters_are_deleted_in_the_campaigns_of_the_batch_and_nowhere_else() {
    let world = World::start().await;
    let (names, campaigns) = (names(3), [new_campaign(), new_campaign()]);
    for campaign_id in campaigns {
        let stream = campaign_id.to_string();
        world
            .append(vec![("campaign", stream, 0, imported(0, &names))])
            .await;
    }
    world.level().await;
    // A counter of each campaign that stands at nothing, as one that a page of its own would leave behind.
    world
        .execute(
            "INSERT INTO read.domain_counts SELECT campaign_id, 'error', 'SERVFAIL', http_status, http_reason, \
             lead_status, rejection_reason, keyword_hit, scored, high_potential, warned, 0 FROM read.domain_counts",
        )
        .await;
    world.results(campaigns[0], &names, 0, &dns_ok()).await;
    world
        .catch_up(std::sync::Arc::new(projections::domains::Domains))
        .await;

    let empty = |campaign_id| {
        let query = format!(
            "SELECT count(*) FROM read.domain_counts WHERE n = 0 AND campaign_id = '{campaign_id}'"
        );
        let world = &world;
        async move { world.number(&query).await }
    };
    assert_eq!(empty(campaigns[0]).await, 0, "of the batch's campaign");
    assert_eq!(
        empty(campaigns[1]).await,
        1,
        "of a campaign that the batch does not touch"
    );
    let rows = format!(
        "SELECT count(*) FROM read.domain_counts WHERE campaign_id = '{}'",
        campaigns[0]
    );
    assert_eq!(
        world.number(&rows).await,
        1,
        "all of its domains are of one kind"
    );
}
