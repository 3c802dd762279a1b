//! `user role`, `user deactivate` and `user reactivate`.

use aggregates::user::{ChangeRole, Command, Deactivate, Reactivate, Role};
use clap::Args;

use super::{Error, Node, refused, say};
use crate::{auth, config::StoreArgs};

/// The arguments that name a user.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct WhoArgs {
    #[command(flatten)]
    pub(super) store: StoreArgs,
    /// The mail address that the user logs in with
    #[arg(long, value_name = "ADDRESS")]
    pub(super) email: String,
}

/// The arguments of `user role`.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct RoleArgs {
    #[command(flatten)]
    pub(super) who: WhoArgs,
    /// admin, auditor or user
    #[arg(long, value_name = "ROLE")]
    role: Role,
}

pub(super) async fn role(args: &RoleArgs, node: &Node) -> Result<(), Error> {
    let command = Command::ChangeRole(ChangeRole { role: args.role });
    let user_id = auth::administer(&node.app, &args.who.email, command)
        .await
        .map_err(refused("change the role"))?;
    say(format_args!("user {user_id} is {} now", args.role.name()))
}

pub(super) async fn deactivate(args: &WhoArgs, node: &Node) -> Result<(), Error> {
    let user_id = auth::administer(&node.app, &args.email, Command::Deactivate(Deactivate))
        .await
        .map_err(refused("deactivate the user"))?;
    say(format_args!("user {user_id} is shut out"))
}

pub(super) async fn reactivate(args: &WhoArgs, node: &Node) -> Result<(), Error> {
    let user_id = auth::administer(&node.app, &args.email, Command::Reactivate(Reactivate))
        .await
        .map_err(refused("reactivate the user"))?;
    say(format_args!("user {user_id} may come in again"))
}
