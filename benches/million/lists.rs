//! What pages of a million domains cost: the first ones, those at the end, and while another campaign runs.

use std::time::{Duration, Instant};

use reqwest::Method;

use crate::{
    campaign,
    support::{Session, percentile},
};

/// Domains a page.
const PAGE: usize = 100;
/// How often each page is asked for.
const ROUNDS: usize = 40;
/// What a deep page may cost of the first one.
const GOAL: f64 = 2.0;
/// Names of the campaign that runs meanwhile.
const MEANWHILE: usize = 200_000;

/// Every way of listing, and how many pages of it are walked to its deep page.
const LISTS: [(&str, usize); 6] = [
    ("", 9_998),
    ("dnsReason=NXDOMAIN", 9_498),
    ("rejectionReason=dns_error", 9_498),
    ("dnsStatus=ok", 498),
    ("keyword=telecom&minScore=1", 498),
    ("sort=richness_score&dir=desc", 9_998),
];

/// Measures every list, alone and beside a campaign that runs.
pub(crate) async fn measure(client: &Session, path: &str) {
    let mut deep = Vec::new();
    for (filter, pages) in LISTS {
        let after = cursor_after(client, path, filter, pages).await;
        let first = median(client, &page(path, filter, None)).await;
        let last = median(client, &page(path, filter, Some(&after))).await;
        println!(
            "list {filter:?}: page 1 {:.1} ms, page {} {:.1} ms; ratio {:.2} (goal {GOAL})",
            ms(first),
            pages + 2,
            ms(last),
            last.as_secs_f64() / first.as_secs_f64(),
        );
        deep.push(page(path, filter, Some(&after)));
        deep.push(page(path, filter, None));
    }
    let other = campaign(client, "other", MEANWHILE).await;
    let start = format!("{other}/start");
    client.call(Method::POST, &start, None).await;
    let mut taken = Vec::new();
    let begun = Instant::now();
    let running = async {
        loop {
            for list in &deep {
                taken.push(ask(client, list).await.0);
            }
        }
    };
    tokio::select! {
        () = running => {}
        () = client.wait_until_completed(&other) => {}
    }
    println!(
        "lists while a campaign of {MEANWHILE} names runs ({:.0} s): {} pages, median {:.1} ms, p99 {:.1} ms",
        begun.elapsed().as_secs_f64(),
        taken.len(),
        ms(percentile(&mut taken, 50)),
        ms(percentile(&mut taken, 99)),
    );
}

fn ms(taken: Duration) -> f64 {
    taken.as_secs_f64() * 1_000.0
}

fn page(path: &str, filter: &str, after: Option<&str>) -> String {
    let after = after.map(|after| format!("&after={after}"));
    format!(
        "{path}/domains?first={PAGE}&{filter}{}",
        after.unwrap_or_default()
    )
}

/// Walks so many pages, ten at a time, and returns the cursor that the last of them ends with.
async fn cursor_after(client: &Session, path: &str, filter: &str, pages: usize) -> String {
    let mut after = String::new();
    let mut left = pages * PAGE;
    while left > 0 {
        let first = left.min(PAGE * 10);
        let list = format!("{path}/domains?first={first}&{filter}{after}");
        let list = client.call(Method::GET, &list, None).await;
        let cursor = list["pageInfo"]["endCursor"].as_str().expect("a cursor");
        after = format!("&after={cursor}");
        left -= first;
    }
    after.trim_start_matches("&after=").to_owned()
}

async fn ask(client: &Session, list: &str) -> (Duration, usize) {
    let begun = Instant::now();
    let answer = client.call(Method::GET, list, None).await;
    let items = answer["items"].as_array().map_or(0, Vec::len);
    (begun.elapsed(), items)
}

async fn median(client: &Session, list: &str) -> Duration {
    let mut taken = Vec::new();
    for _ in 0..ROUNDS {
        let (time, items) = ask(client, list).await;
        assert_eq!(items, PAGE, "{list}");
        taken.push(time);
    }
    percentile(&mut taken, 50)
}
