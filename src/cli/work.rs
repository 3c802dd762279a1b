//! `work`: workers for campaigns that other nodes serve.

use clap::Args;
use event_store::describe;
use tokio::net::TcpListener;

use super::{Error, Node, Parts, Shutdown, Store, keys::keys, metrics, say};
use crate::{
    app::MOST_SLOTS,
    config::{MetricsArgs, NetworkArgs, StoreArgs},
    monitoring::Monitor,
    work::Settings,
};

/// The arguments of `work`.
#[derive(Args, Clone, Debug)]
pub(super) struct WorkArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    metrics: MetricsArgs,
    /// Work orders that are worked on at once, 48 at most; the process holds up to eight connections more
    #[arg(long, env = "DOMAINFLOW_SLOTS", value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_SLOTS)))]
    slots: Option<u16>,
}

pub(super) async fn work(args: WorkArgs, shutdown: &Shutdown) -> Result<(), Error> {
    let network = args.network.network(keys(&args.store)?)?;
    let metrics = metrics::open(&args.metrics).await?;
    let store = Store::open(&args.store).await?;
    let worked = work_on(&args, (network, metrics), &store, shutdown).await;
    store.close().await?;
    worked
}

async fn work_on(
    args: &WorkArgs,
    (network, metrics): (crate::work::Network, Option<TcpListener>),
    store: &Store,
    shutdown: &Shutdown,
) -> Result<(), Error> {
    let mut settings = Settings::default();
    if let Some(slots) = args.slots {
        settings.slots = slots;
    }
    let node = Node::open_for_workers(store.url(), network, settings.slots).await?;
    let monitor = Monitor::new(node.app.database.clone());
    metrics::serve(&node, metrics, &monitor, None);
    // Workers work whether anybody reads that or not.
    if let Err(error) = say(format_args!(
        "{} works on {} orders at once",
        settings.name, settings.slots
    )) {
        tracing::warn!(error = %describe(&error), "nobody was told");
    }
    node.start(Parts {
        read_side: false,
        coordinator: false,
        workers: Some(settings),
    });
    let ended = tokio::select! {
        () = shutdown.requested() => Ok(()),
        error = store.lost() => Err(error),
    };
    node.end(&ended).await;
    ended
}
