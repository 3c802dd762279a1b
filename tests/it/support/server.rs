//! A whole server on a port of its own, and clients that talk to it over HTTP like anybody else.

use aggregates::{ids::UserId, user::Role};
use domainflow::{
    app::App,
    auth::{self, Auth, Secret, Settings},
    http::{self, router::BASE},
    sse::Streams,
    work::{self, Network},
};
use private_postgres::testing::TestDatabase;
use reqwest::{Method, header::HeaderMap};
use sandbox::{Sandbox, World};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::answers;
use super::pipeline::{database, network, open};

/// The password of every user of the tests.
pub const PASSWORD: &str = "correct horse battery";

/// One process of the system: server, read side, coordinator and workers.
pub struct Server {
    pub app: App,
    pub auth: Auth,
    pub base: String,
    cancel: CancellationToken,
    tracker: TaskTracker,
    served: JoinHandle<()>,
}

impl Server {
    /// Starts a process on a database.
    pub async fn start(url: &str, network: Network, secret: Secret) -> Self {
        Self::reached(
            open(url, network).await,
            Settings::new(secret),
            http::Settings::default(),
        )
        .await
    }

    /// Starts a process that is reached as an operator decides.
    pub async fn reached(app: App, log_in: Settings, interface: http::Settings) -> Self {
        let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
        app.spawn_read_side(&tracker, &cancel);
        app.spawn_coordinator(&tracker, &cancel);
        app.spawn_proxy_checks(&tracker, &cancel);
        app.spawn_workers(work::Settings::default(), &tracker, &cancel);
        app.suppression.list().read().await;
        let streams = Streams::start(&app, &tracker, &cancel);
        let auth = Auth::new(Settings {
            bcrypt_cost: 4,
            ..log_in
        })
        .await
        .expect("log-in starts");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!(
            "http://{}{BASE}",
            listener.local_addr().expect("an address")
        );
        let state = http::State::new(app.clone(), auth.clone(), streams, interface);
        let served = tokio::spawn(http::serve(listener, state, cancel.clone()));
        Self {
            app,
            auth,
            base,
            cancel,
            tracker,
            served,
        }
    }

    /// Returns somebody who is not logged in.
    pub fn anonymous(&self) -> Client {
        Client {
            http: http_client(),
            base: self.base.clone(),
            token: None,
            user_id: None,
        }
    }

    /// Makes a user and logs him in.
    pub async fn user(&self, name: &str) -> Client {
        self.user_with_role(name, Role::User).await
    }

    /// Makes a user with a role and logs him in.
    pub async fn user_with_role(&self, name: &str, role: Role) -> Client {
        let email = email(name);
        let user_id = auth::register(&self.app, &self.auth, &email, name, PASSWORD, role)
            .await
            .expect("the user is registered");
        let session = self.log_in(name, PASSWORD).await.ok(200);
        Client {
            token: Some(session["token"].as_str().expect("a token").to_owned()),
            user_id: Some(user_id),
            ..self.anonymous()
        }
    }

    /// Tries to log in.
    pub async fn log_in(&self, name: &str, password: &str) -> Reply {
        let body = serde_json::json!({"email": email(name), "password": password});
        self.anonymous()
            .post("/auth/login")
            .json(&body)
            .send()
            .await
    }

    /// Ends the process and waits for its tasks.
    pub async fn stop(self) {
        self.cancel.cancel();
        self.served.await.expect("the server ends");
        self.tracker.close();
        self.tracker.wait().await;
        self.app.database.close().await;
    }
}

/// The address of a user of the tests.
pub fn email(name: &str) -> String {
    format!("{name}@example.com")
}

fn http_client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client")
}

/// A server with a database of its own, and a sandbox where one is asked for.
pub struct TestApp {
    pub server: Server,
    pub database: TestDatabase,
    pub sandbox: Option<Sandbox>,
    secret: Secret,
}

impl std::ops::Deref for TestApp {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl TestApp {
    /// Starts a server whose network is the machine's own, for tests that do not use it.
    pub async fn start() -> Self {
        Self::on(None, Network::default()).await
    }

    /// Starts a server that is reached as an operator decides; over TLS only where `secure` says so.
    pub async fn reached(interface: http::Settings, secure: bool) -> Self {
        let secret = Secret::random();
        let database = database().await;
        let log_in = Settings {
            secure_cookie: secure,
            ..Settings::new(secret.clone())
        };
        let network = Network::default();
        let server = Server::reached(open(database.url(), network).await, log_in, interface).await;
        Self {
            server,
            database,
            sandbox: None,
            secret,
        }
    }

    /// Starts a server inside a sandbox.
    pub async fn in_sandbox(world: World) -> Self {
        let sandbox = Sandbox::start(world).await.expect("the sandbox starts");
        let network = network(&sandbox);
        Self::on(Some(sandbox), network).await
    }

    /// Starts a server inside a sandbox, of which something is other than usual.
    pub async fn in_sandbox_with(world: World, adjust: impl FnOnce(&mut App)) -> Self {
        let sandbox = Sandbox::start(world).await.expect("the sandbox starts");
        let network = network(&sandbox);
        Self::adjusted(Some(sandbox), network, adjust).await
    }

    /// Starts a server with this word of the operator on the network.
    pub async fn on(sandbox: Option<Sandbox>, network: Network) -> Self {
        Self::adjusted(sandbox, network, |_| ()).await
    }

    async fn adjusted(
        sandbox: Option<Sandbox>,
        network: Network,
        adjust: impl FnOnce(&mut App),
    ) -> Self {
        let secret = Secret::random();
        let database = database().await;
        let mut app = open(database.url(), network).await;
        adjust(&mut app);
        let server = Server::reached(
            app,
            Settings::new(secret.clone()),
            http::Settings::default(),
        )
        .await;
        Self {
            server,
            database,
            sandbox,
            secret,
        }
    }

    /// Starts another process on the same database, with the same secret.
    pub async fn another_node(&self) -> Server {
        let network = self.sandbox.as_ref().map_or_else(Network::default, network);
        Server::start(self.database.url(), network, self.secret.clone()).await
    }

    /// Ends the process and starts it again.
    pub async fn restart(self) -> Self {
        let Self {
            server,
            database,
            sandbox,
            secret,
        } = self;
        server.stop().await;
        let network = sandbox.as_ref().map_or_else(Network::default, network);
        let server = Server::start(database.url(), network, secret.clone()).await;
        Self {
            server,
            database,
            sandbox,
            secret,
        }
    }

    /// Ends everything.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// Somebody who talks to a server; with a token as a bearer.
#[derive(Clone)]
pub struct Client {
    pub http: reqwest::Client,
    pub base: String,
    pub token: Option<String>,
    pub user_id: Option<UserId>,
}

impl Client {
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    pub fn put(&self, path: &str) -> Request {
        self.request(Method::PUT, path)
    }

    pub fn delete(&self, path: &str) -> Request {
        self.request(Method::DELETE, path)
    }

    pub fn request(&self, method: Method, path: &str) -> Request {
        // A path of the other interface is whole.
        let base = match path.starts_with("/api/") {
            true => self.base.trim_end_matches(BASE),
            false => &self.base,
        };
        let request = self.http.request(method, format!("{base}{path}"));
        Request(match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    }

    /// The same user at another node.
    pub fn at(&self, server: &Server) -> Self {
        Self {
            base: server.base.clone(),
            ..self.clone()
        }
    }

    /// The same somebody without the token, who shows the cookie instead.
    pub fn cookie(&self) -> String {
        format!(
            "domainflow_session={}",
            self.token.as_deref().unwrap_or_default()
        )
    }
}

/// A request under construction.
pub struct Request(pub reqwest::RequestBuilder);

impl Request {
    pub fn header(self, name: &str, value: impl ToString) -> Self {
        Self(self.0.header(name, value.to_string()))
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn body(self, content_type: &str, body: impl Into<reqwest::Body>) -> Self {
        Self(self.0.header("content-type", content_type).body(body))
    }

    pub async fn send(self) -> Reply {
        let (http, request) = self.0.build_split();
        let request = request.expect("a request");
        let (method, url) = (request.method().clone(), request.url().clone());
        let response = http.execute(request).await.expect("the server answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let content_type = headers
            .get("content-type")
            .map_or("", |of| of.to_str().expect("a media type"));
        answers::check(&method, &url, status, content_type, &text);
        answers::check_headers(&method, &url, status, &headers);
        Reply {
            status,
            headers,
            text,
        }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    /// Expects a status and returns the body; null where there is none.
    #[track_caller]
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    pub fn json(&self) -> Value {
        match self.text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
        }
    }

    /// Expects a refusal that names a field.
    #[track_caller]
    pub fn blames(self, status: u16, field: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        let body = self.json();
        if let Some(named) = body.get("field") {
            assert_eq!(named, field, "{body}");
            return;
        }
        assert_eq!(body["success"], false, "{body}");
        let fields: Vec<_> = body["error"]["details"]
            .as_array()
            .expect("details")
            .iter()
            .map(|d| d["field"].clone())
            .collect();
        assert!(fields.contains(&Value::String(field.to_owned())), "{body}");
    }

    /// Expects a refusal that names a field, and returns what is said of it.
    #[track_caller]
    pub fn says(self, status: u16, field: &str) -> String {
        let body = self.json();
        self.blames(status, field);
        let details = body["error"]["details"].as_array().expect("details");
        let detail = details.iter().find(|detail| detail["field"] == field);
        detail
            .and_then(|detail| detail["message"].as_str())
            .expect("a message")
            .to_owned()
    }

    /// Expects a refusal of a body, or of the file in it, that tells how large it may be.
    #[track_caller]
    pub fn blames_size(self, field: &str, limit: usize) {
        let message = self.json()["error"]["details"][0]["message"].clone();
        assert_eq!(message, format!("must have at most {limit} bytes"));
        self.blames(413, field);
    }

    /// Returns a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
