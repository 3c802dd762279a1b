//! What is no word of the site, and keeps nobody from it: busy proxies, and campaigns that are busy themselves.

use std::time::Duration;

use url::Url;

use super::politeness::{LIFTED, NEVER, Watch, at, bound, until};
use super::*;
use crate::http::politeness::{Exempt, Limits};

#[tokio::test]
async fn what_a_forwarding_proxy_says_for_itself_is_not_booked_on_the_site() {
    let busy = |headers: &str| {
        let headers = format!("Retry-After: 3600\r\n{headers}");
        answer("503 Service Unavailable", &headers, b"")
    };
    for (headers, back_offs) in [
        ("", 0),
        ("Via: 1.1 edge\r\n", 1),
        (
            "Via: 1.1 edge\r\nProxy-Status: edge; error=something_new\r\n",
            0,
        ),
        ("Via: 1.1 edge\r\nX-Squid-Error: ERR_SHUTTING_DOWN 0\r\n", 0),
    ] {
        let answer = busy(headers);
        let proxy = Server::answering(move |_| answer.clone()).await;
        let politeness = Politeness::new(LIFTED, Exempt::default());
        let fetcher = fetcher(Config {
            politeness: Some(politeness.clone()),
            ..through_proxy(proxy.port, PoolConfig::default())
        });
        fetcher.fetch(at("shop.test", 7)).await;
        assert_eq!(proxy.heads().len(), 1, "{headers}");
        assert_eq!(politeness.standing().back_offs, back_offs, "{headers}");
    }
}

#[tokio::test]
async fn a_tunnel_that_a_proxy_refuses_is_not_booked_on_the_site() {
    for status in ["407 Who", "429 Busy", "502 Bad", "503 Busy", "504 Late"] {
        let answer = answer(status, "Retry-After: 3600\r\nVia: 1.1 edge\r\n", b"");
        let proxy = Server::answering(move |_| answer.clone()).await;
        let politeness = Politeness::new(LIFTED, Exempt::default());
        let fetcher = fetcher(Config {
            politeness: Some(politeness.clone()),
            forward_inside: false,
            ..through_proxy(proxy.port, PoolConfig::default())
        });
        fetcher.fetch(at("shop.test", 7)).await;
        assert!(proxy.heads()[0].starts_with("CONNECT"), "{status}");
        assert_eq!(politeness.standing().back_offs, 0, "{status}");
    }
}

/// A fetcher whose own campaign is busy for as long as a test lasts, after its first page.
async fn busy_campaigns(port: u16, politeness: &Politeness) -> Vec<Fetcher> {
    let slow = Rate {
        per_second: NEVER,
        burst: 1,
    };
    let polite = |config: Config| Config {
        politeness: Some(politeness.clone()),
        ..config
    };
    let by_pace = fetcher(polite(Config {
        rate: Some(slow),
        ..config(port)
    }));
    let by_proxy = fetcher(polite(through_proxy(
        port,
        PoolConfig {
            rate: Some(slow),
            ..PoolConfig::default()
        },
    )));
    for fetcher in [&by_pace, &by_proxy] {
        let report = fetcher.fetch(at("before.test", 3)).await;
        assert_eq!(report.outcome(), Outcome::Ok);
    }
    let by_place = fetcher(polite(Config {
        in_flight: 1,
        ..config(port)
    }));
    vec![by_pace, by_proxy, by_place]
}

#[tokio::test]
async fn a_campaign_that_waits_for_its_own_turn_keeps_no_site_from_others() {
    let watch = Watch::start().await;
    // At every loopback address.
    let silent = Server::scripted_at("0.0.0.0:0", |stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let one = bound(1, 1e6);
    let limits = Limits {
        domain: one,
        address: one,
        ..LIFTED
    };
    let politeness = Politeness::new(limits, Exempt::default());
    let other = fetcher(Config {
        politeness: Some(politeness.clone()),
        ..config(watch.server.port)
    });
    for busy in busy_campaigns(watch.server.port, &politeness).await {
        // The third has its only place with a site that says nothing.
        let elsewhere = Url::parse(&format!("http://silent.test:{}/", silent.port)).unwrap();
        let places = busy.inner.in_flight.available_permits();
        let in_place = async {
            match places {
                1 => drop(busy.fetch_url(elsewhere, &[loopback(9)]).await),
                _ => std::future::pending().await,
            }
        };
        let waits = async {
            until(|| places != 1 || busy.inner.in_flight.available_permits() == 0).await;
            busy.fetch(at("shop.test", 1)).await
        };
        let page = tokio::time::timeout(Duration::from_secs(8), other.fetch(at("shop.test", 1)));
        let page = async {
            // Until the other stands where it waits.
            until(|| places != 1 || busy.inner.in_flight.available_permits() == 0).await;
            page.await
        };
        tokio::select! {
            biased;
            () = in_place => panic!("it says something"),
            report = waits => panic!("{report:?}"),
            page = page => assert_eq!(page.expect("it is kept from it").outcome(), Outcome::Ok),
        }
    }
}
