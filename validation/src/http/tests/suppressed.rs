//! Whom the suppression list keeps a fetch from: nothing is sent, not even a question for the address.

use uuid::Uuid;

use super::*;
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
