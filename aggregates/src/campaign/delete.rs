//! Deletes a campaign.

use super::{Campaign, Error, Event, FailureCause};

/// Deletes a campaign; a run under way ends first. The history stays in the log.
#[derive(Clone, Copy, Debug)]
pub struct Delete {}

impl Delete {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        campaign.must_exist()?;
        let running = campaign.active_phase().and_then(|phase| {
            let run_id = campaign.phase(phase).run?;
            Some(Event::PhaseFailed {
                phase,
                run_id,
                cause: FailureCause::Stopped,
                message: "the campaign was deleted".to_owned(),
            })
        });
        Ok(running.into_iter().chain([Event::Deleted {}]).collect())
    }
}
