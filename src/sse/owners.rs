//! Whose campaigns are.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use aggregates::ids::{CampaignId, UserId};
use event_store::{Error, Log};
use serde::Deserialize;

/// Campaigns whose owner is remembered at most. An owner never changes, so nothing here goes stale.
const MAX_KNOWN: usize = 50_000;

#[derive(Deserialize)]
struct Created {
    owner: UserId,
}

#[derive(Deserialize)]
enum First {
    Created(Created),
}

/// Finds the owner of a campaign: in memory, or in the first event of its stream. The read model would not do, because
/// it is behind the log and forgets deleted campaigns.
#[derive(Debug)]
pub(super) struct Owners {
    log: Log,
    known: Mutex<HashMap<CampaignId, UserId>>,
}

impl Owners {
    pub(super) fn new(log: Log) -> Self {
        Self {
            log,
            known: Mutex::default(),
        }
    }

    /// Returns whose campaign it is; nobody's where its stream does not begin as campaigns do.
    pub(super) async fn of(&self, campaign: CampaignId) -> Result<Option<UserId>, Error> {
        let known = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&campaign)
            .copied();
        if known.is_some() {
            return Ok(known);
        }
        let first = self
            .log
            .stream("campaign", &campaign.to_string())
            .page(0, 1)
            .await?;
        let Some(First::Created(Created { owner })) = first
            .first()
            .and_then(|found| serde_json::from_str(&found.event.payload).ok())
        else {
            return Ok(None);
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(campaign, owner);
        Ok(Some(owner))
    }
}
