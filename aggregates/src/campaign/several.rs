//! Several commands at once.

use cqrs_es::Aggregate as _;

use super::{Campaign, Command, Error, Event};

/// Gives commands one after the other, each to the campaign as those before left it: all of them or none.
#[derive(Clone, Debug)]
pub struct Several {
    /// The commands.
    pub commands: Vec<Command>,
}

impl Several {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        campaign.must_exist()?;
        let mut led = campaign.clone();
        let mut events = Vec::new();
        for command in self.commands {
            for event in command.decide(&led)? {
                led.apply(event.clone());
                events.push(event);
            }
        }
        Ok(events)
    }
}
