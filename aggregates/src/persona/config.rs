//! Either configuration, with the discriminator of the wire.

use serde::{Deserialize, Serialize};

use super::{DnsConfig, Error, HttpConfig};

/// What a persona is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Asking over DNS.
    Dns,
    /// Fetching over HTTP.
    Http,
}

impl Kind {
    /// Returns the kind's name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Http => "http",
        }
    }
}

/// A persona's configuration; `personaType` says which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "personaType", rename_all = "lowercase")]
pub enum Config {
    /// How names are resolved.
    Dns(DnsConfig),
    /// How pages are fetched.
    Http(HttpConfig),
}

impl Config {
    /// Returns what the persona is for.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Dns(_) => Kind::Dns,
            Self::Http(_) => Kind::Http,
        }
    }

    /// Checks that every setting can be honoured.
    ///
    /// # Errors
    /// Names the first field that cannot.
    pub fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Dns(config) => config.validate(),
            Self::Http(config) => config.validate(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_says_which_configuration_it_is_and_nothing_unknown_passes() {
        let dns = r#"{"personaType":"dns","resolvers":["192.0.2.1"],"queryTimeoutSeconds":2,
            "maxDomainsPerRequest":100,"concurrentQueriesPerDomain":2}"#;
        let read: Config = serde_json::from_str(dns).unwrap();
        assert_eq!(read.kind(), Kind::Dns);
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&written).unwrap(), read);

        let typo = dns.replace("\"resolvers\"", "\"resolverz\"");
        assert!(serde_json::from_str::<Config>(&typo).is_err());
        let http = r#"{"personaType":"http","userAgent":"x","headless":true}"#;
        assert!(serde_json::from_str::<Config>(http).is_err());
    }
}
