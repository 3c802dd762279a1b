//! `migrate`: the database's schema is brought up to date.

use clap::Args;
use event_store::{ConnectOptions, Database};

use super::{Error, Store, say};
use crate::config::StoreArgs;

/// The arguments of `migrate`.
#[derive(Args, Clone, Debug)]
pub(super) struct MigrateArgs {
    #[command(flatten)]
    store: StoreArgs,
}

pub(super) async fn migrate(args: MigrateArgs) -> Result<(), Error> {
    let store = Store::open(&args.store).await?;
    let migrated = async {
        let database = Database::connect(store.url(), ConnectOptions::default()).await?;
        database.migrate().await?;
        database.close().await;
        Ok::<_, Error>(())
    };
    let migrated = migrated.await;
    store.close().await?;
    migrated?;
    say("the schema is up to date")
}
