//! Lead decisions.

use aggregates::domain::LeadDecided;
use event_store::Recorded;

use super::rows::{Columns, Statement};
use crate::{domains::sql::result_update, runtime::ApplyError};

#[derive(Default)]
pub(super) struct Leads {
    statuses: Vec<&'static str>,
    reasons: Vec<&'static str>,
}

impl Columns for Leads {
    type Result = LeadDecided;

    const WRITE: &'static str = result_update!(
        "$5::text[], $6::text[]",
        "status, reason",
        "lead_run = i.run, lead_status = i.status, rejection_reason = i.reason"
    );

    fn push(&mut self, _: &Recorded, decided: LeadDecided) -> Result<(), ApplyError> {
        self.statuses.push(decided.status.name());
        self.reasons.push(decided.reason.name());
        Ok(())
    }

    fn bind(self, statement: Statement) -> Statement {
        statement.bind(self.statuses).bind(self.reasons)
    }
}
