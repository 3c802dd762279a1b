//! The last events of many streams, and streams of some types alone.

use crate::support::Tally;
use crate::support::{Command, fresh, metadata};

#[tokio::test]
async fn of_each_stream_the_last_event_of_each_type_is_read_up_to_the_version_that_is_asked_for() {
    let fresh = fresh().await;
    let log = fresh.database.log();
    for (stream, amounts) in [("a", [1, 2]), ("b", [3, 4])] {
        for amount in amounts {
            log.execute::<Tally>(stream, Command::Add(amount), &metadata(), None)
                .await
                .unwrap();
        }
        log.execute::<Tally>(stream, Command::Take(1), &metadata(), None)
            .await
            .unwrap();
    }
    let streams = |versions: [u64; 3]| -> Vec<(String, u64)> {
        ["a", "b", "none"]
            .map(str::to_owned)
            .into_iter()
            .zip(versions)
            .collect()
    };
    let latest = async |versions, types: &[&str]| {
        let found = log.latest_of("tally", &streams(versions), types).await;
        let mut found: Vec<(String, u64, String)> = found
            .unwrap()
            .into_iter()
            .map(|event| (event.aggregate_id, event.sequence, event.event_type))
            .collect();
        found.sort();
        found
    };
    let of = |stream: &str, sequence, event_type: &str| {
        (stream.to_owned(), sequence, event_type.to_owned())
    };
    assert_eq!(
        latest([9, 9, 9], &["Added", "Taken"]).await,
        [
            of("a", 2, "Added"),
            of("a", 3, "Taken"),
            of("b", 2, "Added"),
            of("b", 3, "Taken")
        ]
    );
    assert_eq!(
        latest([1, 2, 9], &["Added", "Taken"]).await,
        [of("a", 1, "Added"), of("b", 2, "Added")]
    );
    assert_eq!(latest([9, 9, 9], &["Taken"]).await.len(), 2);
    assert_eq!(latest([0, 0, 0], &["Added"]).await, []);

    let taken = log.stream("tally", "a").of_types(&["Taken"]);
    let page = taken.page(0, 10).await.unwrap();
    assert_eq!(page.len(), 1);
    assert_eq!(page[0].event.sequence, 3);
}
