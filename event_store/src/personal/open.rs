//! Opening personal data for whoever shows it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use aggregates::personal::{self, ERASED};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Unopened, Wrap, Wrapped,
    table::{self, Kept},
    text::{SealedText, may_hold_one},
};
use crate::{Database, Error, Recorded, StoredEvent};

/// What is read where a sealed text is not what was sealed.
const UNREADABLE: &str = "unreadable";

/// The fields of an event's metadata and payload, as far as they may be sealed.
struct Opened {
    payload: Option<Value>,
    metadata: Option<Value>,
}

impl Opened {
    /// Reads an event; nothing where it holds no sealed text.
    fn of(event: &StoredEvent) -> Result<Option<Self>, Error> {
        let parsed = |text: &str| -> Result<Option<Value>, Error> {
            if !may_hold_one(text) {
                return Ok(None);
            }
            let value = serde_json::from_str(text).map_err(|source| event.undecodable(source))?;
            Ok(Some(value))
        };
        let opened = Self {
            payload: parsed(&event.payload)?,
            metadata: parsed(&event.metadata)?,
        };
        Ok((opened.payload.is_some() || opened.metadata.is_some()).then_some(opened))
    }

    /// Calls for each field that is a sealed text.
    fn each(&mut self, event: &StoredEvent, mut change: impl FnMut(&str, &mut String)) {
        let mut visit = |within: Option<&mut Value>, fields: &[&str]| {
            let Some(Value::Object(object)) = within else {
                return;
            };
            for field in fields {
                if let Some(Value::String(text)) = object.get_mut(*field) {
                    change(field, text);
                }
            }
        };
        visit(self.metadata.as_mut(), &personal::METADATA);
        let fields = personal::fields(&event.aggregate_type, &event.event_type);
        let payload = self.payload.as_mut();
        visit(
            payload.and_then(|payload| payload.get_mut(&event.event_type)),
            fields,
        );
    }
}

impl Database {
    /// Opens the personal data of events, as this connection sees the keys: what was erased reads `erased`.
    ///
    /// # Errors
    /// [`Error::PersonalKey`] where the operator's key is not here, [`Error::Decode`], or [`Error::Database`].
    pub async fn open_personal(
        &self,
        connection: &mut PgConnection,
        events: &mut [Recorded],
    ) -> Result<(), Error> {
        let mut opened = Vec::new();
        let mut persons = BTreeSet::new();
        for recorded in events {
            let Some(mut fields) = Opened::of(&recorded.event)? else {
                continue;
            };
            fields.each(&recorded.event, |_, text| {
                persons.extend(SealedText::parse(text).map(|text| text.person));
            });
            opened.push((&mut recorded.event, fields));
        }
        if persons.is_empty() {
            return Ok(());
        }
        let keys = self.keys_of(connection, persons).await?;
        for (event, mut fields) in opened {
            fields.each(event, |field, text| open(&keys, field, text));
            if let Some(payload) = fields.payload {
                event.payload = payload.to_string();
            }
            if let Some(metadata) = fields.metadata {
                event.metadata = metadata.to_string();
            }
        }
        Ok(())
    }

    /// Opens texts of fields as an aggregate of the log holds them; those that are not sealed stay as they are.
    ///
    /// # Errors
    /// As [`open_personal`](Self::open_personal).
    pub async fn personal_texts<const N: usize>(
        &self,
        texts: [(&str, &str); N],
    ) -> Result<[String; N], Error> {
        let persons = texts.iter().filter_map(|(_, text)| SealedText::parse(text));
        let persons: BTreeSet<Uuid> = persons.map(|text| text.person).collect();
        let keys = match persons.is_empty() {
            true => HashMap::new(),
            false => {
                let acquired = self.pool().acquire().await;
                let mut connection = acquired.map_err(Error::database("read keys of persons"))?;
                self.keys_of(&mut connection, persons).await?
            }
        };
        Ok(texts.map(|(field, text)| {
            let mut text = text.to_owned();
            open(&keys, field, &mut text);
            text
        }))
    }

    async fn keys_of(
        &self,
        connection: &mut PgConnection,
        persons: BTreeSet<Uuid>,
    ) -> Result<HashMap<Uuid, Kept>, Error> {
        let persons: Vec<Uuid> = persons.into_iter().collect();
        let none: Arc<dyn Wrap> = Arc::new(NoKeys);
        let wrap = self.wrap().unwrap_or(&none);
        table::find(connection, wrap.as_ref(), &persons).await
    }
}

/// Opens a text; one that is not sealed stays as it is.
fn open(keys: &HashMap<Uuid, Kept>, field: &str, text: &mut String) {
    let Some(sealed) = SealedText::parse(text) else {
        return;
    };
    *text = match keys.get(&sealed.person) {
        // Of a log that came without its keys.
        None | Some(Kept::Erased) => ERASED.to_owned(),
        Some(Kept::Key(_)) if sealed.sealed.is_empty() => ERASED.to_owned(),
        Some(Kept::Key(key)) => key
            .open(field, &sealed.sealed)
            .unwrap_or_else(|| UNREADABLE.to_owned()),
    };
}

/// What opens keys where the operator has none.
#[derive(Debug)]
struct NoKeys;

impl Wrap for NoKeys {
    fn wrap(&self, _: Uuid, _: &super::KeyBytes) -> Option<Wrapped> {
        None
    }

    fn unwrap(&self, _: Uuid, wrapped: &Wrapped) -> Result<super::KeyBytes, Unopened> {
        Err(Unopened::OtherKey(wrapped.key_id.clone()))
    }
}
