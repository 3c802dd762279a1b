//! Users who make campaigns, run them and look at them, at whichever server answers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use aggregates::user::Role;
use domainflow::{
    app::App,
    auth::{self, Auth, Secret, Settings},
    work::Network,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::{
    DEADLINE,
    server::{PASSWORD, email},
};

const USER: &str = "chaos";
const NAMES: u64 = 64;

/// A client of all servers: what one of them does not answer is asked of the next.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    addresses: Arc<Vec<String>>,
    next: Arc<AtomicUsize>,
    token: Option<String>,
    answers: Arc<AtomicU64>,
    tried_again: Arc<AtomicU64>,
}

impl Client {
    fn new(addresses: Vec<String>) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(20))
            .build();
        Self {
            http: http.expect("a client"),
            addresses: Arc::new(addresses),
            next: Arc::default(),
            token: None,
            answers: Arc::default(),
            tried_again: Arc::default(),
        }
    }

    /// The address whose turn it is.
    pub fn address(&self) -> String {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.addresses[next % self.addresses.len()].clone()
    }

    /// Asks until somebody answers with the status. A connection that breaks and a 503 are tried again, anything else is
    /// an error that a retry does not cure.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        status: u16,
    ) -> Value {
        let (deadline, key) = (Instant::now() + DEADLINE, uuid::Uuid::now_v7().to_string());
        loop {
            let url = format!("http://{}/api/v2{path}", self.address());
            let mut request = self.http.request(method.clone(), url);
            if let Some(token) = &self.token {
                request = request.bearer_auth(token);
            }
            if method != Method::GET {
                request = request.header("X-Idempotency-Key", &key);
            }
            if let Some(body) = body {
                request = request
                    .header("content-type", "application/json")
                    .body(body.to_string());
            }
            if let Some(answer) = answered(request, status, path).await {
                self.answers.fetch_add(1, Ordering::Relaxed);
                return answer;
            }
            self.tried_again.fetch_add(1, Ordering::Relaxed);
            assert!(Instant::now() < deadline, "nobody answers {method} {path}");
            tokio::task::yield_now().await;
        }
    }

    pub async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, None, 200).await
    }

    /// The request of a stream, of the server whose turn it is.
    pub fn stream(&self, path: &str) -> reqwest::RequestBuilder {
        // A stream has no end.
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        let url = format!("http://{}/api/v2{path}", self.address());
        http.get(url)
            .bearer_auth(self.token.as_deref().unwrap_or_default())
    }
}

/// The answer, where one came that is no outage.
async fn answered(request: reqwest::RequestBuilder, status: u16, path: &str) -> Option<Value> {
    let answer = request.send().await.ok()?;
    let got = answer.status().as_u16();
    let text = answer.text().await.ok()?;
    if got == 503 {
        return None;
    }
    assert_eq!(got, status, "{path}: {text}");
    Some(serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// What was done.
pub struct Done {
    pub client: Client,
    /// The paths of the campaigns that were started.
    pub campaigns: Vec<String>,
    pub answers: u64,
    pub tried_again: u64,
}

/// Users at work.
pub struct Load {
    client: Client,
    stop: CancellationToken,
    makers: JoinSet<Vec<String>>,
    readers: JoinSet<()>,
}

impl Load {
    pub async fn start(addresses: Vec<String>, url: &str) -> Self {
        register(url).await;
        let mut client = Client::new(addresses);
        let body = json!({"email": email(USER), "password": PASSWORD});
        let session = client
            .ask(Method::POST, "/auth/login", Some(&body), 200)
            .await;
        client.token = Some(session["token"].as_str().expect("a token").to_owned());
        let stop = CancellationToken::new();
        let (mut makers, mut readers) = (JoinSet::new(), JoinSet::new());
        for maker in 0..3 {
            makers.spawn(make(client.clone(), maker, stop.clone()));
            readers.spawn(read(client.clone(), stop.clone()));
        }
        Self {
            client,
            stop,
            makers,
            readers,
        }
    }

    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Ends the users, each after what he is at.
    pub async fn stop(self) -> Done {
        let Self {
            client,
            stop,
            makers,
            readers,
        } = self;
        stop.cancel();
        let campaigns = makers.join_all().await.concat();
        readers.join_all().await;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (answers, tried_again) = (count(&client.answers), count(&client.tried_again));
        Done {
            client,
            campaigns,
            answers,
            tried_again,
        }
    }
}

async fn register(url: &str) {
    let app = App::open(url, Network::default())
        .await
        .expect("the database");
    let settings = Settings {
        bcrypt_cost: 4,
        ..Settings::new(Secret::random())
    };
    let log_in = Auth::new(settings).await.expect("log-in starts");
    auth::register(&app, &log_in, &email(USER), USER, PASSWORD, Role::User)
        .await
        .expect("the user is registered");
    app.database.close().await;
}

/// Makes campaigns of names of their own and runs them, one after the other.
async fn make(client: Client, maker: u32, stop: CancellationToken) -> Vec<String> {
    let mut made = Vec::new();
    while !stop.is_cancelled() {
        let constant = format!("shop{maker}x{}", made.len());
        let body = json!({"name": constant, "mode": "full_sequence", "configuration": {"patternConfig": {
            "type": "variable", "constant": constant, "prefixVariableLength": 3, "charset": "abcd", "tlds": ["test"]}}});
        let campaign = client
            .ask(Method::POST, "/campaigns", Some(&body), 201)
            .await;
        let path = format!("/campaigns/{}", campaign["id"].as_str().expect("an id"));
        for (phase, configuration) in [
            ("validation", json!({})),
            ("extraction", json!({"keywords": ["espresso"]})),
        ] {
            let body = json!({"configuration": configuration});
            let path = format!("{path}/phases/{phase}/configure");
            client.ask(Method::POST, &path, Some(&body), 200).await;
        }
        client
            .ask(Method::POST, &format!("{path}/start"), None, 200)
            .await;
        made.push(path.clone());
        while !stop.is_cancelled() && client.get(&path).await["status"] != "completed" {}
    }
    made
}

/// Looks at what there is.
async fn read(client: Client, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let campaigns = client.get("/campaigns").await;
        let Some(id) = campaigns[0]["id"].as_str() else {
            continue;
        };
        for view in ["funnel", "status", "domains?first=20", "rejection-summary"] {
            client.get(&format!("/campaigns/{id}/{view}")).await;
        }
    }
}

impl Done {
    /// Waits until every campaign is completed and expects each name once, with a result.
    pub async fn ended_well(&self) {
        for path in &self.campaigns {
            let deadline = Instant::now() + DEADLINE;
            loop {
                let campaign = self.client.get(path).await;
                if campaign["status"] == "completed" {
                    break;
                }
                assert!(Instant::now() < deadline, "it goes on: {campaign}");
            }
            let total = async |filter: &str| {
                let page = self
                    .client
                    .get(&format!("{path}/domains?first=1&{filter}"))
                    .await;
                page["total"].as_u64().expect("a total")
            };
            assert_eq!(total("").await, NAMES);
            assert_eq!(total("dnsStatus=pending").await, 0);
        }
    }
}
