//! DNS results.

use aggregates::domain::DnsChecked;
use event_store::Recorded;

use super::rows::{Columns, Statement};
use crate::{domains::sql::result_update, runtime::ApplyError};

#[derive(Default)]
pub(super) struct Dns {
    statuses: Vec<&'static str>,
    reasons: Vec<&'static str>,
    addresses: Vec<Option<String>>,
    parking: Vec<Option<String>>,
}

impl Columns for Dns {
    type Result = DnsChecked;

    const WRITE: &'static str = result_update!(
        "$5::text[], $6::text[], $7::text[], $8::text[]",
        "status, reason, addresses, parking",
        "dns_run = i.run, dns_status = i.status, dns_reason = i.reason, addresses = i.addresses, \
         parking_servers = i.parking"
    );

    fn push(&mut self, _: &Recorded, checked: DnsChecked) -> Result<(), ApplyError> {
        self.statuses.push(checked.outcome.name());
        self.reasons
            .push(checked.reason.map_or("", |reason| reason.name()));
        let addresses: Vec<String> = checked.addresses.iter().map(ToString::to_string).collect();
        self.addresses
            .push((!addresses.is_empty()).then(|| addresses.join(" ")));
        self.parking
            .push(checked.parking.then(|| checked.name_servers.join(" ")));
        Ok(())
    }

    fn bind(self, statement: Statement) -> Statement {
        statement
            .bind(self.statuses)
            .bind(self.reasons)
            .bind(self.addresses)
            .bind(self.parking)
    }
}
