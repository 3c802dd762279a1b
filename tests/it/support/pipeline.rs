//! A whole system without its HTTP entrance: log, read models, coordinator and workers on a database of the test's own.

use std::time::Duration;

use aggregates::{
    Actor, Metadata,
    campaign::{
        self, Campaign, CampaignType, Command, Create, Mode, Phase, PhaseConfig, Source,
        StartPhase, Status,
    },
    ids::{CampaignId, RunId, UserId},
    names,
};
use domainflow::{
    app::App,
    commands::pin,
    credentials::Keys,
    work::{Network, Settings},
};
use event_store::{ConnectOptions, Database};
use private_postgres::testing::TestDatabase;
use projections::domains::Counts;
use sandbox::{Sandbox, World};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::eventually;

/// Makes a migrated database of the test's own.
pub async fn database() -> TestDatabase {
    TestDatabase::from_template("domainflow", |url| async move {
        let database = Database::connect(&url, ConnectOptions::default()).await?;
        database.migrate().await?;
        database.close().await;
        Ok::<_, event_store::Error>(())
    })
    .await
    .expect("a test database")
}

/// A node: the parts of one process, which can be ended like one.
pub struct Node {
    pub app: App,
    cancel: CancellationToken,
    tracker: TaskTracker,
}

impl Node {
    /// Starts read side, coordinator and workers on a database.
    pub async fn start(url: &str, network: Network) -> Self {
        Self::start_parts(url, network, true).await
    }

    async fn start_parts(url: &str, network: Network, workers: bool) -> Self {
        let app = open(url, network).await;
        let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
        app.spawn_read_side(&tracker, &cancel);
        app.spawn_coordinator(&tracker, &cancel);
        if workers {
            let settings = Settings {
                first_rest: Duration::from_millis(1),
                ..Settings::default()
            };
            app.spawn_workers(settings, &tracker, &cancel);
        }
        Self {
            app,
            cancel,
            tracker,
        }
    }

    /// Ends every task and waits for it.
    pub async fn stop(self) {
        self.cancel.cancel();
        self.tracker.close();
        self.tracker.wait().await;
        self.app.database.close().await;
    }
}

/// A node with a sandbox around it.
pub struct Pipeline {
    pub database: TestDatabase,
    pub sandbox: Sandbox,
    node: Option<Node>,
    pub owner: UserId,
}

impl Pipeline {
    pub async fn start(world: World) -> Self {
        Self::start_with(world, |_, _| ()).await
    }

    /// Starts with another word of the operator on the network.
    pub async fn start_with(world: World, adjust: impl FnOnce(&mut Network, &Sandbox)) -> Self {
        Self::start_parts(world, adjust, true).await
    }

    /// Starts everything but workers.
    pub async fn without_workers(world: World) -> Self {
        Self::start_parts(world, |_, _| (), false).await
    }

    async fn start_parts(
        world: World,
        adjust: impl FnOnce(&mut Network, &Sandbox),
        workers: bool,
    ) -> Self {
        let sandbox = Sandbox::start(world).await.expect("the sandbox starts");
        let database = database().await;
        let mut network = network(&sandbox);
        adjust(&mut network, &sandbox);
        let node = Node::start_parts(database.url(), network, workers).await;
        Self {
            database,
            sandbox,
            node: Some(node),
            owner: UserId(Uuid::now_v7()),
        }
    }

    /// Ends the node and starts another one on the same database.
    pub async fn restart(&mut self) {
        let node = self.node.take().expect("a node runs");
        let network = node.app.defaults.network.clone();
        node.stop().await;
        self.node = Some(Node::start(self.database.url(), network).await);
    }

    pub fn app(&self) -> &App {
        &self.node.as_ref().expect("a node runs").app
    }

    pub fn metadata(&self) -> Metadata {
        Metadata::new(Actor::User(self.owner), Uuid::now_v7().to_string())
    }

    /// Gives a command to a campaign.
    pub async fn command(
        &self,
        campaign_id: CampaignId,
        command: Command,
    ) -> Result<Vec<campaign::Event>, event_store::ExecuteError<campaign::Error>> {
        let stream = campaign_id.to_string();
        let done = self
            .app()
            .execute::<Campaign>(&stream, command, &self.metadata(), None)
            .await?;
        Ok(done.events)
    }

    /// Makes a campaign in full sequence over a pattern, every phase configured.
    pub async fn create(
        &self,
        pattern: names::Pattern,
        count: Option<u64>,
        keywords: &[&str],
    ) -> CampaignId {
        let campaign_id = CampaignId(Uuid::now_v7());
        let create = Create {
            mode: Mode::FullSequence,
            phases: phases(Source::Pattern { pattern, count }, keywords),
            ..Create::new(self.owner, "shops")
        };
        self.command(campaign_id, Command::Create(create))
            .await
            .expect("the campaign is created");
        campaign_id
    }

    /// Starts a phase.
    pub async fn start_phase(
        &self,
        campaign_id: CampaignId,
        phase: Phase,
    ) -> Result<Vec<campaign::Event>, event_store::ExecuteError<campaign::Error>> {
        let app = self.app();
        let (campaign, _) = app
            .database
            .log()
            .load::<Campaign>(&campaign_id.to_string())
            .await
            .expect("the campaign loads");
        let pinned = pin::pin(&app.database, &campaign, phase, &app.defaults)
            .await
            .expect("the phase can be pinned");
        let start = StartPhase {
            run_id: RunId(Uuid::now_v7()),
            pinned,
            auto: false,
        };
        self.command(campaign_id, Command::StartPhase(start)).await
    }

    /// Waits until a campaign has the status.
    pub async fn reaches(&self, campaign_id: CampaignId, status: Status) {
        eventually(
            &format!("campaign {campaign_id} is {}", status.name()),
            || async {
                let campaign =
                    projections::campaigns::by_id(self.app().database.pool(), campaign_id)
                        .await
                        .expect("campaigns answer")?;
                (campaign.status() == status).then_some(())
            },
        )
        .await;
        // Every read model is asked from the same moment on.
        let head = self
            .app()
            .database
            .feed()
            .head()
            .await
            .expect("the log answers");
        self.app()
            .runtime
            .wait_for(head, super::DEADLINE)
            .await
            .expect("the read models catch up");
    }

    pub async fn counts(&self, campaign_id: CampaignId) -> Counts {
        projections::domains::counts_of(self.app().database.pool(), campaign_id)
            .await
            .expect("counts answer")
    }
}

/// The configurations of all phases.
pub fn phases(source: Source, keywords: &[&str]) -> Vec<PhaseConfig> {
    vec![
        PhaseConfig::Discovery { source },
        PhaseConfig::Validation {
            dns_persona: None,
            record_types: Vec::new(),
        },
        PhaseConfig::Extraction {
            http_persona: None,
            dns_persona: None,
            proxy_pool: None,
            keyword_sets: Vec::new(),
            keywords: keywords.iter().map(|&keyword| keyword.to_owned()).collect(),
        },
    ]
}

/// The host of the page that checks of proxies fetch, where the sandbox's world has it.
pub const CHECKED: &str = "check.test";

/// The key that passwords of proxies are sealed under, on every node of a test.
const KEY: &str = "c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff";

/// What the operator of a sandbox says about the network.
pub fn network(sandbox: &Sandbox) -> Network {
    let mut network = Network {
        http_port: Some(sandbox.http_port()),
        https_port: Some(sandbox.https_port()),
        allow_private: true,
        resolvers: vec![sandbox.dns_addr().to_string()],
        proxy_check_url: Some(
            format!("http://{CHECKED}:{}/", sandbox.http_port())
                .parse()
                .expect("an address"),
        ),
        keys: Keys::parse([KEY]).expect("a key"),
        ..Network::default()
    };
    network
        .trust_pem(sandbox.ca_pem())
        .expect("the sandbox's authority is one");
    network
}

/// Opens an application whose engines give up soon: the sandbox answers within milliseconds or never.
pub async fn open(url: &str, mut network: Network) -> App {
    if !network.keys.can_seal() {
        network.keys = Keys::parse([KEY]).expect("a key");
    }
    let mut app = App::open(url, network)
        .await
        .expect("the application opens");
    app.defaults.dns.query_timeout_seconds = 1;
    app.defaults.dns.attempts = Some(2);
    app.defaults.http.request_timeout_seconds = Some(3);
    app
}

/// A pattern of `charset.len()^length` names.
pub fn pattern(constant: &str, length: u32, charset: &str) -> names::Pattern {
    names::Pattern::parse(names::Spec {
        kind: names::Kind::Prefix,
        constant: constant.to_owned(),
        prefix_length: length,
        suffix_length: 0,
        charset: charset.to_owned(),
        tlds: vec!["test".to_owned()],
        ..names::Spec::default()
    })
    .expect("a legal pattern")
}

/// The events of a campaign of nine names whose validation has just started.
pub fn validation_under_way() -> Vec<campaign::Event> {
    use campaign::{Event, Pinned, Tallies};
    let (discovery, validation) = (RunId(Uuid::now_v7()), RunId(Uuid::now_v7()));
    let pattern = pattern("shop", 2, "abc");
    let source = Source::Pattern {
        pattern: pattern.clone(),
        count: None,
    };
    let started = |phase, run_id, pinned| Event::PhaseStarted {
        phase,
        run_id,
        run_number: 1,
        pinned,
        auto: false,
        kind: campaign::RunKind::Full,
        through: None,
    };
    let discovered = Pinned::Discovery {
        pattern_hash: Some(pattern.hash()),
        inputs: Vec::new(),
        source,
    };
    let validated = Pinned::Validation {
        dns_persona: None,
        dns: aggregates::persona::DnsConfig::default(),
        record_types: Vec::new(),
        taken: Vec::new(),
    };
    vec![
        Event::Created {
            owner: UserId(Uuid::now_v7()),
            campaign_type: CampaignType::Full,
            name: "shops".to_owned(),
            description: None,
            notes: None,
            tags: Vec::new(),
            mode: Mode::StepByStep,
            configuration: serde_json::json!({}),
            max_domains: None,
        },
        started(Phase::Discovery, discovery, discovered),
        Event::DomainsGenerated {
            run_id: discovery,
            pattern,
            generator_version: names::GENERATOR_VERSION,
            start: 0,
            count: 9,
            first_ordinal: 0,
            names: 9,
        },
        Event::PhaseCompleted {
            phase: Phase::Discovery,
            run_id: discovery,
            tallies: Tallies::new(),
        },
        started(Phase::Validation, validation, validated),
    ]
}
