//! Every identifier of the system, each a type of its own so that one cannot stand in for another.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

ids! {
    /// A campaign, `UUIDv7`.
    CampaignId;
    /// One run of one phase of a campaign.
    RunId;
    /// A file of names that a user uploaded.
    FileId;
    /// A DNS or HTTP persona.
    PersonaId;
    /// A keyword set.
    KeywordSetId;
    /// A rule inside a keyword set.
    RuleId;
    /// A scoring profile.
    ScoringProfileId;
    /// A proxy.
    ProxyId;
    /// A proxy pool.
    ProxyPoolId;
    /// An entry of the suppression list; the same for the same entry, whenever it is added.
    SuppressionId;
    /// A user of the system.
    UserId;
    /// An API key; the key itself is never in an event.
    ApiKeyId;
    /// A login session; the session's secret is never in an event.
    SessionId;
}
