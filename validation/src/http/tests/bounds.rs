use std::sync::LazyLock;
use std::time::Instant;

use tokio::io::AsyncWrite;
use tokio::sync::Barrier;

use super::*;

/// `zeros` zero bytes as gzip: stored once by hand, so that no compressor is needed. A deflate block with one literal zero
/// and then matches of 258 at distance 1, each 2 bits long in a dynamic table, would need a table; the fixed table's 13 bits
/// do as well: 258 bytes in 13 bits is a factor of 158.
fn gzip_of_zeros(matches: usize) -> Vec<u8> {
    let mut bits: Vec<bool> = vec![true, true, false];
    // Literal 0 has the 8-bit code 00110000.
    bits.extend([false, false, true, true, false, false, false, false]);
    for _ in 0..matches {
        // Length 258 is symbol 285, the 8-bit code 11000101; distance 1 is the 5-bit code 00000.
        bits.extend([true, true, false, false, false, true, false, true]);
        bits.extend([false; 5]);
    }
    // End of block: seven zero bits.
    bits.extend([false; 7]);
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    bytes.extend(bits.chunks(8).map(|byte| {
        byte.iter()
            .rev()
            .fold(0_u8, |all, bit| all << 1 | u8::from(*bit))
    }));
    bytes
}

#[tokio::test]
async fn a_decompression_bomb_is_cut_at_the_bound() {
    // 6 MB on the wire, 950 MB unpacked.
    let bomb = Arc::new(gzip_of_zeros(3_700_000));
    let server = Server::answering(move |_| {
        answer(
            "200 OK",
            "Content-Type: text/html\r\nContent-Encoding: gzip\r\n",
            &bomb,
        )
    })
    .await;
    let started = Instant::now();
    let report = fetch(&server).await;
    assert_eq!(report.outcome(), Outcome::Ok, "{:?}", report.fault);
    assert_eq!((report.bytes, report.truncated), (5 << 20, true));
    assert!(started.elapsed() < Duration::from_secs(9));
}

#[tokio::test]
async fn compressed_pages_are_read_and_broken_ones_are_an_error() {
    let server = Server::answering(|_| {
        answer(
            "200 OK",
            "Content-Encoding: gzip\r\n",
            b"not gzip at all, not even a little",
        )
    })
    .await;
    assert_eq!(code(&fetch(&server).await), "body_undecodable");
    let cut = Server::answering(|_| {
        let whole = gzip_of_zeros(100);
        answer(
            "200 OK",
            "Content-Encoding: gzip\r\n",
            &whole[..whole.len() - 20],
        )
    })
    .await;
    assert_eq!(code(&fetch(&cut).await), "body_undecodable");
    // "<h1>hi</h1>" in one uncompressed brotli meta-block.
    let brotli = b"\x0b\x05\x80<h1>hi</h1>\x03";
    let server = Server::answering(move |_| {
        answer(
            "200 OK",
            "Content-Type: text/html\r\nContent-Encoding: br\r\n",
            brotli,
        )
    })
    .await;
    let report = fetch(&server).await;
    assert_eq!(report.page.expect("a page").h1, ["hi"]);
}

#[tokio::test]
async fn an_endless_body_is_cut_and_said_to_be() {
    let server = Server::scripted(|mut stream, _| async move {
        read_head(&mut stream).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>long</title>")
            .await;
        write_forever(&mut stream, &[b'x'; 8192]).await;
    })
    .await;
    let config = Config {
        max_body_bytes: 100_000,
        ..config(server.port)
    };
    let report = fetcher(config).fetch(target("shop.test")).await;
    assert_eq!(
        (report.outcome(), report.bytes, report.truncated),
        (Outcome::Ok, 100_000, true)
    );
    assert_eq!(report.page.unwrap().title.as_deref(), Some("long"));
}

#[tokio::test]
async fn a_body_of_exactly_the_bound_is_whole() {
    let server = Server::answering(|_| ok("0123456789")).await;
    let config = Config {
        max_body_bytes: 10,
        ..config(server.port)
    };
    let report = fetcher(config).fetch(target("shop.test")).await;
    assert_eq!((report.bytes, report.truncated), (10, false));
}

/// Writes a byte now and then until the other side is gone.
async fn drip(stream: &mut (impl AsyncWrite + Unpin)) {
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    while stream.write_all(b"x").await.is_ok() {
        tick.tick().await;
    }
}

#[tokio::test]
async fn whatever_is_slow_ends_as_a_timeout() {
    // Accepts and says nothing.
    let mute = Server::scripted(|mut stream, _| async move {
        read_head(&mut stream).await;
        read_head(&mut stream).await;
    })
    .await;
    // Drips a header without end.
    let header = Server::scripted(|mut stream, _| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await;
        drip(&mut stream).await;
    })
    .await;
    // Drips a body without end.
    let body = Server::scripted(|mut stream, _| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        drip(&mut stream).await;
    })
    .await;
    for server in [mute, header, body] {
        let config = Config {
            timeout: Duration::from_millis(400),
            ..config(server.port)
        };
        let started = Instant::now();
        let report = fetcher(config).fetch(target("shop.test")).await;
        assert_eq!(
            (report.outcome(), report.reason()),
            (Outcome::Timeout, Some(Reason::Timeout))
        );
        assert!(started.elapsed() < Duration::from_secs(5));
        assert!(report.elapsed >= Duration::from_millis(400));
    }
}

#[tokio::test]
async fn a_resolver_that_hangs_ends_as_a_timeout() {
    struct Hangs;
    impl Resolve for Hangs {
        fn resolve<'a>(&'a self, _: &'a str, _: &'a Waits) -> Resolving<'a> {
            Box::pin(std::future::pending())
        }
    }
    let server = Server::answering(|_| redirect("http://other.test/")).await;
    let config = Config {
        timeout: Duration::from_millis(400),
        ..config(server.port)
    };
    let fetcher = Fetcher::new(config, Arc::new(Hangs)).unwrap();
    assert_eq!(
        fetcher.fetch(target("shop.test")).await.outcome(),
        Outcome::Timeout
    );
}

#[tokio::test]
async fn what_a_resolver_waits_for_its_turn_is_no_time_of_the_fetch() {
    /// Waits its turn longer than a fetch may take, and then hangs or answers within the time that is left.
    struct Paced(Option<IpAddr>);
    impl Resolve for Paced {
        fn resolve<'a>(&'a self, _: &'a str, waits: &'a Waits) -> Resolving<'a> {
            Box::pin(async move {
                waits.on(tokio::time::sleep(Duration::from_secs(1))).await;
                let Some(address) = self.0 else {
                    return std::future::pending().await;
                };
                tokio::time::sleep(Duration::from_millis(50)).await;
                Ok(vec![address])
            })
        }
    }
    let server = Server::answering(
        |head| match head.to_lowercase().contains("host: shop.test") {
            true => redirect("http://other.test/"),
            false => ok("x"),
        },
    )
    .await;
    for (address, outcome) in [(Some(loopback(1)), Outcome::Ok), (None, Outcome::Timeout)] {
        let config = Config {
            timeout: Duration::from_millis(500),
            ..config(server.port)
        };
        let fetcher = Fetcher::new(config, Arc::new(Paced(address))).unwrap();
        let started = Instant::now();
        let report = fetcher.fetch(target("shop.test")).await;
        assert_eq!(report.outcome(), outcome, "{:?}", report.fault);
        let whole = started.elapsed();
        assert!(
            report.elapsed + Duration::from_millis(990) <= whole,
            "{:?} of {whole:?}",
            report.elapsed
        );
    }
}

#[tokio::test]
async fn a_redirects_host_of_which_dns_says_nothing_is_a_timeout() {
    struct Silent;
    impl Resolve for Silent {
        fn resolve<'a>(&'a self, _: &'a str, _: &'a Waits) -> Resolving<'a> {
            Box::pin(std::future::ready(Err(Unresolved::Timeout)))
        }
    }
    let server = Server::answering(|_| redirect("http://other.test/")).await;
    let fetcher = Fetcher::new(config(server.port), Arc::new(Silent)).unwrap();
    let report = fetcher.fetch(target("shop.test")).await;
    assert_eq!(
        (report.reason(), code(&report)),
        (Some(Reason::Timeout), "deadline")
    );
    assert_eq!(report.status, None);
    assert_eq!(report.redirects.len(), 1);
}

#[tokio::test]
async fn huge_headers_are_an_error() {
    let many = Server::answering(|_| {
        let headers: String = (0..200).map(|n| format!("X-{n}: y\r\n")).collect();
        answer("200 OK", &headers, b"x")
    })
    .await;
    let long = Server::scripted(|mut stream, _| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await;
        write_forever(&mut stream, &[b'x'; 8192]).await;
    })
    .await;
    for server in [many, long] {
        let report = fetch(&server).await;
        assert_eq!(
            (report.reason(), code(&report)),
            (Some(Reason::Error), "headers_too_large"),
            "{:?}",
            report.fault
        );
    }
}

#[tokio::test]
async fn fetches_keep_to_the_rate_and_do_not_pay_for_it_with_their_time() {
    let server = Server::answering(|_| ok("x")).await;
    let config = Config {
        rate: Some(Rate {
            per_second: 10.0,
            burst: 1,
        }),
        timeout: Duration::from_millis(300),
        ..config(server.port)
    };
    let fetcher = fetcher(config);
    let started = Instant::now();
    let reports =
        futures::future::join_all((0..8).map(|_| fetcher.fetch(target("shop.test")))).await;
    assert!(
        started.elapsed() >= Duration::from_millis(690),
        "{:?}",
        started.elapsed()
    );
    for report in reports {
        assert_eq!(report.outcome(), Outcome::Ok, "{:?}", report.fault);
        assert!(report.elapsed < Duration::from_millis(300));
    }
}

#[tokio::test]
async fn no_more_fetches_are_under_way_than_allowed() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    // Nobody is answered before three are there, so the fetches go in threes.
    static THREE: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(3));
    let server = Server::scripted(|mut stream, _| async move {
        let now = NOW.fetch_add(1, Ordering::SeqCst) + 1;
        MOST.fetch_max(now, Ordering::SeqCst);
        read_head(&mut stream).await;
        THREE.wait().await;
        NOW.fetch_sub(1, Ordering::SeqCst);
        let _ = stream.write_all(&ok("x")).await;
    })
    .await;
    let fetcher = fetcher(Config {
        in_flight: 3,
        ..config(server.port)
    });
    let reports =
        futures::future::join_all((0..21).map(|_| fetcher.fetch(target("shop.test")))).await;
    assert!(reports.iter().all(|report| report.outcome() == Outcome::Ok));
    assert_eq!(MOST.load(Ordering::SeqCst), 3);
}
