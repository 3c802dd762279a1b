//! Whose name servers a domain has: they give parked domains away before anything is fetched.

use super::{Record, RecordType, message::NameServer, zone::registrable};
use crate::page::PARKING_NAME_SERVERS;

/// Most name servers that a report names.
const MOST: usize = 16;

/// The name servers of one domain, as they are found.
#[derive(Debug, Default)]
pub(super) struct NameServers(Vec<String>);

impl NameServers {
    /// Adds those that were asked for. Behind an alias they are those of the alias' target.
    pub(super) fn add_answered(&mut self, records: &[Record]) {
        let is_alias = |record: &Record| record.record_type == RecordType::Cname;
        if records.iter().any(is_alias) {
            return;
        }
        let servers = records
            .iter()
            .filter(|record| record.record_type == RecordType::Ns);
        servers.for_each(|record| self.add(&record.value));
    }

    /// Adds those that were found for the suppression list's sake.
    pub(super) fn add_found(&mut self, servers: &[String]) {
        servers.iter().for_each(|server| self.add(server));
    }

    /// Adds those that stood beside an answer, unless they are those of a public suffix.
    pub(super) fn add_beside(&mut self, servers: &[NameServer]) {
        let own = servers
            .iter()
            .filter(|server| registrable(&server.zone).is_some());
        own.for_each(|server| self.add(&server.name));
    }

    /// Gives those that are known so far.
    pub(super) fn known(&self) -> &[String] {
        &self.0
    }

    /// Gives them in order, and whether one belongs to a service that parks domains.
    pub(super) fn conclude(mut self) -> (Vec<String>, bool) {
        self.0.sort_unstable();
        let parking = self.0.iter().any(|server| is_parking(server));
        (self.0, parking)
    }

    fn add(&mut self, server: &str) {
        if self.0.len() < MOST && !self.0.iter().any(|known| known == server) {
            self.0.push(server.to_owned());
        }
    }
}

fn is_parking(server: &str) -> bool {
    let is_below = |zone: &&str| {
        server
            .strip_suffix(zone)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    PARKING_NAME_SERVERS.iter().any(is_below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_below_a_parking_service_is_one_and_its_namesake_is_not() {
        assert!(is_parking("ns1.sedoparking.com") && is_parking("sedoparking.com"));
        assert!(!is_parking("notsedoparking.com") && !is_parking("ns1.example.com"));
    }
}
