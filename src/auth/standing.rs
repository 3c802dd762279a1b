//! Whoever changes how he comes in has to be in at the moment at which the change is recorded, and not only when his
//! request began: its body may have been on its way for long.
//!
//! Whatever ends a session is an event of its user. Of two transactions that append to his stream one comes first: looked at
//! after the append, a session is there unless an event before this one ended it.

use aggregates::{
    Metadata,
    ids::SessionId,
    user::{self, User},
};
use event_store::Transaction;
use sqlx::PgConnection;

use super::Error;
use crate::commands::Recorded;

const IS_LIVE: &str =
    "SELECT EXISTS (SELECT FROM sessions WHERE session_id = $1 AND expires_at > now())";

/// Records a command of somebody who came with a session, with what else the transaction has, unless the session is over.
///
/// # Errors
/// [`Error::SessionOver`], what the rules refuse, or a failing database; nothing is recorded then.
pub(super) async fn record(
    mut transaction: Transaction,
    (user, session): (&str, SessionId),
    command: user::Command,
    metadata: &Metadata,
) -> Result<Recorded<user::Event>, Error> {
    let committed = transaction.execute::<User>(user, command, metadata).await?;
    must_be_live(transaction.connection(), session).await?;
    transaction.commit().await?;
    Ok(Recorded {
        aggregate_id: user.to_owned(),
        committed,
    })
}

/// Refuses where a session is over.
///
/// # Errors
/// [`Error::SessionOver`], or a failing database.
pub(super) async fn must_be_live(
    connection: &mut PgConnection,
    session: SessionId,
) -> Result<(), Error> {
    let live: bool = sqlx::query_scalar(IS_LIVE)
        .bind(session.0)
        .fetch_one(connection)
        .await
        .map_err(Error::database("look at a session"))?;
    live.then_some(()).ok_or(Error::SessionOver)
}
