//! Time travel.

use aggregates::{
    campaign::{ChangeDetails, Command, Status},
    ids::CampaignId,
};
use replay::{At, campaign_at};
use uuid::Uuid;

use crate::support::{World, names};

#[tokio::test]
async fn a_campaign_is_seen_as_it_was_at_a_version_a_moment_and_a_cursor() {
    let world = World::start().await;
    let campaign_id = world.campaign(&names(4)).await;
    let (log, stream) = (world.database.log(), campaign_id.to_string());
    let cursor = log.position_of("campaign", &stream, 3).await.unwrap();
    let moment = log.stream("campaign", &stream).page(2, 1).await.unwrap()[0]
        .event
        .recorded_at;
    let rename = ChangeDetails {
        name: Some("renamed".to_owned()),
        ..ChangeDetails::default()
    };
    world
        .command(campaign_id, Command::ChangeDetails(rename))
        .await;
    log.position_of("campaign", &stream, 4).await.unwrap();

    for at in [At::Version(3), At::Moment(moment), At::Cursor(cursor)] {
        let then = campaign_at(&world.database, campaign_id, at)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (then.version, then.state.name(), then.state.names()),
            (3, "imported", 4),
            "{at:?}"
        );
        assert_eq!(then.status, Status::Draft);
    }
    let first = campaign_at(&world.database, campaign_id, At::Version(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first.state.names(), 0, "the names came later");
    let now = campaign_at(&world.database, campaign_id, At::Version(u64::MAX))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((now.version, now.state.name()), (4, "renamed"));
    let nobody = CampaignId(Uuid::now_v7());
    assert!(
        campaign_at(&world.database, nobody, At::Cursor(cursor))
            .await
            .unwrap()
            .is_none()
    );
}
