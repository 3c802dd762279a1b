//! The demo's internet, and the names that its campaign asks for.

use aggregates::names::{Error as PatternError, Kind, Pattern, Spec};
use sandbox::{KEYWORDS, ResolverScript, Sandbox, World};

use crate::{cli::Error, credentials::Keys, work::Network};

/// Which of all possible worlds.
const SEED: u64 = 20;

/// Resolvers: enough that one that answers SERVFAIL for a broken name is not the only one left to ask.
const RESOLVERS: usize = 8;

/// The letters of generated names.
const LETTERS: &str = "abcdefghij";

/// Makes the world; the same in every run.
pub(super) fn world() -> World {
    World::generated(SEED).resolvers([ResolverScript::healthy(); RESOLVERS])
}

/// Returns the keywords that are looked for, two of those that the sites show.
pub(super) fn keywords() -> Vec<String> {
    KEYWORDS
        .iter()
        .take(2)
        .map(|&keyword| keyword.to_owned())
        .collect()
}

/// Makes a pattern of at least so many names.
pub(super) fn pattern(names: u64) -> Result<Pattern, PatternError> {
    let mut length = 1;
    while 10_u64.saturating_pow(length) < names {
        length += 1;
    }
    Pattern::parse(Spec {
        kind: Kind::Prefix,
        constant: "shop".to_owned(),
        prefix_length: length,
        charset: LETTERS.to_owned(),
        tlds: vec!["test".to_owned()],
        ..Spec::default()
    })
}

/// Makes what the operator of this internet says about it.
pub(super) fn network(sandbox: &Sandbox, keys: Keys) -> Result<Network, Error> {
    let mut network = Network {
        http_port: Some(sandbox.http_port()),
        https_port: Some(sandbox.https_port()),
        allow_private: true,
        resolvers: sandbox
            .resolvers()
            .iter()
            .map(ToString::to_string)
            .collect(),
        keys,
        ..Network::default()
    };
    network
        .trust_pem(sandbox.ca_pem())
        .map_err(Error::step("trust the sandbox"))?;
    Ok(network)
}
