//! `user`: what the operator does with users. Each change is an event of the user's stream, with the operator as its
//! actor.

mod change;
mod create;
mod list;
mod password;

use clap::Subcommand;
use event_store::{ExecuteError, describe};

use super::{Error, Node, Parts, Store, keys::keys, say};
use crate::{
    auth::{self, Auth, Secret, Settings},
    config::StoreArgs,
    work::Network,
};

/// What can be done with users.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Makes a user
    Create(create::CreateArgs),
    /// Lists the users
    List(list::ListArgs),
    /// Changes what a user may do, from his next request on
    Role(change::RoleArgs),
    /// Sets a user's password; all of his sessions end
    Password(password::SetArgs),
    /// Shuts a user out: all of his sessions end
    Deactivate(change::WhoArgs),
    /// Lets a user in again
    Reactivate(change::WhoArgs),
}

impl UserCommand {
    const fn store(&self) -> &StoreArgs {
        match self {
            Self::Create(args) => &args.store,
            Self::List(args) => &args.store,
            Self::Role(args) => &args.who.store,
            Self::Password(args) => &args.who.store,
            Self::Deactivate(args) | Self::Reactivate(args) => &args.store,
        }
    }
}

pub(super) async fn user(command: UserCommand) -> Result<(), Error> {
    // What is read from standard input is read before anything is started for nothing.
    let password = match &command {
        UserCommand::Create(args) => Some(args.password.read()?),
        UserCommand::Password(args) => Some(args.password.read()?),
        _ => None,
    };
    let store = Store::open(command.store()).await?;
    let done = on(&command, password.as_deref().unwrap_or_default(), &store).await;
    store.close().await?;
    done
}

async fn on(command: &UserCommand, password: &str, store: &Store) -> Result<(), Error> {
    let network = Network {
        keys: keys(command.store())?,
        ..Network::default()
    };
    let node = Node::open(store.url(), network).await?;
    node.start(Parts {
        read_side: true,
        coordinator: false,
        workers: None,
    });
    let done = match command {
        UserCommand::Create(args) => create::create(args, password, &node).await,
        UserCommand::List(_) => list::list(&node).await,
        UserCommand::Role(args) => change::role(args, &node).await,
        UserCommand::Password(args) => password::set(args, password, &node).await,
        UserCommand::Deactivate(args) => change::deactivate(args, &node).await,
        UserCommand::Reactivate(args) => change::reactivate(args, &node).await,
    };
    node.stop().await;
    done
}

/// Prepares what hashes passwords. No session is made here, so that any secret does.
async fn log_in() -> Result<Auth, Error> {
    Auth::new(Settings::new(Secret::random()))
        .await
        .map_err(Error::step("prepare log-in"))
}

/// What cannot be is the command line's fault, all else is not.
fn refused(action: &'static str) -> impl FnOnce(auth::Error) -> Error {
    move |error| match &error {
        auth::Error::UnusablePassword(_)
        | auth::Error::NoSuchUser(_)
        | auth::Error::Refused(ExecuteError::Rejected(_)) => Error::Usage(describe(&error)),
        _ => Error::step(action)(error),
    }
}
