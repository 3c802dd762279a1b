use super::*;
use crate::keywords::{Matcher, Rule};

#[tokio::test]
async fn a_page_is_fetched_from_the_given_address_with_the_right_host() {
    let server = Server::answering(|_| {
        answer(
            "200 OK",
            "Content-Type: text/html; charset=iso-8859-1\r\nServer: nginx\r\nX-Secret: no\r\nSet-Cookie: PHPSESSID=1\r\n",
            b"<html lang=de><title>M\xf6bel</title><h1>Hallo</h1>",
        )
    })
    .await;
    let names = Names::with(&[]);
    let fetcher =
        Fetcher::new(config(server.port), Arc::clone(&names) as Arc<dyn Resolve>).unwrap();
    let report = fetcher.fetch(target("Shop.TEST.")).await;
    assert_eq!(report.outcome(), Outcome::Ok, "{:?}", report.fault);
    assert_eq!((report.status, report.reason()), (Some(200), None));
    assert_eq!(
        report.final_url.as_ref().unwrap().as_str(),
        format!("http://shop.test:{}/", server.port)
    );
    assert_eq!(report.header("server"), Some("nginx"));
    assert_eq!(report.header("x-secret"), None);
    assert_eq!(report.cookies, ["PHPSESSID"]);
    assert_eq!(report.address.unwrap().ip(), loopback(1));
    assert_eq!(report.bytes, 48);
    assert_eq!(report.content_hash.as_ref().unwrap().len(), 64);
    assert_eq!(report.https_failure, None);
    let page = report.page.unwrap();
    assert_eq!(page.title.as_deref(), Some("Möbel"));
    assert_eq!(page.language.as_deref(), Some("de"));
    let head = server.heads().remove(0).to_lowercase();
    assert!(head.starts_with("get / http/1.1\r\n"));
    assert!(
        head.contains(&format!("\r\nhost: shop.test:{}\r\n", server.port)),
        "{head}"
    );
    assert!(
        head.contains("\r\nuser-agent: test/1 (+https://example.test/bot)\r\n"),
        "{head}"
    );
    assert!(names.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_keyword_in_a_script_of_a_fetched_page_is_not_a_hit() {
    let server = Server::answering(|_| {
        ok("<!doctype html><html lang=en><head><title>Furniture shop</title><meta name=description content=\"Furniture shop\">\
            <script>var s='telecom telecom';</script></head><body><h1>Furniture</h1><p>Shelves and lamps.</p></body></html>")
    })
    .await;
    let page = fetch(&server).await.page.unwrap();
    let matcher =
        Matcher::compile(&[Rule::literal("telecom"), Rule::literal("furniture")]).unwrap();
    let hits = matcher.scan(&page);
    assert_eq!((hits.unique, hits.hits_total), (1, 3));
}

#[tokio::test]
async fn every_status_has_its_reason() {
    let server = Server::answering(|head| {
        let host = head.to_lowercase();
        let status = host
            .split("host: s")
            .nth(1)
            .and_then(|rest| rest.get(..3))
            .unwrap_or("500")
            .to_owned();
        answer(
            &format!("{status} X"),
            "Retry-After: 7\r\n",
            b"<title>x</title>",
        )
    })
    .await;
    let fetcher = fetcher(config(server.port));
    for (status, reason) in [
        (200, None),
        (204, None),
        (404, Some(Reason::NotFound)),
        (410, Some(Reason::NotFound)),
        (403, Some(Reason::Error)),
        (429, Some(Reason::Error)),
        (304, Some(Reason::Error)),
        (500, Some(Reason::Upstream5xx)),
        (503, Some(Reason::Upstream5xx)),
    ] {
        let report = fetcher.fetch(target(&format!("s{status}.test"))).await;
        assert_eq!((report.status, report.reason()), (Some(status), reason));
        assert_eq!(report.header("retry-after"), Some("7"));
        if reason.is_some() {
            assert_eq!(code(&report), format!("status_{status}"));
            assert!(report.page.is_none());
        }
    }
}

#[tokio::test]
async fn allowed_status_codes_decide_what_a_success_is() {
    let server = Server::answering(|_| answer("403 Forbidden", "", b"<title>No</title>")).await;
    let only = |codes: Vec<u16>| Config {
        allowed_status_codes: codes,
        ..config(server.port)
    };
    let report = fetcher(only(vec![200, 403]))
        .fetch(target("shop.test"))
        .await;
    assert_eq!(report.outcome(), Outcome::Ok);
    assert_eq!(report.page.unwrap().title.as_deref(), Some("No"));
    let server = Server::answering(|_| ok("x")).await;
    let config = Config {
        allowed_status_codes: vec![404],
        ..config(server.port)
    };
    let report = fetcher(config).fetch(target("shop.test")).await;
    assert_eq!(code(&report), "status_200");
}

#[tokio::test]
async fn nobody_listening_is_an_error_with_its_code() {
    let port = Server::answering(|_| ok("x")).await.port;
    let listening_no_more = async || {
        let report = fetcher(config(port)).fetch(target("shop.test")).await;
        code(&report) == "connection_refused" && report.reason() == Some(Reason::Error)
    };
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while !listening_no_more().await {
        assert!(std::time::Instant::now() < deadline);
    }
}

#[tokio::test]
async fn a_connection_that_ends_early_is_a_reset() {
    // Before any answer, cleanly.
    let silent = Server::scripted(|mut stream, _| async move {
        read_head(&mut stream).await;
    })
    .await;
    // Before any answer, with a reset.
    let rude = Server::scripted(|mut stream, _| async move {
        read_head(&mut stream).await;
        stream.set_zero_linger().unwrap();
    })
    .await;
    // In the middle of the body.
    let cut = Server::scripted(|mut stream, _| async move {
        read_head(&mut stream).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            .await;
        let _ = stream.shutdown().await;
    })
    .await;
    for server in [silent, rude, cut] {
        let report = fetch(&server).await;
        assert_eq!(
            report.outcome(),
            Outcome::Error(Reason::ConnectionReset),
            "{:?}",
            report.fault
        );
        assert!(report.page.is_none());
    }
}

#[tokio::test]
async fn what_is_not_http_is_an_error() {
    let server = Server::answering(|_| b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()).await;
    let report = fetch(&server).await;
    assert_eq!(
        (report.reason(), code(&report)),
        (Some(Reason::Error), "malformed_response"),
        "{:?}",
        report.fault
    );
}

#[tokio::test]
async fn a_file_has_a_hash_and_no_page() {
    let server =
        Server::answering(|_| answer("200 OK", "Content-Type: image/png\r\n", b"\x89PNG")).await;
    let report = fetch(&server).await;
    assert_eq!(report.outcome(), Outcome::Ok);
    assert!(report.page.is_none() && report.content_hash.is_some());
}

#[tokio::test]
async fn redirects_are_followed_and_kept() {
    let server = Server::answering(|head| match head.split(' ').nth(1).unwrap_or_default() {
        "/" => redirect("/a?x=1#frag"),
        "/a?x=1" => redirect("b"),
        _ => ok("<title>end</title>"),
    })
    .await;
    let report = fetch(&server).await;
    let base = format!("http://shop.test:{}", server.port);
    assert_eq!(
        report.redirects,
        [format!("{base}/"), format!("{base}/a?x=1")]
    );
    assert_eq!(report.final_url.unwrap().as_str(), format!("{base}/b"));
    assert_eq!(report.page.unwrap().title.as_deref(), Some("end"));
}

#[tokio::test]
async fn loops_and_endless_chains_of_redirects_end() {
    let looping = Server::answering(|head| {
        redirect(if head.starts_with("GET / ") {
            "/x"
        } else {
            "/"
        })
    })
    .await;
    assert_eq!(code(&fetch(&looping).await), "redirect_loop");
    let endless = Server::answering(|head| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        redirect(&format!("{path}x"))
    })
    .await;
    let report = fetch(&endless).await;
    assert_eq!(code(&report), "too_many_redirects");
    assert_eq!((report.redirects.len(), endless.heads().len()), (7, 8));
}

#[tokio::test]
async fn a_redirect_is_an_ordinary_status_where_they_are_not_followed() {
    let server = Server::answering(|_| redirect("/x")).await;
    let config = Config {
        follow_redirects: false,
        ..config(server.port)
    };
    let report = fetcher(config).fetch(target("shop.test")).await;
    assert_eq!(code(&report), "status_302");
    assert_eq!(report.header("location"), Some("/x"));
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn a_wall_of_cookies_is_passed_only_where_they_are_preserved() {
    let wall = |head: &str| match head.contains("seen=1") {
        true => ok("<title>in</title>"),
        false => answer("302 Found", "Location: /\r\nSet-Cookie: seen=1\r\n", b""),
    };
    let server = Server::answering(wall).await;
    assert_eq!(code(&fetch(&server).await), "redirect_loop");
    let config = Config {
        cookies: Cookies::Preserve,
        ..config(server.port)
    };
    let report = fetcher(config).fetch(target("shop.test")).await;
    assert_eq!(report.outcome(), Outcome::Ok, "{:?}", report.fault);
}

#[tokio::test]
async fn headers_and_cookies_of_the_configuration_stay_with_the_domain() {
    let server = Server::answering(
        |head| match head.to_lowercase().contains("host: shop.test") {
            true => redirect("http://other.test/"),
            false => ok("x"),
        },
    )
    .await;
    let config = Config {
        headers: vec![
            ("Accept-Language".into(), "de".into()),
            ("Authorization".into(), "Basic c2VjcmV0".into()),
        ],
        cookies: Cookies::Custom(vec![("consent".into(), "yes".into())]),
        ..config(server.port)
    };
    let fetcher = Fetcher::new(config, Names::with(&[("other.test", loopback(1))])).unwrap();
    assert_eq!(
        fetcher.fetch(target("shop.test")).await.outcome(),
        Outcome::Ok
    );
    let heads: Vec<_> = server
        .heads()
        .iter()
        .map(|head| head.to_lowercase())
        .collect();
    assert!(heads[0].contains("accept-language: de") && heads[1].contains("accept-language: de"));
    assert!(heads[0].contains("authorization: basic") && heads[0].contains("cookie: consent=yes"));
    assert!(!heads[1].contains("authorization") && !heads[1].contains("cookie"));
}

#[tokio::test]
async fn headers_are_sent_in_the_order_of_the_configuration() {
    let server = Server::answering(|_| ok("x")).await;
    let names = |head: &str| -> Vec<String> {
        let lines = head.lines().skip(1).take_while(|line| !line.is_empty());
        lines
            .filter_map(|line| Some(line.split_once(':')?.0.to_lowercase()))
            .collect()
    };
    let ordered = |order: &[&str]| Config {
        headers: vec![
            ("DNT".into(), "1".into()),
            ("Accept-Language".into(), "de".into()),
        ],
        header_order: order.iter().map(|&name| name.to_owned()).collect(),
        cookies: Cookies::Custom(vec![("a".into(), "1".into())]),
        ..config(server.port)
    };
    let whole = [
        "cookie",
        "accept-language",
        "accept-encoding",
        "user-agent",
        "dnt",
        "accept",
        "host",
    ];
    let (default, part) = (ordered(&[]), ordered(&["Accept-Language", "COOKIE"]));
    for config in [default, part, ordered(&whole)] {
        let report = fetcher(config).fetch(target("shop.test")).await;
        assert_eq!(report.outcome(), Outcome::Ok, "{:?}", report.fault);
    }
    let heads: Vec<_> = server.heads().iter().map(|head| names(head)).collect();
    assert_eq!(
        heads[0],
        [
            "host",
            "user-agent",
            "accept",
            "dnt",
            "accept-language",
            "accept-encoding",
            "cookie"
        ]
    );
    assert_eq!(
        heads[1],
        [
            "accept-language",
            "cookie",
            "host",
            "user-agent",
            "accept",
            "dnt",
            "accept-encoding"
        ]
    );
    assert_eq!(heads[2], whole);
    for bad in [&["dnt", "dnt"][..], &["x-else"][..]] {
        assert!(matches!(
            ordered(bad).validate(),
            Err(Error::HeaderOrder(_))
        ));
    }
}

#[tokio::test]
async fn one_page_can_be_fetched_by_its_address() {
    let server = Server::answering(|head| {
        ok(&format!(
            "<title>{}</title>",
            head.split(' ').nth(1).unwrap_or_default()
        ))
    })
    .await;
    let fetcher = fetcher(config(server.port));
    let url = url::Url::parse("http://shop.test/about").unwrap();
    let report = fetcher.fetch_url(url, &[loopback(1)]).await;
    assert_eq!(report.page.unwrap().title.as_deref(), Some("/about"));
}

#[tokio::test]
async fn what_is_not_a_host_is_not_fetched() {
    let fetcher = fetcher(config(1));
    for host in [
        "",
        "a b",
        "shop.test/x",
        "shop.test@evil.test",
        "shop.test:81",
    ] {
        assert_eq!(
            code(&fetcher.fetch(target(host)).await),
            "host_invalid",
            "{host}"
        );
    }
    let nowhere = Target {
        host: "shop.test".into(),
        addresses: Vec::new(),
    };
    assert_eq!(code(&fetcher.fetch(nowhere).await), "no_address");
}
