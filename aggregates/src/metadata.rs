//! What every event carries besides its payload: who, from where, and because of what.

use std::{collections::HashMap, fmt, str::FromStr};

use crate::ids::{ApiKeyId, UserId};

/// Who caused an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A logged-in user.
    User(UserId),
    /// A worker process or the coordinator, by the name it gave itself.
    Worker(String),
    /// The operator at the command line.
    Operator,
    /// Somebody who is not (yet) known: a failed login.
    Anonymous,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Worker(name) => write!(f, "worker:{name}"),
            Self::Operator => f.write_str("operator"),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}

impl FromStr for Actor {
    type Err = UnknownActor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("user", id)) => id.parse().map(Self::User).map_err(|_| UnknownActor),
            Some(("worker", name)) => Ok(Self::Worker(name.to_owned())),
            None if text == "operator" => Ok(Self::Operator),
            None if text == "anonymous" => Ok(Self::Anonymous),
            _ => Err(UnknownActor),
        }
    }
}

/// A text that names no actor.
#[derive(Debug, thiserror::Error)]
#[error("not an actor: expected user:<id>, worker:<name>, operator or anonymous")]
pub struct UnknownActor;

/// The circumstances of a command, stored with every event that it caused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Who gave the command.
    pub actor: Actor,
    /// Groups everything that one request led to.
    pub correlation_id: String,
    /// The event or request that led here.
    pub causation_id: Option<String>,
    /// SHA-256 of user, operation and idempotency key, when the caller sent a key.
    pub idempotency: Option<String>,
    /// A hash, under the server's secret, of the request that came with the key, to refuse the same key with another body.
    pub request_hash: Option<String>,
    /// The API key that the command came with, where it was one.
    pub api_key: Option<ApiKeyId>,
    /// The client's address, for commands of users.
    pub ip: Option<String>,
    /// The client's user agent, for commands of users.
    pub user_agent: Option<String>,
}

impl Metadata {
    /// Starts the metadata of a command given by `actor` under `correlation_id`.
    #[must_use]
    pub fn new(actor: Actor, correlation_id: impl Into<String>) -> Self {
        Self {
            actor,
            correlation_id: correlation_id.into(),
            causation_id: None,
            idempotency: None,
            request_hash: None,
            api_key: None,
            ip: None,
            user_agent: None,
        }
    }

    /// Names the event or request that led to the command.
    #[must_use]
    pub fn caused_by(mut self, causation_id: impl Into<String>) -> Self {
        self.causation_id = Some(causation_id.into());
        self
    }

    /// Turns the metadata into the map that `cqrs-es` stores; absent values have no key.
    #[must_use]
    pub fn to_map(&self) -> HashMap<String, String> {
        let optional = [
            ("causation_id", &self.causation_id),
            ("idempotency", &self.idempotency),
            ("request_hash", &self.request_hash),
            ("ip", &self.ip),
            ("user_agent", &self.user_agent),
        ];
        let mut map: HashMap<String, String> = optional
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)))
            .collect();
        if let Some(key) = self.api_key {
            map.insert("api_key".to_owned(), key.to_string());
        }
        map.insert("actor".to_owned(), self.actor.to_string());
        map.insert("correlation_id".to_owned(), self.correlation_id.clone());
        map
    }

    /// Reads what [`Self::to_map`] wrote; an unknown actor reads as anonymous, so that old events always decode.
    #[must_use]
    pub fn from_map(mut map: HashMap<String, String>) -> Self {
        Self {
            actor: map
                .remove("actor")
                .and_then(|text| text.parse().ok())
                .unwrap_or(Actor::Anonymous),
            correlation_id: map.remove("correlation_id").unwrap_or_default(),
            causation_id: map.remove("causation_id"),
            idempotency: map.remove("idempotency"),
            request_hash: map.remove("request_hash"),
            api_key: map.remove("api_key").and_then(|id| id.parse().ok()),
            ip: map.remove("ip"),
            user_agent: map.remove("user_agent"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_survives_the_round_trip_through_the_log() {
        let mut metadata =
            Metadata::new(Actor::User(UserId(uuid::Uuid::from_u128(7))), "request-1")
                .caused_by("event-9");
        metadata.ip = Some("127.0.0.1".to_owned());
        metadata.api_key = Some(ApiKeyId(uuid::Uuid::from_u128(3)));
        assert_eq!(Metadata::from_map(metadata.to_map()), metadata);
    }

    #[test]
    fn every_actor_reads_back_from_its_text() {
        for actor in [
            Actor::User(UserId(uuid::Uuid::from_u128(1))),
            Actor::Worker("w-1".to_owned()),
            Actor::Operator,
            Actor::Anonymous,
        ] {
            assert_eq!(actor.to_string().parse::<Actor>().unwrap(), actor);
        }
        assert!("somebody".parse::<Actor>().is_err());
    }
}
