//! CPU per page, the fetcher and reqwest side by side.
//!
//! Both fetch one page of 8 kB from an nginx on this machine, each time over a new connection (with TLS: a new handshake, no
//! session resumed), and read it: title, text, links, 50 keywords, the technologies. One runtime thread each, in turns. CPU is that of the
//! asking thread, the kernel's work for its packets included. `cargo bench -p validation --bench http`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

#[allow(dead_code)]
#[path = "../tests/it/peers/server.rs"]
mod server;

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use server::{Program, Server, free};
use url::Url;
use validation::Waits;
use validation::http::{AllowedRanges, Config, Fetcher, Resolve, Resolving, Unresolved};
use validation::keywords::{Matcher, Rule};
use validation::page::{self, Page};
use validation::technologies::{Site, Technologies};

const PAGES: usize = 4_000;
const IN_FLIGHT: usize = 32;
const ROUNDS: usize = 5;
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const NGINX: Program = Program {
    name: "nginx",
    path: "/usr/sbin/nginx",
};

/// CPU time of this thread so far, from the scheduler's own account in nanoseconds.
fn thread_cpu() -> Duration {
    let account = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(account.split_whitespace().next().unwrap().parse().unwrap())
}

/// Fetches pages on a runtime of one thread, asserts that each was the right one, and gives the CPU of each in µs.
fn measure<F>(prepare: impl FnOnce() -> F + Send) -> f64
where
    F: AsyncFn() -> bool + Clone + 'static,
{
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async move {
            let fetch = prepare();
            let left = Arc::new(AtomicUsize::new(PAGES));
            let cpu = thread_cpu();
            let workers: Vec<_> = (0..IN_FLIGHT)
                .map(|_| {
                    let (left, fetch) = (Arc::clone(&left), fetch.clone());
                    tokio::task::spawn_local(async move {
                        let one_less = |left: usize| left.checked_sub(1);
                        while left
                            .try_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
                            .is_ok()
                        {
                            assert!(fetch().await, "a page is not right");
                        }
                    })
                })
                .collect();
            for worker in workers {
                worker.await.unwrap();
            }
            let spent = thread_cpu().checked_sub(cpu).unwrap();
            spent.as_secs_f64() * 1e6 / PAGES as f64
        })
    };
    thread::scope(|scope| scope.spawn(run).join().unwrap())
}

/// A page of 8 kB with some of the keywords on it.
fn html() -> String {
    let mut text = "<!doctype html><html lang=en><head><title>Coffee of the town</title></head><body><h1>Coffee</h1>".to_owned();
    for n in 0.. {
        if text.len() >= 8_000 {
            break;
        }
        text.push_str(&format!(
            "<p>Paragraph {n} about keyword{} and <a href=\"/page{n}\">what else</a> there is to say of it.</p>\n",
            n % 25
        ));
    }
    text + "</body></html>"
}

/// What pages are examined with.
struct Examiner {
    keywords: Matcher,
    technologies: Technologies,
}

impl Examiner {
    fn new() -> Self {
        let rules: Vec<Rule> = (0..50)
            .map(|n| Rule::literal(format!("keyword{n}")))
            .collect();
        Self {
            keywords: Matcher::compile(&rules).unwrap(),
            technologies: Technologies::bundled().unwrap(),
        }
    }

    /// Everything that is found out about a page after it was fetched and read; tells whether it is the right one.
    fn examine(&self, headers: &[(String, String)], page: Option<Page>) -> bool {
        let Some(page) = page else { return false };
        let hits = self.keywords.scan(&page);
        let technologies = self.technologies.detect(&Site {
            headers,
            cookies: &[],
            page: &page,
        });
        page.title.as_deref() == Some("Coffee of the town")
            && hits.unique == 25
            && technologies.iter().any(|found| found.name == "nginx")
    }
}

/// A redirect would need it, and there is none.
struct Nobody;

impl Resolve for Nobody {
    fn resolve<'a>(&'a self, host: &'a str, _: &'a Waits) -> Resolving<'a> {
        Box::pin(std::future::ready(Err(Unresolved::Error(host.to_owned()))))
    }
}

fn ours(url: &Url, root: &CertificateDer<'static>) -> f64 {
    measure(|| {
        let config = Config {
            allow: AllowedRanges::Private,
            trusted_roots: vec![root.to_vec()],
            ..Config::new("Bench/1")
        };
        let fetcher = Fetcher::new(config, Arc::new(Nobody)).unwrap();
        let (examiner, url) = (Arc::new(Examiner::new()), url.clone());
        async move || {
            let report = fetcher.fetch_url(url.clone(), &[LOOPBACK]).await;
            examiner.examine(&report.headers, report.page)
        }
    })
}

fn of_reqwest(url: &Url, root: &CertificateDer<'static>) -> f64 {
    measure(|| {
        let mut roots = RootCertStore::empty();
        roots.add(root.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        tls.resumption = rustls::client::Resumption::disabled();
        let client = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .tls_backend_preconfigured(tls)
            .resolve("localhost", SocketAddr::new(LOOPBACK, 0))
            .build()
            .unwrap();
        let (examiner, url) = (Arc::new(Examiner::new()), url.clone());
        async move || {
            let answer = client.get(url.clone()).send().await.unwrap();
            let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
            let headers: Vec<(String, String)> = answer
                .headers()
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), text(value)))
                .collect();
            let kind = answer.headers().get(CONTENT_TYPE).map(text);
            let body = answer.bytes().await.unwrap();
            let page = page::read(&body, kind.as_deref(), Some(&url));
            examiner.examine(&headers, Some(page))
        }
    })
}

/// The part of the page's CPU that both have in common.
fn reading() -> f64 {
    measure(|| {
        let (examiner, body) = (Arc::new(Examiner::new()), Arc::new(html()));
        let headers = [("server".to_owned(), "nginx/1.22.1".to_owned())];
        async move || {
            let page = page::read(body.as_bytes(), Some("text/html"), None);
            examiner.examine(&headers, Some(page))
        }
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() {
    if !NGINX.is_here() {
        return;
    }
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let certificate = CertificateParams::new(names)
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let https = free().port();
    let files = |directory: &Path, port: u16| {
        let at = directory.display();
        let conf = format!(
            "daemon off; worker_processes 1; pid {at}/pid; error_log {at}/log crit;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; default_type text/html; keepalive_timeout 0; client_body_temp_path {at};\n\
             proxy_temp_path {at}; fastcgi_temp_path {at}; uwsgi_temp_path {at}; scgi_temp_path {at};\n\
             ssl_session_cache off; ssl_session_tickets off; ssl_protocols TLSv1.3;\n\
             server {{ listen 127.0.0.1:{port} backlog=1024; listen 127.0.0.1:{https} ssl backlog=1024;\n\
             ssl_certificate {at}/cert; ssl_certificate_key {at}/key; root {at}; }} }}\n"
        );
        vec![
            ("conf", conf),
            ("cert", certificate.pem()),
            ("key", key.serialize_pem()),
            ("index.html", html()),
        ]
    };
    let arguments =
        |directory: &Path| vec!["-c".to_owned(), format!("{}/conf", directory.display())];
    let nginx = Server::start(NGINX, files, arguments);
    println!(
        "http: {PAGES} pages of {} bytes, a connection each, {IN_FLIGHT} at once, one nginx, one runtime thread, medians of {ROUNDS}",
        html().len()
    );
    let alone = median((0..ROUNDS).map(|_| reading()).collect());
    println!("http        reading and examining alone {alone:>6.1} us CPU a page");
    for (scheme, port) in [("http", nginx.at.port()), ("https", https)] {
        let url = Url::parse(&format!("{scheme}://localhost:{port}/")).unwrap();
        let root = certificate.der();
        let rounds: Vec<(f64, f64)> = (0..ROUNDS)
            .map(|_| (ours(&url, root), of_reqwest(&url, root)))
            .collect();
        let of = |value: &dyn Fn(&(f64, f64)) -> f64| median(rounds.iter().map(value).collect());
        println!(
            "http {scheme:<5}  fetcher {:>6.1} us, reqwest {:>6.1} us CPU a page; ratio of the same rounds {:.2}",
            of(&|round| round.0),
            of(&|round| round.1),
            of(&|round| round.0 / round.1),
        );
    }
}
