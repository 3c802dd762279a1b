//! The same cases against what others made: nginx as a site, and Squid, Tinyproxy and Dante as proxies, from Debian's
//! packages. What is not installed is skipped, and said to be.

mod dante;
mod http;
mod nginx;
mod server;

use url::Url;
use validation::http::{Blame, Fetcher, Reason, Report};

use self::server::Server;
use crate::support::LOOPBACK;

/// Reason, code and blame; nothing of a success, which must be the right page.
type Verdict = Option<(Reason, &'static str, Blame)>;

async fn expect(
    peer: &str,
    server: &Server,
    what: &str,
    fetcher: &Fetcher,
    url: &str,
    wanted: Verdict,
) {
    let report: Report = fetcher
        .fetch_url(Url::parse(url).unwrap(), &[LOOPBACK])
        .await;
    let found = report
        .fault
        .as_ref()
        .map(|fault| (fault.reason, &*fault.code, fault.blame));
    println!("real peers: {peer:10} {what:45} {found:?}");
    assert_eq!(
        found,
        wanted,
        "{peer}: {what}: {:?}\n{}",
        report.fault,
        server.log()
    );
    if wanted.is_none() {
        let title = report.page.and_then(|page| page.title);
        assert_eq!(title.as_deref(), Some("nginx"), "{peer}: {what}");
    }
}
