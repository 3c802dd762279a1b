//! Makes a campaign together with the names that it starts with.

use cqrs_es::Aggregate as _;

use super::{Campaign, Create, Error, Event, ImportDomains};

/// Makes a campaign and takes its first list in, both or neither.
#[derive(Clone, Debug)]
pub struct CreateWithNames {
    /// The campaign.
    pub create: Create,
    /// Its names.
    pub import: ImportDomains,
}

impl CreateWithNames {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        let mut events = self.create.decide(campaign)?;
        let mut made = campaign.clone();
        for event in &events {
            made.apply(event.clone());
        }
        events.extend(self.import.decide(&made)?);
        Ok(events)
    }
}
