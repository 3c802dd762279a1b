//! `user list`.

use chrono::{SecondsFormat, Utc};
use clap::Args;
use comfy_table::{Table, presets::NOTHING};
use projections::users::{self, Row};

use super::{Error, Node, say};
use crate::{commands::READ_MODELS_WAIT, config::StoreArgs};

/// Users that are read at a time.
const PAGE: i64 = 1_000;

/// The arguments of `user list`.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    pub(super) store: StoreArgs,
}

pub(super) async fn list(node: &Node) -> Result<(), Error> {
    let head = node.app.database.feed().head().await?;
    if let Err(lag) = node.app.runtime.wait_for(head, READ_MODELS_WAIT).await {
        tracing::warn!(behind = lag.behind, "the list is not up to date");
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["id", "mail address", "name", "role", "state", "since"]);
    let mut offset = 0;
    loop {
        let page = users::list(node.app.database.pool(), PAGE, offset)
            .await
            .map_err(Error::step("read the users"))?;
        table.add_rows(page.iter().map(row));
        offset += PAGE;
        if page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
            return say(table);
        }
    }
}

fn row(user: &Row) -> [String; 6] {
    let locked = user.locked_until.is_some_and(|until| Utc::now() < until);
    let state = match (user.active, locked) {
        (false, _) => "deactivated",
        (true, true) => "locked out",
        (true, false) => "active",
    };
    [
        user.user_id.to_string(),
        user.email.clone(),
        user.username.clone(),
        user.role.clone(),
        state.to_owned(),
        user.created_at.to_rfc3339_opts(SecondsFormat::Secs, true),
    ]
}
