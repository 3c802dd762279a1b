//! Generated worlds: what is expected is what is served.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use reqwest::Client;
use sandbox::{DnsVerdict, Fate, Host, HttpVerdict, KEYWORDS, Sandbox, Shares, Verdict, World};
use tokio::task::JoinSet;

use crate::ask::{addresses, udp};
use crate::fetch::{causes, client, http, https};

fn names(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| {
            format!(
                "n{number:05}.{}",
                ["com", "net", "test", "co.uk"][number % 4]
            )
        })
        .collect()
}

/// Finds out about a name as a client would, knowing nothing of the world.
async fn observe(sandbox: &Sandbox, client: &Client, name: &str) -> Verdict {
    let dns = match udp(sandbox.dns_addr(), &format!("{name}."), RecordType::A).await {
        None => DnsVerdict::Timeout,
        Some(answer) => match answer.metadata.response_code {
            ResponseCode::NXDomain => DnsVerdict::NxDomain,
            ResponseCode::ServFail => DnsVerdict::ServFail,
            ResponseCode::Refused => DnsVerdict::Refused,
            ResponseCode::NoError if addresses(&answer).is_empty() => DnsVerdict::NoAnswer,
            ResponseCode::NoError => DnsVerdict::Ok,
            other => panic!("{name}: {other}"),
        },
    };
    let mut verdict = Verdict {
        dns,
        http: None,
        parked: false,
        keywords: Vec::new(),
        further_keywords: Vec::new(),
    };
    if dns != DnsVerdict::Ok {
        return verdict;
    }
    let mut fetched = client.get(https(sandbox, name, "/")).send().await;
    if fetched
        .as_ref()
        .is_err_and(|error| causes(error).contains("HandshakeFailure"))
    {
        fetched = client.get(http(sandbox, name, "/")).send().await;
    }
    let page = match fetched {
        Ok(answer) => match answer.status().as_u16() {
            404 | 410 => Err(HttpVerdict::NotFound),
            500..=599 => Err(HttpVerdict::Upstream5xx),
            _ => {
                let url = answer.url().clone();
                let text = answer.text().await.map_err(|error| classify(&error));
                text.map(|html| (url, html))
            }
        },
        Err(error) => Err(classify(&error)),
    };
    match page {
        Ok((url, html)) => {
            let text = visible(&html);
            verdict.http = Some(HttpVerdict::Ok);
            verdict.parked = text.contains("domain is for sale");
            let shown = |text: &str| {
                let shown = KEYWORDS.iter().filter(|word| text.contains(**word));
                shown.map(|word| (*word).to_owned()).collect::<Vec<_>>()
            };
            verdict.keywords = shown(&text);
            if verdict.keywords.len() < 2 {
                let mut found = BTreeSet::new();
                for path in own_links(&html) {
                    let page = client.get(url.join(path).unwrap()).send().await;
                    let page = page.unwrap().text().await.unwrap();
                    found.extend(shown(&visible(&page)));
                }
                found.retain(|word| !verdict.keywords.contains(word));
                let in_order = KEYWORDS.iter().filter(|word| found.contains(**word));
                verdict.further_keywords = in_order.map(|word| (*word).to_owned()).collect();
            }
        }
        Err(failed) => verdict.http = Some(failed),
    }
    verdict
}

/// Lists where a page links to on its own host.
fn own_links(html: &str) -> BTreeSet<&str> {
    let links = html.split("href=\"").skip(1);
    links
        .filter_map(|rest| rest.split('"').next())
        .filter(|link| link.starts_with('/') && !link.starts_with("//"))
        .collect()
}

fn classify(error: &reqwest::Error) -> HttpVerdict {
    let causes = causes(error);
    match () {
        () if error.is_timeout() => HttpVerdict::Timeout,
        () if causes.contains("Expired") => HttpVerdict::SslExpired,
        () if causes.contains("InvalidCertificate") => HttpVerdict::TlsError,
        () if causes.contains("ConnectionReset") => HttpVerdict::ConnectionReset,
        () => HttpVerdict::Error,
    }
}

/// Cuts scripts, styles and comments out of a page.
fn visible(html: &str) -> String {
    let mut text = html.to_lowercase();
    for (open, close) in [
        ("<script>", "</script>"),
        ("<style>", "</style>"),
        ("<!--", "-->"),
    ] {
        while let Some(start) = text.find(open) {
            let end = text[start..]
                .find(close)
                .map_or(text.len(), |end| start + end + close.len());
            text.replace_range(start..end, "");
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expected_agrees_with_what_is_served_for_two_thousand_names() {
    let world = World::generated(11);
    let names = names(2000);
    let expected = world.expected(&names, &KEYWORDS);
    let verdicts: Vec<Verdict> = names
        .iter()
        .map(|name| world.verdict(name, &KEYWORDS))
        .collect();
    let sandbox = Arc::new(Sandbox::start(world).await.unwrap());
    let client = client(&sandbox);
    for (names, verdicts) in names.chunks(50).zip(verdicts.chunks(50)) {
        let mut observations = JoinSet::new();
        for (name, verdict) in names.iter().cloned().zip(verdicts.iter().cloned()) {
            let (sandbox, client) = (Arc::clone(&sandbox), client.clone());
            observations
                .spawn(async move { (observe(&sandbox, &client, &name).await, verdict, name) });
        }
        while let Some(observation) = observations.join_next().await {
            let (observed, wanted, name) = observation.unwrap();
            assert_eq!(observed, wanted, "{name}");
        }
    }
    // The counts are the verdicts', and none of them is empty by accident.
    let dns = [
        expected.dns_ok,
        expected.nxdomain,
        expected.servfail,
        expected.refused,
        expected.no_answer,
        expected.dns_timeout,
    ];
    let web = [
        expected.http_ok,
        expected.not_found,
        expected.upstream_5xx,
        expected.ssl_expired,
        expected.tls_error,
        expected.connection_reset,
        expected.http_timeout,
        expected.http_error,
    ];
    assert_eq!(
        (expected.names, dns.iter().sum(), web.iter().sum()),
        (2000, 2000_u64, expected.dns_ok)
    );
    assert!(
        dns.iter().chain(&web).all(|count| *count > 0),
        "{expected:?}"
    );
    assert_eq!(
        expected.http_ok,
        verdicts
            .iter()
            .filter(|verdict| verdict.http == Some(HttpVerdict::Ok))
            .count() as u64
    );
    assert_eq!(
        expected.with_keywords,
        verdicts
            .iter()
            .filter(|verdict| !verdict.keywords.is_empty())
            .count() as u64
    );
    assert!(
        expected.parked > 50
            && expected.with_keywords > 300
            && expected.http_ok > expected.with_keywords
    );
}

#[test]
fn a_seed_makes_one_world_and_another_seed_another() {
    let names = names(2000);
    let fates = |seed| {
        let world = World::generated(seed);
        names
            .iter()
            .map(|name| world.fate(name).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(fates(1), fates(1));
    assert_ne!(fates(1), fates(2));
    let verdicts = |seed| {
        names
            .iter()
            .map(|name| World::generated(seed).verdict(name, &KEYWORDS))
            .collect::<Vec<_>>()
    };
    assert_eq!(verdicts(1), verdicts(1));
}

#[test]
fn fates_come_in_their_documented_shares() {
    assert_eq!(Shares::default().total(), 1000);
    let total = 30_000;
    for seed in 0..6 {
        let world = World::generated(seed);
        let mut counts: BTreeMap<Fate, u32> = BTreeMap::new();
        for number in 0..total {
            *counts
                .entry(world.fate(&format!("n{number:05}.com")).unwrap())
                .or_default() += 1;
        }
        for (fate, share) in Shares::default().iter() {
            let (wanted, got) = (
                f64::from(share * total / 1000),
                f64::from(counts.get(&fate).copied().unwrap_or(0)),
            );
            // Four standard deviations.
            assert!(
                (wanted - got).abs() < 4.0 * wanted.sqrt(),
                "seed {seed}, {fate:?}: {got} for {wanted}"
            );
        }
    }
}

#[test]
fn shares_and_keywords_can_be_chosen() {
    let world = World::generated(1)
        .shares(Shares::of([(Fate::Keywords, 1)]))
        .keywords(["zeppelin"]);
    let names = names(200);
    let expected = world.expected(&names, &["ZEPPELIN"]);
    assert_eq!((expected.with_keywords, expected.http_ok), (200, 200));
    assert_eq!(world.expected(&names, &["espresso"]).with_keywords, 0);
    assert_eq!(
        world
            .host("n00000.com", Host::status(404))
            .expected(&names, &["zeppelin"])
            .not_found,
        1
    );
}

#[test]
fn plain_sites_hide_keywords_where_no_reader_sees_them() {
    let world = World::generated(1).shares(Shares::of([(Fate::Plain, 1)]));
    assert_eq!(world.expected(names(300), &KEYWORDS).with_keywords, 0);
}

#[test]
fn names_below_a_domain_exist_only_where_the_domain_says_so() {
    let world = World::generated(5);
    let find = |fate| {
        (0..)
            .map(|n| format!("x{n}.com"))
            .find(|name| world.fate(name) == Some(fate))
            .unwrap()
    };
    let (plain, parked) = (find(Fate::Plain), find(Fate::Parked));
    assert_eq!(world.fate(&format!("www.{plain}")), Some(Fate::Plain));
    assert_eq!(world.fate(&format!("mail.{plain}")), Some(Fate::NxDomain));
    assert_eq!(
        world.fate(&format!("anything.{parked}")),
        Some(Fate::Parked)
    );
    assert_eq!(world.fate("com"), None);
    // A random label, asked for to detect a wildcard, must not be somebody's domain.
    assert_eq!(
        world.fate(&format!("{}.com", "a".repeat(sandbox::LONGEST_LABEL + 1))),
        Some(Fate::NxDomain)
    );
}

#[tokio::test]
async fn thin_pages_lead_to_pages_with_more_keywords() {
    let world = World::generated(1).shares(Shares::of([(Fate::Thin, 1)]));
    assert_eq!(world.verdict("abc.com", &KEYWORDS).keywords.len(), 1);
    let sandbox = Sandbox::start(world).await.unwrap();
    let client = client(&sandbox);
    let get = async |path: &str| {
        client
            .get(http(&sandbox, "abc.com", path))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    };
    assert!(get("/").await.len() < 1024);
    let inner = get("/services.html").await;
    assert!(KEYWORDS.iter().all(|keyword| inner.contains(keyword)));
}
