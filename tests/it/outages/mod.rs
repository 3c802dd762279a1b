//! A database that does not serve for a while: answers say so, what runs goes on by itself, and nothing is lost.

mod disk_full;
mod exhausted;
mod restarted;

use std::path::Path;

use domainflow::auth::Secret;
use private_postgres::{Cluster, Options};
use sandbox::{Expected, Sandbox, World};
use serde_json::json;

use crate::{
    campaigns::{configure, create, reaches},
    command_line::directory,
    support::{
        eventually,
        pipeline::{network, pattern},
        server::{Client, Reply, Server},
    },
};

/// The names of the campaign that runs meanwhile.
const NAMES: u64 = 4_096;
const CHARSET: &str = "abcdefgh";
const KEYWORD: &str = "espresso";

/// A server on a cluster that can be made to fail, and a user.
struct Lived {
    server: Server,
    sandbox: Sandbox,
    user: Client,
    expected: Expected,
}

/// Starts a durable cluster below a directory, with the program's database in it.
async fn cluster(data_dir: &Path) -> Cluster {
    let cluster = Cluster::start(Options::new(data_dir))
        .await
        .expect("a cluster starts");
    cluster
        .create_database("domainflow")
        .await
        .expect("a database");
    cluster
}

impl Lived {
    async fn start(url: &str) -> Self {
        let world = World::generated(23);
        let names: Vec<String> = {
            let pattern = pattern("shop", 4, CHARSET);
            let names = pattern.names(0, NAMES);
            names
                .filter_map(|(_, name)| Some(name?.to_string()))
                .collect()
        };
        let expected = world.expected(names, &[KEYWORD]);
        let sandbox = Sandbox::start(world).await.expect("the sandbox starts");
        let server = Server::start(url, network(&sandbox), Secret::random()).await;
        let user = server.user("olga").await;
        Self {
            server,
            sandbox,
            user,
            expected,
        }
    }

    /// Starts a campaign and returns its path once some of its names were checked and others were not.
    async fn in_the_middle(&self) -> String {
        let body = json!({"name": "shops", "mode": "full_sequence", "configuration": {"patternConfig": {
            "type": "variable", "constant": "shop", "prefixVariableLength": 4, "charset": CHARSET, "tlds": ["test"]}}});
        let path = create(&self.user, &body).await;
        configure(&self.user, &path, &[KEYWORD]).await;
        self.user
            .post(&format!("{path}/start"))
            .send()
            .await
            .ok(200);
        eventually("some names are checked", || async {
            let pending = self.total(&path, "dnsStatus=pending").await;
            (pending > 0 && pending < NAMES).then_some(())
        })
        .await;
        path
    }

    async fn total(&self, path: &str, filter: &str) -> u64 {
        let page = self
            .user
            .get(&format!("{path}/domains?first=1&{filter}"))
            .send()
            .await
            .ok(200);
        page["total"].as_u64().expect("a total")
    }

    /// Waits until requests are answered again, by an outage until then and by nothing else.
    async fn serves_again(&self, path: &str) {
        eventually("the server answers again", || async {
            let reply = self.user.get(path).send().await;
            match reply.status {
                200 => Some(()),
                _ => {
                    is_outage(&reply);
                    None
                }
            }
        })
        .await;
    }

    /// Waits for the end of a campaign and expects every name to have the one result that the sandbox has for it.
    async fn ends_well(self, path: &str) {
        reaches(&self.user, path, "completed").await;
        let Self { expected, .. } = &self;
        for (filter, count) in [
            ("", expected.names),
            ("dnsStatus=pending", 0),
            ("dnsStatus=ok", expected.dns_ok),
            ("dnsReason=NXDOMAIN", expected.nxdomain),
            ("httpStatus=ok", expected.http_ok),
            ("keyword=espresso", expected.with_keywords_on_site),
        ] {
            assert_eq!(self.total(path, filter).await, count, "{filter}");
        }
        let report = event_store::check(&self.server.app.database)
            .await
            .expect("the check runs");
        assert!(report.findings.is_empty(), "{report:?}");
        self.server.stop().await;
        drop(self.sandbox);
    }
}

/// Expects an answer that says that the database does not serve for now, and when to come back.
#[track_caller]
fn is_outage(reply: &Reply) {
    assert_eq!(reply.status, 503, "{}", reply.text);
    assert_eq!(
        reply.json()["error"]["code"],
        "UNAVAILABLE",
        "{}",
        reply.text
    );
    let after: u64 = reply
        .header("retry-after")
        .expect("when to come back")
        .parse()
        .expect("seconds");
    assert!((1..=60).contains(&after));
}
