//! Whether a persona follows robots.txt (RFC 9309).

use serde::{Deserialize, Serialize};

use super::Error;

/// The longest reason, characters.
const MAX_REASON: usize = 500;

/// What is done about robots.txt. It is followed unless somebody says why not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Robots {
    /// Pages are fetched whatever robots.txt says, and it is not asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore: bool,
    /// Why that is right; needed to ignore it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Checks that robots.txt is ignored for a reason, and that there is none where it is not.
pub(super) fn check(robots: &Robots) -> Result<(), Error> {
    let reason = robots.reason.as_deref().map(str::trim);
    match (robots.ignore, reason) {
        (true, None | Some("")) => Err(Error::invalid(
            "robots.reason",
            "is needed to ignore robots.txt; it is kept in the log",
        )),
        (false, Some(_)) => Err(Error::invalid(
            "robots.reason",
            "is the reason of robots.ignore, which is not set",
        )),
        (_, Some(reason)) if reason.chars().count() > MAX_REASON => Err(Error::invalid(
            "robots.reason",
            "may have 500 characters at most",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::persona::{Error, HttpConfig, Robots};

    fn refused(ignore: bool, reason: Option<&str>) -> bool {
        let robots = Some(Robots {
            ignore,
            reason: reason.map(str::to_owned),
        });
        let config = HttpConfig {
            robots,
            ..HttpConfig::default()
        };
        match config.validate() {
            Ok(()) => false,
            Err(Error::Invalid { field, .. }) if field == "robots.reason" => true,
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn robots_txt_is_ignored_for_a_reason_only() {
        assert!(!refused(true, Some("our own sites")));
        assert!(!refused(false, None));
        assert!(refused(true, None));
        assert!(refused(true, Some("  ")));
        assert!(refused(true, Some(&"x".repeat(501))));
        assert!(refused(false, Some("why")));
        assert!(HttpConfig::default().follows_robots());
    }
}
