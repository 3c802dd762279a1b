//! Reads a persona's configuration so that whatever does not fit is named by its place.

use aggregates::persona::{Config, DnsConfig, Kind, Resolver};
use serde_json::{Map, Value};

use crate::{
    http::{Error, body, refusals::Refusal},
    work::{Network, usable},
};

const FIELD: &str = "configDetails";

/// Reads the configuration of a persona of a kind; `personaType` inside may be left out, but not be another.
///
/// # Errors
/// When it does not read (400), cannot be honoured, or names a resolver that the operator's network does not allow (422).
pub(super) fn read(
    kind: Kind,
    mut details: Map<String, Value>,
    network: &Network,
) -> Result<Config, Error> {
    if let Some(inside) = details.remove("personaType")
        && inside != kind.name()
    {
        return Err(Error::bad(
            format!("{FIELD}.personaType"),
            format!("must be {}", kind.name()),
        ));
    }
    let details = Value::Object(details);
    let config = match kind {
        Kind::Dns => Config::Dns(body::from_value(FIELD, details)?),
        Kind::Http => Config::Http(body::from_value(FIELD, details)?),
    };
    if let Config::Dns(config) = &config {
        check_resolvers(config, network)?;
    }
    config.validate().map_err(Refusal::into_http)?;
    // The engines have the last word: what they do not take would end the first run that works with it.
    usable::persona(&config, network).map_err(|why| Error::unprocessable(FIELD, why))?;
    Ok(config)
}

/// Refuses resolvers that runs would refuse; what is no resolver at all is the aggregate's affair.
fn check_resolvers(config: &DnsConfig, network: &Network) -> Result<(), Error> {
    for (at, text) in config.resolvers.iter().enumerate() {
        if let Ok(resolver) = Resolver::parse(text)
            && let Some(address) = resolver.address()
            && let Some(why) = network.refuses_resolver(address)
        {
            return Err(Error::unprocessable(
                format!("{FIELD}.resolvers[{at}]"),
                format!("{text} may not be asked: {why}"),
            ));
        }
    }
    Ok(())
}
