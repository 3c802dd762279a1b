//! Totals by the counters and by the rows.

use super::{NAMES, seeded};
use crate::{
    domains::{Filter, Page, Warnings, listing, stretches::Stretches},
    tables::Tables,
};

#[tokio::test]
async fn a_total_of_counted_conditions_equals_the_count_of_rows() {
    let (_test, database, campaign) = seeded(NAMES, NAMES).await;
    let with = |change: fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        filter
    };
    let counted = [
        (with(|_| ()), NAMES),
        (with(|f| f.dns_status = Some("ok".into())), NAMES / 3),
        (with(|f| f.http_status = Some("ok".into())), NAMES * 3 / 10),
        (with(|f| f.dns_reason = Some("SERVFAIL".into())), NAMES / 3),
        (
            with(|f| f.http_reason = Some("TLS_ERROR".into())),
            NAMES * 7 / 10,
        ),
        (
            with(|f| f.rejection_reasons = Some(vec!["qualified".into()])),
            NAMES * 3 / 10,
        ),
        // Resolved, and with a page.
        (with(|f| f.failed = Some(false)), NAMES / 10),
        (with(|f| f.failed = Some(true)), NAMES * 9 / 10),
        (with(|f| f.has_contact = Some(true)), NAMES / 10),
        (with(|f| f.has_contact = Some(false)), NAMES * 9 / 10),
        (with(|f| f.warnings = Some(Warnings::Has)), 819),
        (with(|f| f.warnings = Some(Warnings::None)), NAMES - 819),
    ];
    let page = Page {
        limit: 10,
        ..Page::default()
    };
    for (filter, total) in counted {
        assert!(filter.is_counted());
        let counted = listing(database.pool(), campaign, &filter, &page)
            .await
            .unwrap();
        assert_eq!(
            (counted.total, counted.rows.len()),
            (total, 11),
            "{filter:?}"
        );
        // The same through the rows, which is how conditions are counted that the counters do not keep apart.
        let mut connection = database.pool().begin().await.unwrap();
        let recounted = Stretches::recounted(&mut connection, Tables::Live, campaign, &filter)
            .await
            .unwrap();
        let summed = Stretches::counted(&mut connection, Tables::Live, campaign, &filter, None)
            .await
            .unwrap();
        assert_eq!(recounted, summed, "{filter:?}");
        assert_eq!(recounted.total(), counted.total, "{filter:?}");
    }
    database.close().await;
}
