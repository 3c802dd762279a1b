//! `user create`.

use aggregates::user::Role;
use clap::Args;

use super::{Error, Node, log_in, password::PasswordArgs, refused, say};
use crate::{auth, config::StoreArgs};

/// The arguments of `user create`.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct CreateArgs {
    #[command(flatten)]
    pub(super) store: StoreArgs,
    /// The mail address to log in with
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// The name; the mail address up to the @ where absent
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    #[command(flatten)]
    pub(super) password: PasswordArgs,
    /// admin, auditor or user
    #[arg(long, value_name = "ROLE", default_value = "user")]
    role: Role,
}

pub(super) async fn create(args: &CreateArgs, password: &str, node: &Node) -> Result<(), Error> {
    let auth = log_in().await?;
    let username = match &args.username {
        Some(username) => username.as_str(),
        None => args.email.split('@').next().unwrap_or_default(),
    };
    let user_id = auth::register(&node.app, &auth, &args.email, username, password, args.role)
        .await
        .map_err(refused("make the user"))?;
    say(format_args!(
        "{} {} is user {user_id}",
        args.role.name(),
        args.email.trim().to_lowercase()
    ))
}
