//! Whom the suppression list keeps a fetch from: nothing is sent, not even a question for the address.

use uuid::Uuid;

use super::*;
use crate::http::politeness;
use crate::suppression::{Entry, Kind, List, SUPPRESSED, Suppression};

fn list(kind: Kind, value: &str) -> List {
    let value = value.to_owned();
    let id = Uuid::from_u128(7);
    List::new([Entry { id, kind, value }]).unwrap()
}

fn with(port: u16, kind: Kind, value: &str) -> Config {
    let suppression = Suppression::default();
    suppression.set(list(kind, value));
    Config {
        suppression,
        ..config(port)
    }
}

#[track_caller]
fn assert_suppressed(report: &Report) {
    assert_eq!(
        (report.reason(), code(report)),
        (Some(Reason::Error), SUPPRESSED)
    );
    let text = &report.fault.as_ref().unwrap().text;
    assert!(text.contains(&Uuid::from_u128(7).to_string()), "{text}");
}

#[tokio::test]
async fn a_host_or_an_address_on_the_list_is_not_connected_to() {
    for (kind, value) in [
        (Kind::Domain, "shop.test"),
        (Kind::Suffix, "test"),
        (Kind::Cidr, "127.0.0.0/8"),
    ] {
        let server = Server::answering(|_| ok("x")).await;
        let fetcher = fetcher(with(server.port, kind, value));
        assert_suppressed(&fetcher.fetch(target("shop.test")).await);
        assert!(server.heads().is_empty(), "{value}");
    }
}

#[tokio::test]
async fn an_address_on_the_list_beside_another_is_not_tried() {
    let server = Server::answering(|_| ok("x")).await;
    let both = Target {
        host: "shop.test".into(),
        addresses: vec![loopback(2), loopback(1)],
    };
    let report = fetcher(with(server.port, Kind::Cidr, "127.0.0.2/32"))
        .fetch(both)
        .await;
    assert_eq!(report.address.unwrap().ip(), loopback(1));
}

#[tokio::test]
async fn a_redirect_to_somebody_on_the_list_is_not_followed_and_not_looked_up() {
    for (kind, value, asked) in [
        (Kind::Domain, "other.test", 0),
        (Kind::Cidr, "127.0.0.9/32", 1),
    ] {
        let server = Server::answering(|_| redirect("http://www.other.test/")).await;
        let names = Names::with(&[("www.other.test", loopback(9))]);
        let config = with(server.port, kind, value);
        let fetcher = Fetcher::new(config, Arc::clone(&names) as Arc<dyn Resolve>).unwrap();
        let report = fetcher.fetch(target("shop.test")).await;
        assert_suppressed(&report);
        assert_eq!(report.redirects.len(), 1);
        assert_eq!(
            (server.heads().len(), names.asked.lock().unwrap().len()),
            (1, asked)
        );
    }
}

#[tokio::test]
async fn a_list_that_changes_during_a_fetch_holds_for_its_next_hop() {
    let suppression = Suppression::default();
    let listed = suppression.clone();
    let server = Server::answering(move |_| {
        listed.set(list(Kind::Domain, "shop.test"));
        redirect("/next")
    })
    .await;
    let fetcher = fetcher(Config {
        suppression,
        ..config(server.port)
    });
    assert_suppressed(&fetcher.fetch(target("shop.test")).await);
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn nothing_is_fetched_while_no_list_was_read() {
    let server = Server::answering(|_| ok("x")).await;
    let fetcher = fetcher(Config {
        suppression: Suppression::unread(),
        ..config(server.port)
    });
    assert_eq!(code(&fetcher.fetch(target("shop.test")).await), SUPPRESSED);
    assert!(server.heads().is_empty());
}

#[tokio::test]
async fn a_proxy_at_a_suppressed_address_is_not_connected_to_and_the_page_is_not_blamed() {
    let proxy = Server::answering(|_| ok("x")).await;
    let suppression = Suppression::default();
    let fetcher = fetcher(Config {
        suppression: suppression.clone(),
        ..through_proxy(proxy.port, PoolConfig::default())
    });
    // The site is elsewhere.
    let site = || Target {
        host: "shop.test".into(),
        addresses: vec![loopback(7)],
    };
    assert_eq!(fetcher.fetch(site()).await.outcome(), Outcome::Ok);
    suppression.set(list(Kind::Cidr, "127.0.0.1/32"));
    let report = fetcher.fetch(site()).await;
    assert_eq!(
        (report.reason(), code(&report)),
        (Some(Reason::ProxyError), "proxy_suppressed")
    );
    let fault = report.fault.unwrap();
    assert_eq!(fault.blame, Blame::Proxy);
    assert!(fault.text.contains("127.0.0.1"), "{}", fault.text);
    assert_eq!(proxy.heads().len(), 1);
}

/// A fetcher to whom these are the name servers of `shop.test`, under a list that names some.
fn knowing(port: u16, servers: Result<&[&str], Unresolved>) -> Fetcher {
    let servers = servers.map(|all| all.iter().map(|one| (*one).to_owned()).collect());
    let names = Names {
        servers: HashMap::from([("shop.test".to_owned(), servers)]),
        ..Names::default()
    };
    let config = with(port, Kind::NameServer, "parking.example");
    Fetcher::new(config, Arc::new(names)).unwrap()
}

#[tokio::test]
async fn a_host_whose_address_is_known_is_asked_for_its_name_servers_too() {
    let server = Server::answering(|_| ok("x")).await;
    let parked = knowing(server.port, Ok(&["ns1.parking.example"]));
    assert_suppressed(&parked.fetch(target("shop.test")).await);
    let dark = knowing(server.port, Err(Unresolved::Suppressed("unknown".into())));
    assert_eq!(code(&dark.fetch(target("shop.test")).await), SUPPRESSED);
    assert!(server.heads().is_empty());
    let free = knowing(server.port, Ok(&["ns1.other.example"]));
    assert_eq!(free.fetch(target("shop.test")).await.outcome(), Outcome::Ok);
}

#[tokio::test]
async fn the_first_name_server_on_the_list_holds_for_a_page_that_waits_for_its_turn() {
    let suppression = Suppression::default();
    let listed = suppression.clone();
    // The first page of the site puts it onto the list while the second waits for the site.
    let server = Server::answering(move |_| {
        listed.set(list(Kind::NameServer, "parking.example"));
        ok("x")
    })
    .await;
    let parked = Ok(vec!["ns1.parking.example".to_owned()]);
    let names = Names {
        servers: HashMap::from([("shop.test".to_owned(), parked)]),
        ..Names::default()
    };
    let slow = politeness::Bound {
        connections: 1,
        per_second: 20.0,
    };
    let limits = politeness::Limits {
        domain: slow,
        ..politeness::Limits::default()
    };
    let config = Config {
        suppression,
        politeness: Some(Politeness::new(limits, politeness::Exempt::default())),
        ..config(server.port)
    };
    let fetcher = Fetcher::new(config, Arc::new(names)).unwrap();
    let both = [target("shop.test"), target("shop.test")].map(|target| fetcher.fetch(target));
    let [first, second] = futures::future::join_all(both).await.try_into().unwrap();
    assert_eq!(first.outcome(), Outcome::Ok);
    assert_suppressed(&second);
    assert_eq!(server.heads().len(), 1);
}
