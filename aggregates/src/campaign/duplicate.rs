//! Makes a campaign with what another one is configured with.

use cqrs_es::Aggregate as _;

use super::{Campaign, Create, Error, Event, ImportDomains};
use crate::ids::CampaignId;

/// Makes a campaign like another one, without its runs: what it is made with was read from the other one. Names of a
/// pattern will be its own; those that the other one's configuration lists are taken in again.
#[derive(Clone, Debug)]
pub struct Duplicate {
    /// The other one.
    pub source: CampaignId,
    /// The new campaign.
    pub create: Create,
    /// The names that the configuration lists.
    pub import: Option<ImportDomains>,
}

impl Duplicate {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        let mut events = self.create.decide(campaign)?;
        events.push(Event::Duplicated {
            source: self.source,
        });
        let Some(import) = self.import else {
            return Ok(events);
        };
        let mut made = campaign.clone();
        for event in &events {
            made.apply(event.clone());
        }
        events.extend(import.decide(&made)?);
        Ok(events)
    }
}
