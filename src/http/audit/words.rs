//! The kinds of things that the audit trail tells of, and what can happen to each, as events are called.

/// What can happen to each kind of thing.
const ACTIONS: [(&str, &[&str]); 9] = [
    (
        "campaign",
        &[
            "Completed",
            "Created",
            "Deleted",
            "DetailsChanged",
            "DomainsGenerated",
            "DomainsImported",
            "DomainsTaken",
            "Duplicated",
            "ModeChanged",
            "PhaseCompleted",
            "PhaseConfigured",
            "PhaseFailed",
            "PhasePaused",
            "PhaseResumed",
            "PhaseStartRefused",
            "PhaseStarted",
            "Rescored",
            "Restarted",
            "ScoringProfileAssigned",
            "Stopped",
        ],
    ),
    (
        "keyword_set",
        &[
            "Changed",
            "Created",
            "Deleted",
            "Disabled",
            "Enabled",
            "RulesReplaced",
        ],
    ),
    ("pattern", &["RangeContinued", "RangeReserved"]),
    (
        "persona",
        &["Changed", "Created", "Deleted", "Disabled", "Enabled"],
    ),
    (
        "proxy",
        &[
            "Changed",
            "Created",
            "CredentialsChanged",
            "Deleted",
            "Disabled",
            "Enabled",
            "HealthChanged",
        ],
    ),
    (
        "proxy_pool",
        &[
            "Changed",
            "Created",
            "Deleted",
            "ProxyAdded",
            "ProxyRemoved",
        ],
    ),
    ("scoring_profile", &["Changed", "Created", "Deleted"]),
    (
        "suppression_entry",
        &["AddedToSuppressionList", "RemovedFromSuppressionList"],
    ),
    (
        "user",
        &[
            "ApiKeyIssued",
            "ApiKeyRevoked",
            "Deactivated",
            "DetailsChanged",
            "LockedOut",
            "LoggedIn",
            "LoggedOut",
            "LoginFailed",
            "PasswordChanged",
            "Reactivated",
            "Registered",
            "RoleChanged",
        ],
    ),
];

/// What can be found out about a domain.
pub(in crate::http) const OF_A_DOMAIN: [&str; 4] =
    ["DnsChecked", "HttpChecked", "LeadDecided", "Scored"];

/// Lists the kinds of things.
pub(in crate::http) fn resource_types() -> Vec<&'static str> {
    ACTIONS.iter().map(|(of, _)| *of).collect()
}

/// Lists what can happen to things of a kind or, where none is named, to any, each once.
pub(super) fn actions(resource_type: Option<&str>) -> Vec<&'static str> {
    let kinds = ACTIONS
        .iter()
        .filter(|(of, _)| resource_type.is_none_or(|wanted| wanted == *of));
    let mut actions: Vec<&str> = kinds
        .flat_map(|(_, actions)| actions.iter().copied())
        .collect();
    actions.sort_unstable();
    actions.dedup();
    actions
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_event_of_the_log_has_a_word() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("aggregates/tests/golden");
        let mut kinds = BTreeSet::new();
        for kind in fs::read_dir(golden).unwrap() {
            let kind = kind.unwrap();
            let name = kind.file_name().into_string().unwrap();
            let files = fs::read_dir(kind.path()).unwrap();
            let events: BTreeSet<String> = files
                .map(|file| file.unwrap().file_name().into_string().unwrap())
                .map(|file| file.split('.').next().unwrap().to_owned())
                .collect();
            let words = match name.as_str() {
                "domain" => OF_A_DOMAIN.to_vec(),
                kind => actions(Some(kind)),
            };
            assert!(events.iter().eq(&words), "{name}: {events:?}, {words:?}");
            kinds.insert(name);
        }
        kinds.remove("domain");
        assert!(kinds.iter().eq(resource_types()), "{kinds:?}");
    }
}
