//! `replay show`: a campaign as it was.

use ::replay::At;
use aggregates::ids::CampaignId;
use chrono::{DateTime, Utc};
use clap::{ArgGroup, Args};
use event_store::{Database, Position};

use crate::{
    cli::{Error, say},
    config::StoreArgs,
};

/// The arguments of `replay show`.
#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("when"))]
pub(in crate::cli) struct ShowArgs {
    #[command(flatten)]
    pub(super) store: StoreArgs,
    /// The campaign
    #[arg(value_name = "CAMPAIGN")]
    campaign: CampaignId,
    /// After the event with this sequence
    #[arg(long, group = "when", value_name = "NUMBER")]
    version: Option<u64>,
    /// At this moment (RFC 3339)
    #[arg(long, group = "when", value_name = "TIME")]
    at: Option<DateTime<Utc>>,
    /// When the log ended at this position
    #[arg(long, group = "when", value_name = "POSITION")]
    cursor: Option<Position>,
}

impl ShowArgs {
    /// Says which time is meant of a log that ends at `head`.
    fn when(&self, head: Position) -> Result<At, Error> {
        match (self.version, self.at, self.cursor) {
            (Some(version), _, _) => Ok(At::Version(version)),
            (_, Some(moment), _) => Ok(At::Moment(moment)),
            (_, _, Some(cursor)) if cursor > head => Err(Error::Failed(format!(
                "the log ends at position {head}, before --cursor {cursor}"
            ))),
            (_, _, cursor) => Ok(At::Cursor(cursor.unwrap_or(head))),
        }
    }
}

pub(super) async fn show(database: &Database, args: &ShowArgs) -> Result<(), Error> {
    let at = args.when(database.feed().head().await?)?;
    let then = ::replay::campaign_at(database, args.campaign, at).await?;
    let then =
        then.ok_or_else(|| Error::Failed(format!("there was no campaign {} then", args.campaign)))?;
    if let At::Version(version) = at
        && version > then.version
    {
        return Err(Error::Failed(format!(
            "the campaign {} is at version {}, before --version {version}",
            args.campaign, then.version
        )));
    }
    let shown = serde_json::json!({
        "campaignId": args.campaign,
        "version": then.version,
        "status": then.status,
        "state": then.state,
    });
    let text = serde_json::to_string_pretty(&shown).map_err(Error::step("write the campaign"))?;
    say(text)
}
