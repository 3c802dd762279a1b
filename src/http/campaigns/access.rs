//! The way to a campaign, for whoever reaches it; everybody else is told that there is none.

use aggregates::{
    campaign::{Campaign, CampaignType, Command, Event, Mode, Phase, PhaseState, Restored},
    ids::{CampaignId, UserId},
    names::DomainName,
};
use projections::campaigns::{self, Overview, Recent};
use uuid::Uuid;

use crate::{
    commands::Done,
    http::{Caller, Error, State},
};

/// What is answered where there is no such campaign, or it is somebody else's.
pub(crate) const MISSING: Error = Error::no_such("campaign", "campaignId");
/// What is answered where a campaign has no such domain.
pub(super) const NO_SUCH_DOMAIN: Error = Error::no_such("domain", "domain");

/// Reads a campaign that the caller reaches, with its counters.
pub(super) async fn overview(state: &State, caller: &Caller, id: Uuid) -> Result<Overview, Error> {
    campaigns::overview(state.app.database.pool(), CampaignId(id))
        .await?
        .filter(|overview| caller.reaches(overview.campaign.owner))
        .ok_or(MISSING)
}

/// Reads a campaign that the caller reaches, with its counters and its last entries of the audit trail with these actions.
pub(super) async fn recent(
    state: &State,
    caller: &Caller,
    id: Uuid,
    actions: &[&str],
    limit: i64,
) -> Result<Recent, Error> {
    campaigns::recent(state.app.database.pool(), CampaignId(id), actions, limit)
        .await?
        .filter(|recent| caller.reaches(recent.overview.campaign.owner))
        .ok_or(MISSING)
}

/// Reads a campaign that the caller reaches.
pub(crate) async fn campaign(
    state: &State,
    caller: &Caller,
    id: Uuid,
) -> Result<campaigns::Campaign, Error> {
    campaigns::by_id(state.app.database.pool(), CampaignId(id))
        .await?
        .filter(|campaign| caller.reaches(campaign.owner))
        .ok_or(MISSING)
}

/// Answers what the first request with the caller's idempotency key did to a campaign, if this is its repeat.
pub(super) async fn repeated(state: &State, caller: &Caller) -> Result<Option<Done<Event>>, Error> {
    let done = state.app.repeated::<Campaign>(&caller.metadata).await?;
    Ok(done)
}

/// Checks that the caller reaches a campaign before a command goes to it; he did, for the repeat of a command, whose key is
/// the user's and the operation's own. The owner of a campaign never changes, so the
/// read model's word is enough; a campaign that it does not show yet is looked up in the log.
pub(super) async fn owned(state: &State, caller: &Caller, id: Uuid) -> Result<CampaignId, Error> {
    let id = CampaignId(id);
    if repeated(state, caller).await?.is_some() {
        return Ok(id);
    }
    let shown = campaigns::by_id(state.app.database.pool(), id).await?;
    let owner = match shown {
        Some(campaign) => Some(campaign.owner),
        None => {
            let loaded = state
                .app
                .database
                .log()
                .load::<Campaign>(&id.to_string())
                .await;
            loaded.map_err(Error::internal)?.0.owner()
        }
    };
    if owner.is_some_and(|owner| caller.reaches(owner)) {
        Ok(id)
    } else {
        Err(MISSING)
    }
}

/// Gives a command to a campaign that the caller reaches; `version` is the one that he saw, where he says so.
pub(in crate::http) async fn execute(
    state: &State,
    caller: &Caller,
    id: CampaignId,
    command: Command,
    version: Option<u64>,
) -> Result<Done<Event>, Error> {
    let done = state
        .app
        .execute::<Campaign>(&id.to_string(), command, &caller.metadata, version)
        .await?;
    Ok(done)
}

/// Refuses settings for a typed campaign, whose own interface keeps them.
pub(super) fn may_configure(campaign: &campaigns::Campaign, field: &str) -> Result<(), Error> {
    match campaign.campaign_type {
        CampaignType::Full => Ok(()),
        typed => Err(Error::unprocessable(
            field,
            format!(
                "a {} campaign is configured below /api/v1/campaigns/{}",
                typed.name(),
                typed.name()
            ),
        )),
    }
}

/// Reads a phase of a path.
pub(super) fn phase(text: &str) -> Result<Phase, Error> {
    text.parse().map_err(|error| Error::bad("phase", error))
}

/// Reads a domain of a path.
pub(super) fn domain(text: &str) -> Result<DomainName, Error> {
    DomainName::parse(text).map_err(|reason| Error::bad("domain", reason))
}

/// Puts together a campaign that does not exist yet, to ask whether its owner may use what it refers to.
pub(super) fn unborn(owner: UserId, campaign_type: CampaignType) -> Campaign {
    Campaign::restore(Restored {
        owner,
        campaign_type,
        mode: Mode::StepByStep,
        max_domains: None,
        names: 0,
        stopped: false,
        phases: std::array::from_fn(|_| (PhaseState::NotStarted, None, None, 0)),
    })
}
