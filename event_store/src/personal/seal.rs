//! Sealing what one command is about to store.

use std::sync::Arc;

use aggregates::{Actor, Metadata, personal};
use cqrs_es::{Aggregate, DomainEvent};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Wrap,
    table::{self, Kept},
    text::SealedText,
};
use crate::Error;

/// What seals the personal data of one command's events; by default nothing does.
#[derive(Default)]
pub(crate) struct Seals {
    /// Of the user whose stream it is.
    subject: Option<Sealer>,
    /// Of whoever gives the command.
    sender: Option<Sealer>,
}

struct Sealer {
    person: Uuid,
    kept: Kept,
}

impl Sealer {
    async fn of(
        connection: &mut PgConnection,
        wrap: Option<&Arc<dyn Wrap>>,
        person: Option<Uuid>,
    ) -> Result<Option<Self>, Error> {
        let (Some(wrap), Some(person)) = (wrap, person) else {
            return Ok(None);
        };
        let kept = table::find_or_make(connection, wrap.as_ref(), person).await?;
        Ok(kept.map(|kept| Self { person, kept }))
    }

    fn seal(&self, field: &str, text: &str) -> String {
        let sealed = match &self.kept {
            Kept::Key(key) => key.seal(field, text),
            Kept::Erased => None,
        };
        SealedText {
            person: self.person,
            sealed: sealed.unwrap_or_default(),
        }
        .write()
    }
}

impl Seals {
    /// Tells whether a command's events may hold personal data.
    pub(crate) fn are_needed<A: Aggregate>(metadata: &Metadata) -> bool {
        A::TYPE == "user" || metadata.ip.is_some() || metadata.user_agent.is_some()
    }

    /// Finds, or makes, the keys of those whom a command is about and from. One that tells nothing of anybody needs none.
    pub(crate) async fn of<A: Aggregate>(
        connection: &mut PgConnection,
        wrap: Option<&Arc<dyn Wrap>>,
        aggregate_id: &str,
        metadata: &Metadata,
    ) -> Result<Self, Error> {
        let subject = (A::TYPE == "user")
            .then(|| aggregate_id.parse().ok())
            .flatten();
        let tells = metadata.ip.is_some() || metadata.user_agent.is_some();
        let sender = match metadata.actor {
            Actor::User(id) => Some(id.0),
            _ => subject,
        };
        let sender = sender.filter(|_| tells);
        Ok(Self {
            subject: Sealer::of(&mut *connection, wrap, subject).await?,
            sender: Sealer::of(connection, wrap, sender).await?,
        })
    }

    /// Seals what the metadata tells of whoever gave the command.
    pub(crate) fn metadata(&self, metadata: &Metadata) -> Metadata {
        let mut sealed = metadata.clone();
        if let Some(sender) = &self.sender {
            let [ip, user_agent] = personal::METADATA;
            sealed.ip = sealed.ip.map(|text| sender.seal(ip, &text));
            sealed.user_agent = sealed.user_agent.map(|text| sender.seal(user_agent, &text));
        }
        sealed
    }

    /// Seals what events tell of the user whose stream they are in.
    pub(crate) fn events<A: Aggregate>(
        &self,
        aggregate_id: &str,
        events: Vec<A::Event>,
    ) -> Result<Vec<A::Event>, Error> {
        let Some(subject) = &self.subject else {
            return Ok(events);
        };
        let sealed = |event: A::Event| {
            let event_type = event.event_type();
            let fields = personal::fields(A::TYPE, &event_type);
            match fields.is_empty() {
                true => Ok(event),
                false => seal_fields(subject, event, &event_type, fields),
            }
        };
        events
            .into_iter()
            .map(sealed)
            .collect::<Result<_, _>>()
            .map_err(|source| Error::Encode {
                aggregate_type: A::TYPE.to_owned(),
                aggregate_id: aggregate_id.to_owned(),
                source,
            })
    }
}

fn seal_fields<E: DomainEvent>(
    sealer: &Sealer,
    event: E,
    event_type: &str,
    fields: &[&str],
) -> Result<E, serde_json::Error> {
    let mut payload = serde_json::to_value(event)?;
    for field in fields {
        let value = payload
            .get_mut(event_type)
            .and_then(|inner| inner.get_mut(*field));
        if let Some(Value::String(text)) = value {
            *text = sealer.seal(field, text);
        }
    }
    serde_json::from_value(payload)
}
