//! Personas named by a list of ids: each goes where its kind belongs.

use aggregates::{
    ids::{PersonaId, UserId},
    persona::{Config, Persona},
};
use event_store::Database;
use uuid::Uuid;

use crate::http::Error;

/// The personas of a campaign or phase, at most one of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Personas {
    pub(super) dns: Option<PersonaId>,
    pub(super) http: Option<PersonaId>,
}

/// Finds out which kind each persona is of.
///
/// # Errors
/// 422 naming the element that is no persona of the owner's, or the second one of a kind.
pub(super) async fn by_kind(
    database: &Database,
    owner: UserId,
    ids: &[Uuid],
    field: &str,
) -> Result<Personas, Error> {
    let mut personas = Personas::default();
    for (at, id) in ids.iter().map(|id| PersonaId(*id)).enumerate() {
        let place = || format!("{field}[{at}]");
        let loaded = database.log().load::<Persona>(&id.to_string()).await;
        let (persona, _) = loaded.map_err(Error::internal)?;
        let config = persona.config().filter(|_| persona.owner() == Some(owner));
        let slot = match config {
            None => return Err(Error::unprocessable(place(), "there is no such persona")),
            Some(Config::Dns(_)) => &mut personas.dns,
            Some(Config::Http(_)) => &mut personas.http,
        };
        if slot.replace(id).is_some_and(|other| other != id) {
            return Err(Error::unprocessable(
                place(),
                "a second persona of this kind would have no effect",
            ));
        }
    }
    Ok(personas)
}
