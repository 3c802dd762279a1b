//! `user`: users are made by the operator.

use std::io::Read as _;

use aggregates::user::Role;
use clap::{Args, Subcommand};
use event_store::{ExecuteError, describe};

use super::{Error, Node, Parts, Store, say};
use crate::{
    auth::{self, Auth, Secret, Settings},
    config::StoreArgs,
    work::Network,
};

/// The longest password that is read from standard input, bytes.
const LONGEST: u64 = 1024;

/// What can be done with users.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Makes a user
    Create(CreateArgs),
}

/// The arguments of `user create`.
#[derive(Args, Clone, Debug)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The mail address to log in with
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// The name; the mail address up to the @ where absent
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// The password; read from standard input where absent
    #[arg(
        long,
        env = "DOMAINFLOW_PASSWORD",
        value_name = "TEXT",
        hide_env_values = true
    )]
    password: Option<String>,
    /// admin or user
    #[arg(long, value_name = "ROLE", default_value = "user")]
    role: Role,
}

pub(super) async fn user(command: UserCommand) -> Result<(), Error> {
    let UserCommand::Create(args) = command;
    let password = match &args.password {
        Some(password) => password.clone(),
        None => read_password()?,
    };
    let store = Store::open(&args.store).await?;
    let created = create(&args, &password, &store).await;
    store.close().await?;
    created
}

fn read_password() -> Result<String, Error> {
    let mut text = String::new();
    std::io::stdin()
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(Error::step("read the password from standard input"))?;
    let password = text.lines().next().unwrap_or_default();
    if password.is_empty() {
        return Err(Error::Usage(
            "the password is missing: --password, or a line on standard input".to_owned(),
        ));
    }
    Ok(password.to_owned())
}

async fn create(args: &CreateArgs, password: &str, store: &Store) -> Result<(), Error> {
    let node = Node::open(store.url(), Network::default()).await?;
    node.start(Parts {
        read_side: true,
        coordinator: false,
        workers: None,
    });
    let registered = register(args, password, &node).await;
    node.stop().await;
    registered
}

async fn register(args: &CreateArgs, password: &str, node: &Node) -> Result<(), Error> {
    // No session is made here, so that any secret does.
    let auth = Auth::new(Settings::new(Secret::random()))
        .await
        .map_err(Error::step("prepare log-in"))?;
    let username = match &args.username {
        Some(username) => username.as_str(),
        None => args.email.split('@').next().unwrap_or_default(),
    };
    let user_id = auth::register(&node.app, &auth, &args.email, username, password, args.role)
        .await
        .map_err(not_made)?;
    say(format_args!(
        "{} {} is user {user_id}",
        args.role.name(),
        args.email.trim().to_lowercase()
    ))?;
    Ok(())
}

/// What cannot be a user is the command line's fault, all else is not.
fn not_made(error: auth::Error) -> Error {
    match &error {
        auth::Error::UnusablePassword(_) | auth::Error::Refused(ExecuteError::Rejected(_)) => {
            Error::Usage(describe(&error))
        }
        _ => Error::step("make the user")(error),
    }
}
