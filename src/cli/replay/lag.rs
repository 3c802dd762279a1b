//! `replay lag`: how far behind the log everything is that follows it.

use std::time::Duration;

use ::replay::{Follower, lag as look};
use clap::Args;
use event_store::Database;

use super::rows::seconds;
use crate::{
    cli::{Error, say},
    config::StoreArgs,
};

/// The arguments of `replay lag`.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct LagArgs {
    #[command(flatten)]
    pub(super) store: StoreArgs,
    /// The most events that anything may be behind
    #[arg(long, value_name = "NUMBER")]
    max_events: Option<u64>,
    /// The longest, in seconds, that an event may wait for anything
    #[arg(long, value_name = "SECONDS")]
    max_seconds: Option<u64>,
}

impl LagArgs {
    /// What stands still is over every bound, and over none.
    fn is_over(&self, follower: &Follower) -> bool {
        let age = self.max_seconds.map(Duration::from_secs);
        follower.halted.is_some()
            || self.max_events.is_some_and(|most| follower.behind > most)
            || age.is_some_and(|longest| follower.age > longest)
    }
}

pub(super) async fn lag(database: &Database, args: &LagArgs) -> Result<(), Error> {
    let lag = look(database).await?;
    say(format_args!("the log ends at position {}", lag.head))?;
    let mut over = Vec::new();
    for follower in &lag.followers {
        let standing = match &follower.halted {
            Some(reason) => format!("; it stands still: {reason}"),
            None => String::new(),
        };
        say(format_args!(
            "{}: at {}, {} events and {} behind{standing}",
            follower.name,
            follower.position,
            follower.behind,
            seconds(follower.age)
        ))?;
        if args.is_over(follower) {
            over.push(follower.name);
        }
    }
    if over.is_empty() {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "too far behind: {}",
        over.join(", ")
    )))
}
