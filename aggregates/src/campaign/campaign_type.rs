//! What a campaign is for, which says what phases it has.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Phase;

/// What a campaign is for. Settled when it is created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignType {
    /// All five phases, from names to leads.
    #[default]
    Full,
    /// Names.
    Generation,
    /// Names that it is given, checked over DNS.
    Dns,
    /// Names that it is given, fetched over HTTP.
    Http,
    /// Names and results of other campaigns, made into leads.
    Lead,
}

impl CampaignType {
    /// All types.
    pub const ALL: [Self; 5] = [
        Self::Full,
        Self::Generation,
        Self::Dns,
        Self::Http,
        Self::Lead,
    ];

    /// Returns the type's name in the log and in paths.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Generation => "generation",
            Self::Dns => "dns",
            Self::Http => "http",
            Self::Lead => "lead",
        }
    }

    /// Returns the phases of such a campaign, in the order of execution: from the first on, up to what it is for.
    #[must_use]
    pub const fn phases(self) -> &'static [Phase] {
        const ALL: &[Phase] = &Phase::ALL;
        match self {
            Self::Generation => &[Phase::Discovery],
            Self::Dns => &[Phase::Discovery, Phase::Validation],
            Self::Http => &[Phase::Discovery, Phase::Validation, Phase::Extraction],
            Self::Full | Self::Lead => ALL,
        }
    }

    /// Returns the last phase.
    #[must_use]
    pub const fn last_phase(self) -> Phase {
        match self {
            Self::Generation => Phase::Discovery,
            Self::Dns => Phase::Validation,
            Self::Http => Phase::Extraction,
            Self::Full | Self::Lead => Phase::Enrichment,
        }
    }

    /// Tells whether it is the type that is not written down.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full)
    }
}

/// A text that names no type of campaign.
#[derive(Debug, thiserror::Error)]
#[error("unknown type of campaign, expected generation, dns, http or lead")]
pub struct UnknownType;

impl FromStr for CampaignType {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<Self, UnknownType> {
        Self::ALL
            .into_iter()
            .find(|one| one.name() == text)
            .ok_or(UnknownType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_s_phases_end_with_its_last_and_its_name_reads_back() {
        for one in CampaignType::ALL {
            assert_eq!(one.phases().last(), Some(&one.last_phase()));
            assert!(Phase::ALL.starts_with(one.phases()));
            assert_eq!(one.name().parse::<CampaignType>().unwrap(), one);
            assert_eq!(serde_json::to_value(one).unwrap(), one.name());
        }
    }
}
