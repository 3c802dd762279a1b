//! `serve`: the interface, with everything behind it.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use chrono::SecondsFormat;
use clap::Args;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    Error, Node, Parts, Shutdown, Store, checkpoint, kept::read_or_draw, keys::keys, metrics, say,
};
use crate::{
    auth::{self, Auth, Secret, Settings, SetupToken},
    checkpoints::Prover,
    config::{
        CheckpointArgs, ListenArgs, MetricsArgs, NetworkArgs, ReconcileArgs, SecretText, StoreArgs,
    },
    http,
    monitoring::Monitor,
    sse::Streams,
    work,
};

/// How long requests under way may take to end.
const DRAIN_LIMIT: Duration = Duration::from_secs(4);

/// The file of the data directory that holds a secret that was drawn.
const SECRET_FILE: &str = "secret";

/// The arguments of `serve`.
#[derive(Args, Clone, Debug)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    checkpoints: CheckpointArgs,
    #[command(flatten)]
    reconcile: ReconcileArgs,
    #[command(flatten)]
    metrics: MetricsArgs,
    /// Leave the work to nodes that run `work`
    #[arg(long, env = "DOMAINFLOW_NO_WORKERS")]
    no_workers: bool,
}

/// Where the interface will be served, with what it signs sessions: what can be wrong with a command line and costs
/// nothing to find out, before anything is started for nothing.
pub struct Entrance {
    listener: TcpListener,
    address: SocketAddr,
    settings: Settings,
    interface: http::Settings,
    prover: Option<Prover>,
}

impl Entrance {
    /// Takes the address and the secret.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the secret cannot be used.
    pub async fn open(listen: &ListenArgs, store: &StoreArgs) -> Result<Self, Error> {
        let settings = Settings {
            secure_cookie: listen.secure_cookie,
            session_idle: listen.sessions.session_idle,
            session_longest: listen.sessions.session_longest,
            ..Settings::new(secret(listen, store)?)
        };
        let listener = TcpListener::bind(listen.listen).await.map_err(|error| {
            Error::Failed(format!("cannot listen on {}: {error}", listen.listen))
        })?;
        let address = listener
            .local_addr()
            .map_err(Error::step("tell the server's address"))?;
        Ok(Self {
            listener,
            address,
            settings,
            interface: listen.reach.settings(),
            prover: None,
        })
    }

    /// Proves the events of the log, by the checkpoints that this process signs.
    #[must_use]
    pub fn with_prover(self, prover: Prover) -> Self {
        Self {
            prover: Some(prover),
            ..self
        }
    }
}

/// The interface, being served.
pub struct Server {
    address: SocketAddr,
    auth: Auth,
    monitor: Monitor,
    streams: Streams,
    cancel: CancellationToken,
    served: JoinHandle<()>,
}

impl Server {
    /// Begins to serve a node's application.
    ///
    /// # Errors
    /// When log-in cannot be prepared.
    pub async fn start(node: &Node, entrance: Entrance) -> Result<Self, Error> {
        let Entrance {
            listener,
            address,
            settings,
            interface,
            prover,
        } = entrance;
        let auth = Auth::new(settings)
            .await
            .map_err(Error::step("prepare log-in"))?;
        // The streams end with the server, or an open one would hold up its end.
        let cancel = node.cancel.child_token();
        let streams = Streams::start(&node.app, &node.tracker, &cancel);
        let state = http::State::new(node.app.clone(), auth.clone(), streams, interface);
        let state = match prover {
            Some(prover) => state.with_prover(prover),
            None => state,
        };
        Ok(Self {
            address,
            auth,
            monitor: state.monitor.clone(),
            streams: state.streams.clone(),
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
            Ok(()) => Error::Failed("the server ended by itself".to_owned()),
            Err(broken) => Error::step("serve")(broken),
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
    let network = args.network.network(keys(&args.store)?)?;
    let entrance = Entrance::open(&args.listen, &args.store).await?;
    let metrics = metrics::open(&args.metrics).await?;
    let store = Store::open(&args.store).await?;
    let served = serve_on(&args, network, (entrance, metrics), &store, shutdown).await;
    store.close().await?;
    served
}

async fn serve_on(
    args: &ServeArgs,
    network: work::Network,
    (entrance, metrics): (Entrance, Option<TcpListener>),
    store: &Store,
    shutdown: &Shutdown,
) -> Result<(), Error> {
    let mut node = Node::open(store.url(), network).await?;
    node.app = node.app.reconciling(args.reconcile.reconciling());
    node.start(Parts {
        read_side: true,
        coordinator: true,
        workers: (!args.no_workers).then(work::Settings::default),
    });
    let started = match checkpoint::start(&node, &args.checkpoints, &args.store) {
        Ok(prover) => Server::start(&node, entrance.with_prover(prover)).await,
        Err(error) => Err(error),
    };
    let server = match started {
        Ok(server) => server,
        Err(error) => {
            node.stop().await;
            return Err(error);
        }
    };
    metrics::serve(&node, metrics, &server.monitor, Some(&server.streams));
    let offered = server.auth().offer_setup(&node.app).await;
    // A server serves whether anybody reads that or not.
    if let Err(error) = tell(server.address(), offered) {
        tracing::warn!(error = %event_store::describe(&error), "nobody was told");
    }
    let mut server = server;
    let ended = tokio::select! {
        () = shutdown.requested() => Ok(()),
        error = store.lost() => Err(error),
        error = server.ended() => Err(error),
    };
    tracing::info!("shutting down");
    if ended.is_ok() {
        server.stop().await;
    }
    node.end(&ended).await;
    ended
}

/// Tells whoever started the server where it is, and how the first user is made while there is none.
fn tell(
    address: SocketAddr,
    offered: Result<Option<SetupToken>, auth::Error>,
) -> Result<(), Error> {
    let base = http::router::BASE;
    say(format_args!(
        "DomainFlow listens on http://{address}; the documentation is at {base}/docs"
    ))?;
    let Some(token) = offered.map_err(Error::step("offer a set-up token"))? else {
        return Ok(());
    };
    say(format_args!(
        "there are no users: until {}, POST http://{address}{base}/auth/setup makes the first with the token {}",
        token.expires_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        token.expose()
    ))
}

/// Refuses a server of several nodes' database without a secret: each node would draw its own, and sign sessions that
/// no other takes.
fn check_secret(listen: &ListenArgs, store: &StoreArgs) -> Result<(), Error> {
    if store.server().is_none() || given(listen).is_some() || kept(store).exists() {
        return Ok(());
    }
    Err(Error::Usage(
        "with --database-url the nodes need one secret of sessions: --secret or SESSION_SIGNING_SECRET, the same on each"
            .to_owned(),
    ))
}

fn given(listen: &ListenArgs) -> Option<&str> {
    let given = listen.secret.as_ref().map(SecretText::expose);
    given.filter(|given| !given.is_empty())
}

/// Where a secret that was drawn is kept.
fn kept(store: &StoreArgs) -> PathBuf {
    store.data_dir.join(SECRET_FILE)
}

/// Takes the secret that was given, or the one in the data directory, which is drawn when it is first needed.
fn secret(listen: &ListenArgs, store: &StoreArgs) -> Result<Secret, Error> {
    check_secret(listen, store)?;
    let too_short = |what: &str| {
        Error::Usage(format!(
            "{what} is shorter than {} bytes",
            Secret::MIN_BYTES
        ))
    };
    if let Some(given) = given(listen) {
        return Secret::new(given).ok_or_else(|| too_short("the secret"));
    }
    let path = kept(store);
    let cannot = |error: std::io::Error| {
        Error::Failed(format!(
            "cannot keep the secret of sessions in {}: {error}",
            store.data_dir.display()
        ))
    };
    let draw = || Secret::random().expose().to_vec().into();
    let kept = read_or_draw(&store.data_dir, SECRET_FILE, draw).map_err(cannot)?;
    Secret::new(kept.to_vec()).ok_or_else(|| too_short(&path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ReachArgs, SessionArgs};

    const LONG: &str = "a secret of at least thirty-two bytes";

    fn listen(secret: Option<&str>) -> ListenArgs {
        ListenArgs {
            listen: ([127, 0, 0, 1], 0).into(),
            secret: secret.map(|text| text.to_owned().into()),
            secure_cookie: false,
            sessions: SessionArgs::default(),
            reach: ReachArgs::default(),
        }
    }

    #[test]
    fn what_is_said_of_listening_shows_no_secret() {
        let shown = format!("{:?}", listen(Some(LONG)));
        assert!(!shown.contains(LONG), "{shown}");
    }

    #[test]
    fn a_database_of_several_nodes_needs_a_secret_that_was_given_or_kept() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = StoreArgs {
            database_url: Some("postgres://db/domainflow".to_owned()),
            data_dir: directory.path().to_owned(),
            credentials_keys: Vec::new(),
        };
        for missing in [None, Some("")] {
            let refused = secret(&listen(missing), &store).err().unwrap();
            assert!(matches!(refused, Error::Usage(_)), "{refused}");
        }
        assert!(!kept(&store).exists(), "none was drawn");
        let given = secret(&listen(Some(LONG)), &store).unwrap();
        assert_eq!(given.expose(), LONG.as_bytes());

        // A private server's node draws one, and goes on with it where a database is named later.
        store.database_url = None;
        let drawn = secret(&listen(None), &store).unwrap();
        store.database_url = Some("postgres://db/domainflow".to_owned());
        let again = secret(&listen(None), &store).unwrap();
        assert_eq!(again.expose(), drawn.expose());
    }
}
