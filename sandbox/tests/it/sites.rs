//! What sites do over plain HTTP.

use std::time::{Duration, Instant};

use sandbox::{BOMB_SIZE, BROTLI_BOMB_SIZE, Host, KEPT_REQUESTS, Sandbox, Site, Target, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fetch::{builder, causes, client, http};

async fn one(host: Host) -> Sandbox {
    Sandbox::start(World::scripted().host("a.test", host))
        .await
        .unwrap()
}

/// Sends one request by hand and returns the connection.
async fn raw(sandbox: &Sandbox) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", sandbox.http_port()))
        .await
        .unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    stream
}

#[tokio::test]
async fn a_page_is_of_realistic_size_and_shows_its_keywords_and_contacts() {
    let sandbox = one(Host::page(&["espresso", "fair trade"])).await;
    let answer = client(&sandbox)
        .get(http(&sandbox, "a.test", "/"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    assert!((2000..9000).contains(&text.len()), "{} bytes", text.len());
    for part in [
        "espresso",
        "fair trade",
        "<title>",
        "<h1>",
        "mailto:info@a.test",
        "tel:+1",
        "/contact.html",
    ] {
        assert!(text.contains(part), "no {part}");
    }
    let missing = client(&sandbox)
        .get(http(&sandbox, "a.test", "/nothing.html"))
        .send()
        .await
        .unwrap();
    assert_eq!(missing.status(), 404);
}

#[tokio::test]
async fn requests_are_counted_and_the_last_ones_kept_with_their_headers() {
    let sandbox = one(Host::page(&[])).await;
    let client = builder(&sandbox).user_agent("Careful/1.0").build().unwrap();
    for number in 0..KEPT_REQUESTS + 4 {
        client
            .get(http(&sandbox, "a.test", &format!("/?n={number}")))
            .send()
            .await
            .unwrap();
    }
    assert_eq!(sandbox.http_requests("A.test"), KEPT_REQUESTS as u64 + 4);
    assert_eq!(
        (sandbox.http_total(), sandbox.http_peak("a.test")),
        (KEPT_REQUESTS as u64 + 4, 1)
    );
    let seen = sandbox.http_seen("a.test");
    assert_eq!(
        (seen.len(), seen[0].target.as_str()),
        (KEPT_REQUESTS, "/?n=4")
    );
    assert_eq!(seen[0].header("user-agent"), Some("Careful/1.0"));
    assert!(!seen[0].secure && seen.is_sorted_by_key(|seen| seen.at));
}

#[tokio::test]
async fn statuses_cookies_and_retry_after_arrive() {
    let host = Host::status(410)
        .cookie("session=1; Path=/")
        .path("/busy", Site::RetryAfter(503, 7))
        .path("/ok", Site::Html("<p>fine</p>".to_owned()))
        .robots("User-agent: *\nDisallow: /private\n");
    let sandbox = one(host).await;
    let client = client(&sandbox);
    let get = async |path: &str| {
        client
            .get(http(&sandbox, "a.test", path))
            .send()
            .await
            .unwrap()
    };
    let gone = get("/").await;
    assert_eq!(
        (
            gone.status().as_u16(),
            gone.headers()["set-cookie"].to_str().unwrap()
        ),
        (410, "session=1; Path=/")
    );
    let busy = get("/busy").await;
    assert_eq!(
        (
            busy.status().as_u16(),
            busy.headers()["retry-after"].to_str().unwrap()
        ),
        (503, "7")
    );
    assert_eq!(get("/ok").await.text().await.unwrap(), "<p>fine</p>");
    assert!(
        get("/robots.txt")
            .await
            .text()
            .await
            .unwrap()
            .contains("Disallow: /private")
    );
}

#[tokio::test]
async fn a_host_outside_the_world_is_misdirected() {
    let sandbox = one(Host::page(&[])).await;
    let answer = client(&sandbox)
        .get(http(&sandbox, "b.test", "/"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 421);
}

#[tokio::test]
async fn redirects_lead_where_their_script_says() {
    let metadata = "http://169.254.169.254/latest/meta-data/";
    let world = World::scripted()
        .host(
            "path.test",
            Host::page(&[]).path("/", Site::Redirect(302, Target::Path("/home".to_owned()))),
        )
        .host(
            "other.test",
            Host::new(Site::Redirect(
                301,
                Target::Http("path.test".to_owned(), "/".to_owned()),
            )),
        )
        .host("chain.test", Host::new(Site::RedirectChain(5)))
        .host("loop.test", Host::new(Site::RedirectLoop))
        .host(
            "inside.test",
            Host::new(Site::Redirect(302, Target::Verbatim(metadata.to_owned()))),
        );
    let sandbox = Sandbox::start(world).await.unwrap();
    let client = client(&sandbox);
    let get = async |host: &str| client.get(http(&sandbox, host, "/")).send().await;
    assert_eq!(get("path.test").await.unwrap().url().path(), "/home");
    assert_eq!(
        get("other.test").await.unwrap().url().as_str(),
        http(&sandbox, "path.test", "/home")
    );
    assert_eq!(get("chain.test").await.unwrap().url().path(), "/hop/5");
    assert_eq!(sandbox.http_requests("chain.test"), 6);
    assert!(get("loop.test").await.unwrap_err().is_redirect());
    let blind = builder(&sandbox)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let inside = blind
        .get(http(&sandbox, "inside.test", "/"))
        .send()
        .await
        .unwrap();
    assert_eq!(inside.headers()["location"], metadata);
}

#[tokio::test]
async fn a_reset_is_a_reset_before_and_within_the_response() {
    for after in [0, 200] {
        let sandbox = one(Host::new(Site::Reset(after))).await;
        let mut bytes = Vec::new();
        let error = raw(&sandbox)
            .await
            .read_to_end(&mut bytes)
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), bytes.len()),
            (std::io::ErrorKind::ConnectionReset, after)
        );
    }
}

#[tokio::test]
async fn a_silent_site_reads_and_never_answers() {
    let sandbox = one(Host::new(Site::Silent)).await;
    let client = client(&sandbox);
    let get = || client.get(http(&sandbox, "a.test", "/")).send();
    let (first, second) = tokio::join!(get(), get());
    for error in [first.unwrap_err(), second.unwrap_err()] {
        assert!(error.is_timeout(), "{}", causes(&error));
    }
    assert_eq!(
        (sandbox.http_requests("a.test"), sandbox.http_peak("a.test")),
        (2, 2)
    );
}

#[tokio::test]
async fn a_dripping_site_outlasts_the_client() {
    let sandbox = one(Host::new(Site::Drip(Duration::from_millis(5)))).await;
    let answer = client(&sandbox)
        .get(http(&sandbox, "a.test", "/"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn a_delayed_site_answers_late() {
    let delay = Duration::from_millis(150);
    let sandbox = one(Host::new(Site::Delayed(delay, Box::new(Site::Status(404))))).await;
    let begun = Instant::now();
    assert_eq!(
        client(&sandbox)
            .get(http(&sandbox, "a.test", "/"))
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
    assert!(begun.elapsed() >= delay);
}

#[tokio::test]
async fn an_endless_body_goes_on_past_any_bound() {
    let sandbox = one(Host::new(Site::Endless)).await;
    let mut answer = client(&sandbox)
        .get(http(&sandbox, "a.test", "/"))
        .send()
        .await
        .unwrap();
    let mut bytes = 0;
    while bytes < 6 * 1024 * 1024 {
        bytes += answer.chunk().await.unwrap().expect("the body ended").len();
    }
}

#[tokio::test]
async fn a_bomb_is_small_on_the_wire_and_large_unpacked() {
    let sandbox = one(Host::new(Site::GzipBomb)).await;
    let packed = builder(&sandbox)
        .no_gzip()
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap();
    let answer = packed
        .get(http(&sandbox, "a.test", "/"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert!(answer.bytes().await.unwrap().len() < 512 * 1024);
    let unpacking = builder(&sandbox)
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap();
    let answer = unpacking
        .get(http(&sandbox, "a.test", "/"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.bytes().await.unwrap().len(), BOMB_SIZE);
}

#[tokio::test]
async fn four_gibibytes_of_brotli_are_some_kilobytes_on_the_wire() {
    let sandbox = one(Host::new(Site::BrotliBomb)).await;
    let packed = builder(&sandbox).no_brotli().build().unwrap();
    let page = http(&sandbox, "a.test", "/");
    let answer = packed.get(page).send().await.unwrap();
    assert_eq!(answer.headers()["content-encoding"], "br");
    let bytes = u64::try_from(answer.bytes().await.unwrap().len()).unwrap();
    assert!(bytes * 1_000_000 < BROTLI_BOMB_SIZE, "{bytes}");
}

#[tokio::test]
async fn broken_responses_are_broken() {
    let world = World::scripted()
        .host("headers.test", Host::new(Site::HugeHeaders))
        .host("garbage.test", Host::new(Site::Garbage))
        .host("short.test", Host::new(Site::Short));
    let sandbox = Sandbox::start(world).await.unwrap();
    let client = client(&sandbox);
    let get = async |host: &str| client.get(http(&sandbox, host, "/")).send().await;
    assert!(get("headers.test").await.is_err());
    assert!(get("garbage.test").await.is_err());
    let short = get("short.test").await.unwrap();
    assert_eq!(short.content_length(), Some(5000));
    assert!(short.bytes().await.is_err());
}

#[tokio::test]
async fn a_wrong_charset_is_not_the_one_announced() {
    let sandbox = one(Host::new(Site::WrongCharset)).await;
    let answer = client(&sandbox)
        .get(http(&sandbox, "a.test", "/"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    let bytes = answer.bytes().await.unwrap();
    assert!(std::str::from_utf8(&bytes).is_err());
}

#[tokio::test]
async fn a_connection_carries_many_requests_and_head_has_no_body() {
    let sandbox = one(Host::html("<p>body</p>")).await;
    let mut stream = TcpStream::connect(("127.0.0.1", sandbox.http_port()))
        .await
        .unwrap();
    stream
        .write_all(
            b"HEAD / HTTP/1.1\r\nHost: a.test:80\r\n\r\nPOST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello\
              GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n",
        )
        .await
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert_eq!(
        (
            text.matches("HTTP/1.1 200 OK").count(),
            text.matches("<p>body</p>").count()
        ),
        (3, 2)
    );
}
