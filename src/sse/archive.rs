//! Stretches of the log for connections that are behind the ring: a client that comes back, or a slow one.

use std::{
    collections::VecDeque,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use aggregates::{
    domain,
    ids::{CampaignId, UserId},
};
use event_store::{Error, Feed, Page, Position, Recorded};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::{
    block::Block,
    fact::Fact,
    fact_of::{self, TYPES},
    owners::Owners,
};

/// Events of one page, about; the rest of its last commit comes with it.
const PAGE: u32 = 1_000;
/// Pages that are read at the same time, whoever wants them: a bound on memory and on connections to the database.
const READERS: usize = 4;
/// Stretches that are kept because several connections may want them, bytes.
const KEPT_BYTES: usize = 8 * 1024 * 1024;

/// Reads stretches of the log and keeps the latest of them for whoever is at the same place.
#[derive(Debug)]
pub(super) struct Archive {
    feed: Feed,
    owners: Owners,
    kept: Mutex<VecDeque<Arc<Block>>>,
    readers: Semaphore,
}

#[derive(Deserialize)]
struct Owned {
    owner: UserId,
}

impl Archive {
    pub(super) fn new(feed: Feed, owners: Owners) -> Self {
        Self {
            feed,
            owners,
            kept: Mutex::default(),
            readers: Semaphore::new(READERS),
        }
    }

    /// Returns the stretch that begins after a cursor, or has it inside; nothing at the end of the log.
    pub(super) async fn block_after(&self, cursor: Position) -> Result<Option<Arc<Block>>, Error> {
        if let Some(block) = self.kept(cursor) {
            return Ok(Some(block));
        }
        // The semaphore is never closed.
        let _turn = self.readers.acquire().await.ok();
        if let Some(block) = self.kept(cursor) {
            return Ok(Some(block));
        }
        let page = self.feed.after(cursor, PAGE, Some(&TYPES)).await?;
        if page.next <= cursor {
            return Ok(None);
        }
        let block = Arc::new(self.decode(cursor, page).await?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back(Arc::clone(&block));
        let mut size: usize = kept.iter().map(|block| block.size()).sum();
        while size > KEPT_BYTES
            && let Some(oldest) = kept.pop_front()
        {
            size -= oldest.size();
        }
        Ok(Some(block))
    }

    /// Turns a page of the feed after a position into what streams tell of it.
    pub(super) async fn decode(&self, after: Position, page: Page) -> Result<Block, Error> {
        let mut facts = Vec::with_capacity(page.events.len());
        for event in &page.events {
            if let Some(fact) = self.fact(event).await? {
                facts.push(Arc::new(fact));
            }
        }
        Ok(Block::new(after, page.next, facts))
    }

    fn kept(&self, cursor: Position) -> Option<Arc<Block>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter()
            .find(|block| block.follows(cursor))
            .map(Arc::clone)
    }

    async fn fact(&self, event: &Recorded) -> Result<Option<Fact>, Error> {
        let (campaign, decoded) = match event.aggregate_type.as_str() {
            "campaign" => (
                CampaignId::from_str(&event.aggregate_id).ok(),
                fact_of::of_campaign(event),
            ),
            "domain" => {
                let parsed = domain::parse_stream_id(&event.aggregate_id);
                let Some((campaign, name)) = parsed else {
                    return Ok(None);
                };
                let id = event.aggregate_id.split('/').next().unwrap_or_default();
                (Some(campaign), fact_of::of_domain(event, id, name))
            }
            "keyword_set" => (None, fact_of::of_keyword_set(event)),
            "proxy" => (None, fact_of::of_proxy(event)),
            _ => return Ok(None),
        };
        let what = decoded.unwrap_or_else(|error| {
            tracing::error!(
                aggregate.type_ = event.aggregate_type, aggregate.id = event.aggregate_id, event.sequence, %error,
                "an event cannot be told to its stream's listeners"
            );
            Some(fact_of::unreadable(event))
        });
        let Some(what) = what else {
            return Ok(None);
        };
        let Some(owner) = self.owner(event, campaign).await? else {
            return Ok(None);
        };
        Ok(Some(Fact {
            position: event.position,
            at: event.recorded_at,
            owner,
            campaign,
            what,
        }))
    }

    async fn owner(
        &self,
        event: &Recorded,
        campaign: Option<CampaignId>,
    ) -> Result<Option<UserId>, Error> {
        match campaign {
            Some(campaign) => self.owners.of(campaign).await,
            None => Ok(fact_of::inside::<Owned>(event)
                .ok()
                .map(|owned| owned.owner)),
        }
    }
}
