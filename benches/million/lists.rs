//! What pages of a million domains cost: the first and the 10,000th of every filter and sort that has so many, by cursor,
//! and both while another campaign runs.

use std::time::{Duration, Instant};

use reqwest::Method;

use crate::{
    NAMES, campaign,
    support::{Session, percentile},
};

/// Which page is held against the first one.
const DEEP: usize = 10_000;
/// How often each page is asked for.
const ROUNDS: usize = 40;
/// What one of the two pages may cost of the other.
const GOAL: f64 = 2.0;
/// Names of the campaign that runs meanwhile.
const MEANWHILE: usize = 200_000;

/// Every filter of the list and every sort, those of the campaign's own findings with each of their values.
const LISTS: [&str; 66] = [
    "",
    "dir=desc",
    "dnsStatus=pending",
    "dnsStatus=ok",
    "dnsStatus=ok&dir=desc",
    "dnsStatus=error",
    "dnsStatus=error&dir=desc",
    "dnsStatus=timeout",
    "httpStatus=pending",
    "httpStatus=ok",
    "httpStatus=error",
    "httpStatus=timeout",
    "dnsReason=NXDOMAIN",
    "dnsReason=NXDOMAIN&dir=desc",
    "dnsReason=SERVFAIL",
    "dnsReason=REFUSED",
    "dnsReason=NOANSWER",
    "dnsReason=TIMEOUT",
    "dnsReason=ERROR",
    "httpReason=TIMEOUT",
    "httpReason=NOT_FOUND",
    "httpReason=UPSTREAM_5XX",
    "httpReason=PROXY_ERROR",
    "httpReason=TLS_ERROR",
    "httpReason=SSL_EXPIRED",
    "httpReason=CONNECTION_RESET",
    "httpReason=ERROR",
    "minScore=1",
    "minScore=1&dir=desc",
    "notParked=true",
    "notParked=false",
    "hasContact=true",
    "hasContact=false",
    "hasContact=false&dir=desc",
    "keyword=telecom",
    "keyword=telecom&dir=desc",
    "keyword=telecom&minScore=1",
    "warnings=has",
    "warnings=none",
    "rejectionReason=qualified",
    "rejectionReason=low_score",
    "rejectionReason=no_keywords",
    "rejectionReason=parked",
    "rejectionReason=dns_error",
    "rejectionReason=dns_timeout",
    "rejectionReason=http_error",
    "rejectionReason=http_timeout",
    "rejectionReason=dns_error&dir=desc",
    "rejectionReason=no_keywords,dns_error",
    "dnsStatus=ok&sort=richness_score",
    "dnsStatus=error&sort=richness_score",
    "dnsStatus=error&sort=keywords_unique",
    "rejectionReason=no_keywords&sort=richness_score&dir=asc",
    "rejectionReason=no_keywords&sort=richness_score&dir=desc",
    "rejectionReason=no_keywords&sort=keywords_unique&dir=desc",
    "keyword=telecom&sort=richness_score&dir=asc",
    "keyword=telecom&sort=richness_score&dir=desc",
    "notParked=true&sort=microcrawl_gain&dir=desc",
    "minScore=1&sort=richness_score&dir=asc",
    "minScore=1&sort=richness_score&dir=desc",
    "sort=richness_score&dir=asc",
    "sort=richness_score&dir=desc",
    "sort=microcrawl_gain&dir=asc",
    "sort=microcrawl_gain&dir=desc",
    "sort=keywords_unique&dir=asc",
    "sort=keywords_unique&dir=desc",
];

/// Measures every list, alone and beside a campaign that runs.
pub(crate) async fn measure(client: &Session, path: &str) {
    let mut asked = Vec::new();
    let mut worst = 0.0_f64;
    for list in LISTS {
        let list = List::of(client, path, list).await;
        if list.size == 0 {
            println!(
                "list {:?}: {} names, no page {DEEP}",
                list.filter, list.total
            );
            continue;
        }
        let first = list.page(None);
        let deep = list.page(Some(&list.deep_cursor(client).await));
        let (early, late) = (
            median(client, &first, list.size).await,
            median(client, &deep, list.size).await,
        );
        let ratio = late.as_secs_f64() / early.as_secs_f64();
        println!(
            "list {:?}: {} names, {} a page: page 1 {:.1} ms, page {DEEP} {:.1} ms; deep/first {ratio:.2}, \
             first/deep {:.2} (goal {GOAL})",
            list.filter,
            list.total,
            list.size,
            ms(early),
            ms(late),
            ratio.recip(),
        );
        worst = worst.max(ratio).max(ratio.recip());
        asked.extend([first, deep]);
    }
    println!(
        "lists: {} with a page {DEEP}, the larger ratio of the two is {worst:.2} at most (goal {GOAL})",
        asked.len() / 2,
    );
    beside_a_campaign(client, &asked).await;
}

/// Asks for these pages again and again until another campaign has gone through all phases.
async fn beside_a_campaign(client: &Session, lists: &[String]) {
    let other = campaign(client, "other", MEANWHILE).await;
    let start = format!("{other}/start");
    client.call(Method::POST, &start, None).await;
    let mut taken = Vec::new();
    let begun = Instant::now();
    let running = async {
        loop {
            for list in lists {
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

/// A list, with pages of such a size that there are [`DEEP`] of them and that they are short.
struct List<'a> {
    path: &'a str,
    filter: &'a str,
    total: usize,
    size: usize,
}

impl<'a> List<'a> {
    async fn of(client: &Session, path: &'a str, filter: &'a str) -> Self {
        let one = format!("{path}/domains?first=1&{filter}");
        let answer = client.call(Method::GET, &one, None).await;
        let total = answer["total"].as_u64().and_then(|n| n.try_into().ok());
        let total: usize = total.expect("a total");
        assert!(total <= NAMES, "{filter}");
        Self {
            path,
            filter,
            total,
            size: total / DEEP,
        }
    }

    fn page(&self, after: Option<&str>) -> String {
        let after = after.map(|after| format!("&after={after}"));
        format!(
            "{}/domains?first={}&{}{}",
            self.path,
            self.size,
            self.filter,
            after.unwrap_or_default()
        )
    }

    /// Returns the cursor that the page before the deep one ends with, found by offset.
    async fn deep_cursor(&self, client: &Session) -> String {
        let last = (DEEP - 1) * self.size - 1;
        let list = format!(
            "{}/domains?first=1&offset={last}&{}",
            self.path, self.filter
        );
        let list = client.call(Method::GET, &list, None).await;
        let cursor = list["pageInfo"]["endCursor"].as_str();
        cursor.expect("a cursor").to_owned()
    }
}

async fn ask(client: &Session, list: &str) -> (Duration, usize) {
    let begun = Instant::now();
    let answer = client.call(Method::GET, list, None).await;
    let items = answer["items"].as_array().map_or(0, Vec::len);
    (begun.elapsed(), items)
}

async fn median(client: &Session, list: &str, size: usize) -> Duration {
    let mut taken = Vec::new();
    for _ in 0..ROUNDS {
        let (time, items) = ask(client, list).await;
        assert_eq!(items, size, "{list}");
        taken.push(time);
    }
    percentile(&mut taken, 50)
}
