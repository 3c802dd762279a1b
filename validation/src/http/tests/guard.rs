use super::*;

#[tokio::test]
async fn private_addresses_are_refused_before_anything_is_sent() {
    let server = Server::answering(|_| ok("x")).await;
    let config = Config {
        allow: AllowedRanges::Public,
        ..config(server.port)
    };
    let report = fetcher(config).fetch(target("shop.test")).await;
    assert_eq!(
        (report.reason(), code(&report)),
        (Some(Reason::Error), "address_refused")
    );
    assert!(server.heads().is_empty());
}

#[tokio::test]
async fn a_refused_address_beside_an_allowed_one_is_not_tried() {
    let server = Server::answering(|_| ok("x")).await;
    let config = Config {
        allow: AllowedRanges::Ranges(vec!["127.0.0.1".parse().unwrap()]),
        ..config(server.port)
    };
    let both = Target {
        host: "shop.test".into(),
        addresses: vec![loopback(2), loopback(1)],
    };
    let report = fetcher(config).fetch(both).await;
    assert_eq!(report.address.unwrap().ip(), loopback(1));
}

#[tokio::test]
async fn redirects_to_forbidden_places_are_refused() {
    for (location, expected) in [
        (
            "http://169.254.169.254/latest/meta-data/",
            "address_refused",
        ),
        ("http://[::ffff:169.254.169.254]/", "address_refused"),
        ("http://0xa9fea9fe/", "address_refused"),
        ("http://metadata.test/", "address_refused"),
        ("http://[fd00:ec2::254]/latest/", "address_refused"),
        ("http://metadata6.test/", "address_refused"),
        ("http://unknown.test/", "redirect_host_unresolved"),
        ("http://shop.test:25/", "redirect_refused"),
        ("file:///etc/passwd", "redirect_refused"),
        ("gopher://shop.test/", "redirect_refused"),
        ("http://", "redirect_invalid"),
    ] {
        let server = Server::answering(move |_| redirect(location)).await;
        let names = Names::with(&[
            ("metadata.test", "169.254.169.254".parse().unwrap()),
            ("metadata6.test", "fd00:ec2::254".parse().unwrap()),
        ]);
        // As an operator has it whose own network may be fetched from.
        let config = Config {
            allow: AllowedRanges::Private,
            ..config(server.port)
        };
        let fetcher = Fetcher::new(config, names).unwrap();
        let report = fetcher.fetch(target("shop.test")).await;
        assert_eq!(
            (report.reason(), code(&report)),
            (Some(Reason::Error), expected),
            "{location}"
        );
        assert_eq!(server.heads().len(), 1);
    }
}

#[tokio::test]
async fn a_redirect_from_an_allowed_address_into_a_private_one_is_refused_until_its_range_is_named()
{
    let server = Server::answering(
        |head| match head.to_lowercase().contains("host: shop.test") {
            true => redirect("http://inside.test/"),
            false => ok("<title>inside</title>"),
        },
    )
    .await;
    let only = |ranges: &[&str]| Config {
        allow: AllowedRanges::Ranges(ranges.iter().map(|range| range.parse().unwrap()).collect()),
        ..config(server.port)
    };
    let names = || Names::with(&[("inside.test", "::ffff:127.0.0.1".parse().unwrap())]);
    let from = Target {
        host: "shop.test".into(),
        addresses: vec!["127.0.0.1".parse().unwrap()],
    };
    let fetcher = Fetcher::new(only(&["127.0.0.1/32"]), names()).unwrap();
    assert_eq!(fetcher.fetch(from.clone()).await.outcome(), Outcome::Ok);
    // The same hop, with the target elsewhere on loopback.
    let elsewhere = Names::with(&[("inside.test", loopback(9))]);
    let fetcher = Fetcher::new(only(&["127.0.0.1/32"]), elsewhere).unwrap();
    let report = fetcher.fetch(from).await;
    assert_eq!(code(&report), "address_refused");
    assert!(report.fault.unwrap().text.contains("127.0.0.9"));
}

#[tokio::test]
async fn the_resolver_is_asked_once_a_hop_and_never_for_the_own_host() {
    let server = Server::answering(|head| {
        let head = head.to_lowercase();
        match (head.contains("host: shop.test"), head.starts_with("get / ")) {
            (true, true) => redirect("/next"),
            (true, false) => redirect("http://other.test/"),
            _ => ok("x"),
        }
    })
    .await;
    let names = Names::with(&[("other.test", loopback(1))]);
    let fetcher =
        Fetcher::new(config(server.port), Arc::clone(&names) as Arc<dyn Resolve>).unwrap();
    assert_eq!(
        fetcher.fetch(target("shop.test")).await.outcome(),
        Outcome::Ok
    );
    assert_eq!(*names.asked.lock().unwrap(), ["other.test"]);
}

#[tokio::test]
async fn fetches_of_one_host_with_different_addresses_do_not_mix() {
    // Each address answers with itself, because the listener is told which one was dialled.
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                read_head(&mut stream).await;
                let own = stream.local_addr().unwrap().ip();
                let _ = stream
                    .write_all(&ok(&format!("<title>{own}</title>")))
                    .await;
            });
        }
    });
    let fetcher = fetcher(config(port));
    let fetches = (1..=200_u8).map(|last| {
        let fetcher = fetcher.clone();
        let target = Target {
            host: "shop.test".into(),
            addresses: vec![loopback(last)],
        };
        async move {
            let report = fetcher.fetch(target).await;
            let title = report.page.and_then(|page| page.title);
            assert_eq!(title, Some(loopback(last).to_string()));
        }
    });
    futures::future::join_all(fetches).await;
    server.abort();
}
