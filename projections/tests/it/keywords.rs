//! Keywords come out of the read model as they went in.

use projections::domains;

use crate::support::{World, dns_ok, fetched, imported, names, new_campaign};

#[tokio::test]
async fn keywords_come_out_as_they_went_in_whatever_they_are_made_of() {
    let world = World::start().await;
    let campaign_id = new_campaign();
    let lists: [Option<&[&str]>; 6] = [
        Some(&["a\u{1f}b", "\u{1f}", "c"]),
        Some(&["\"quoted\"", "it's", "'", "\"\""]),
        Some(&[
            "back\\slash",
            "\\",
            "\\u001f",
            "\\\"",
            "{}",
            "{a,b}",
            "NULL",
            " ",
        ]),
        Some(&["für", "日本語", "🦀", "line\nbreak", "tab\t"]),
        Some(&[]),
        None,
    ];
    let names = names(lists.len());
    let stream = campaign_id.to_string();
    world
        .append(vec![("campaign", stream, 0, imported(0, &names))])
        .await;
    world.results(campaign_id, &names, 0, &dns_ok()).await;
    // In one commit, so that they are written by one statement.
    let events = names.iter().zip(lists).map(|(name, keywords)| {
        let stream = aggregates::domain::stream_id(campaign_id, name);
        ("domain", stream, 1, fetched(keywords))
    });
    world.append(events.collect()).await;
    world.level().await;

    for (name, keywords) in names.iter().zip(lists) {
        let row = domains::by_name(world.database.pool(), campaign_id, name)
            .await
            .unwrap()
            .unwrap();
        let kept = row.keywords.as_deref();
        assert_eq!(
            kept.map(|kept| kept.iter().map(String::as_str).collect::<Vec<_>>()),
            keywords.map(<[&str]>::to_vec),
            "{name}"
        );
        assert_eq!(
            row.keywords_unique,
            keywords.map(|keywords| i32::try_from(keywords.len()).unwrap())
        );
        // Each is found again by itself, and what scoring rests on has the same patterns.
        for keyword in keywords.unwrap_or_default() {
            let filter = domains::Filter {
                keyword: Some((*keyword).to_owned()),
                ..domains::Filter::default()
            };
            let page = domains::Page {
                limit: 10,
                ..domains::Page::default()
            };
            let found = domains::page(world.database.pool(), campaign_id, &filter, &page)
                .await
                .unwrap();
            let found: Vec<&String> = found.iter().map(|row| &row.name).collect();
            assert_eq!(found, [name], "{keyword:?}");
        }
        let evidence: domains::PageEvidence =
            serde_json::from_value(row.evidence.unwrap()).unwrap();
        let patterns = evidence.keywords.map(|found| {
            let patterns = found.into_iter().map(|found| found.pattern);
            patterns.collect::<Vec<_>>()
        });
        assert_eq!(patterns, row.keywords);
    }
}
