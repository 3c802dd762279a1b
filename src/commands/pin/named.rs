//! What a user names by its id to work with: personas and keyword sets, copied as they are now. Each is looked for among
//! those that are reached; where `whose` is `None`, they are none.

use aggregates::{
    ids::{KeywordSetId, PersonaId, UserId},
    keyword_set::{KeywordSet, Rule},
    persona::{Config, DnsConfig, HttpConfig, Persona},
};
use event_store::Database;
use projections::Whose;

use super::{Defaults, Error, wrong};

/// Tells whether what belongs to somebody is reached; what belongs to nobody is not there.
fn includes(whose: Option<Whose>, owner: Option<UserId>) -> bool {
    whose
        .zip(owner)
        .is_some_and(|(whose, owner)| whose.includes(owner))
}

async fn persona(
    database: &Database,
    whose: Option<Whose>,
    field: &'static str,
    id: PersonaId,
) -> Result<Config, Error> {
    let (persona, _) = database.log().load::<Persona>(&id.to_string()).await?;
    if !includes(whose, persona.owner()) {
        return Err(wrong(field, "there is no such persona"));
    }
    if !persona.is_enabled() {
        return Err(wrong(field, "the persona is disabled"));
    }
    persona
        .config()
        .cloned()
        .ok_or_else(|| wrong(field, "there is no such persona"))
}

/// Copies how a DNS persona asks, one of those that are reached; the defaults where none is named.
///
/// # Errors
/// When there is no such persona, it is disabled, of the other kind, or somebody else's.
pub async fn dns(
    database: &Database,
    whose: Option<Whose>,
    id: Option<PersonaId>,
    defaults: &Defaults,
) -> Result<DnsConfig, Error> {
    let Some(id) = id else {
        return Ok(defaults.dns.clone());
    };
    match persona(database, whose, "dnsPersonaId", id).await? {
        Config::Dns(config) => Ok(config),
        Config::Http(_) => Err(wrong("dnsPersonaId", "the persona is an HTTP persona")),
    }
}

/// Copies how an HTTP persona fetches, one of those that are reached; the defaults where none is named.
///
/// # Errors
/// As [`dns`].
pub async fn http(
    database: &Database,
    whose: Option<Whose>,
    id: Option<PersonaId>,
    defaults: &Defaults,
) -> Result<HttpConfig, Error> {
    let Some(id) = id else {
        return Ok(defaults.http.clone());
    };
    match persona(database, whose, "httpPersonaId", id).await? {
        Config::Http(config) => Ok(config),
        Config::Dns(_) => Err(wrong("httpPersonaId", "the persona is a DNS persona")),
    }
}

/// Copies the rules of a keyword set, one of those that are reached.
///
/// # Errors
/// When there is no such set, it is disabled, or somebody else's; names `field`.
pub async fn rules(
    database: &Database,
    whose: Option<Whose>,
    field: &'static str,
    id: KeywordSetId,
) -> Result<Vec<Rule>, Error> {
    let (set, _) = database.log().load::<KeywordSet>(&id.to_string()).await?;
    if !includes(whose, set.owner()) {
        return Err(wrong(field, format!("there is no keyword set {id}")));
    }
    if !set.is_enabled() {
        return Err(wrong(field, format!("keyword set {id} is disabled")));
    }
    Ok(set.rules().to_vec())
}
