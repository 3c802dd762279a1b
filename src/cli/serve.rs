//! `serve`: the interface, with everything behind it.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    time::Duration,
};

use clap::Args;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{Error, Node, Parts, Shutdown, Store};
use crate::{
    auth::{Auth, Secret, Settings},
    config::{ListenArgs, NetworkArgs, StoreArgs},
    http,
    sse::Streams,
    work,
};

/// How long requests under way may take to end.
const DRAIN_LIMIT: Duration = Duration::from_secs(20);

/// The arguments of `serve`.
#[derive(Args, Clone, Debug)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    listen: ListenArgs,
    /// Leave the work to nodes that run `work`
    #[arg(long, env = "DOMAINFLOW_NO_WORKERS")]
    no_workers: bool,
}

/// The interface, being served.
pub struct Server {
    address: SocketAddr,
    auth: Auth,
    cancel: CancellationToken,
    served: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Begins to serve a node's application.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the secret cannot be used.
    pub async fn start(node: &Node, listen: &ListenArgs, data_dir: &Path) -> Result<Self, Error> {
        let listener = TcpListener::bind(listen.listen).await.map_err(|error| {
            Error::Failed(format!("cannot listen on {}: {error}", listen.listen))
        })?;
        let address = listener
            .local_addr()
            .map_err(Error::step("tell the server's address"))?;
        let settings = Settings {
            secure_cookie: listen.secure_cookie,
            ..Settings::new(secret(listen.secret.as_deref(), data_dir)?)
        };
        let auth = Auth::new(settings)
            .await
            .map_err(Error::step("prepare log-in"))?;
        let streams = Streams::start(&node.app, &node.tracker, &node.cancel);
        let state = http::State::new(node.app.clone(), auth.clone(), streams);
        let cancel = node.cancel.child_token();
        Ok(Self {
            address,
            auth,
            served: tokio::spawn(http::serve(listener, state, cancel.clone())),
            cancel,
        })
    }

    /// Returns where the server listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns log-in and sessions.
    #[must_use]
    pub const fn auth(&self) -> &Auth {
        &self.auth
    }

    /// Waits until the server ends without being asked to.
    pub async fn ended(&mut self) -> Error {
        match (&mut self.served).await {
            Ok(Err(error)) => Error::step("serve")(error),
            _ => Error::Failed("the server ended by itself".to_owned()),
        }
    }

    /// Takes no more requests and waits for those under way.
    pub async fn stop(mut self) {
        self.cancel.cancel();
        if tokio::time::timeout(DRAIN_LIMIT, &mut self.served)
            .await
            .is_err()
        {
            self.served.abort();
            tracing::warn!("requests did not end in time and were cut off");
        }
    }
}

pub(super) async fn serve(args: ServeArgs, shutdown: &Shutdown) -> Result<(), Error> {
    let network = args.network.network()?;
    let store = Store::open(&args.store).await?;
    let served = serve_on(&args, network, &store, shutdown).await;
    store.close().await?;
    served
}

async fn serve_on(
    args: &ServeArgs,
    network: work::Network,
    store: &Store,
    shutdown: &Shutdown,
) -> Result<(), Error> {
    let node = Node::open(store.url(), network).await?;
    node.start(Parts {
        read_side: true,
        workers: (!args.no_workers).then(work::Settings::default),
    });
    let server = match Server::start(&node, &args.listen, &args.store.data_dir).await {
        Ok(server) => server,
        Err(error) => {
            node.stop().await;
            return Err(error);
        }
    };
    println!(
        "DomainFlow listens on http://{}; the documentation is at {}/docs",
        server.address(),
        http::router::BASE
    );
    let mut server = server;
    let ended = tokio::select! {
        () = shutdown.requested() => Ok(()),
        () = store.lost() => Err(Error::Failed("the private PostgreSQL ended".to_owned())),
        error = server.ended() => Err(error),
    };
    tracing::info!("shutting down");
    if ended.is_ok() {
        server.stop().await;
    }
    node.stop().await;
    ended
}

/// Takes the secret that was given, or the one in the data directory, which is drawn when it is first needed.
fn secret(given: Option<&str>, data_dir: &Path) -> Result<Secret, Error> {
    let too_short = |what: &str| {
        Error::Usage(format!(
            "{what} is shorter than {} bytes",
            Secret::MIN_BYTES
        ))
    };
    if let Some(given) = given.filter(|given| !given.is_empty()) {
        return Secret::new(given).ok_or_else(|| too_short("the secret"));
    }
    let path = data_dir.join("secret");
    let action = "keep the secret of sessions";
    if let Ok(bytes) = fs::read(&path) {
        return Secret::new(bytes).ok_or_else(|| too_short(&path.display().to_string()));
    }
    fs::create_dir_all(data_dir).map_err(Error::step(action))?;
    let secret = Secret::random();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(Error::step(action))?;
    file.write_all(secret.expose())
        .map_err(Error::step(action))?;
    Ok(secret)
}
