//! Audit entries: every action of users and of the system, with who, from where and because of what, and what it changed.
//!
//! Results for single domains are not copied here (they are most of the log); a domain's history is read from its
//! stream. What an event changes is told by what the events before it have made of the thing (`state`), which is kept
//! beside the entries and moves with them.

mod entry;
mod erase;
mod list;
mod query;
mod state;

use std::collections::HashMap;

use aggregates::{Metadata, ids::UserId};
use chrono::{DateTime, Utc};
use event_store::Recorded;
use futures::{FutureExt, future::BoxFuture};
use serde_json::{Map, Value};
use sqlx::PgConnection;
use uuid::Uuid;

use self::state::Thing;
pub use self::{
    entry::Entry,
    list::{Filter, Order, Page, end, page},
    query::{Birth, Start, birth_of, latest_of_resource, latest_of_resources, starts_of},
};
use crate::runtime::{ApplyError, Projection};

/// The projection behind the tables `audit_entries` and `audit_states`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Audit;

const INSERT: &str = "INSERT INTO audit_entries (position, recorded_at, actor, action, resource_type, resource_id, \
    sequence, details, correlation_id, causation_id, ip, user_agent, owner, api_key, idempotency, before, after) \
    SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], \
    $7::bigint[], $8::jsonb[], $9::text[], $10::text[], $11::text[], $12::text[], $13::uuid[], $14::uuid[], $15::text[], \
    $16::jsonb[], $17::jsonb[])";
const STATES: &str = "SELECT s.resource_type, s.resource_id, s.owner, s.state \
    FROM unnest($1::text[], $2::text[]) AS wanted(resource_type, resource_id) JOIN audit_states s \
    USING (resource_type, resource_id)";
const KEEP: &str = "INSERT INTO audit_states (resource_type, resource_id, owner, state) \
    SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::jsonb[]) \
    ON CONFLICT (resource_type, resource_id) DO UPDATE SET owner = EXCLUDED.owner, state = EXCLUDED.state";

/// A kind of thing and which of them.
type Key = (String, String);

#[derive(Default)]
struct Columns {
    positions: Vec<i64>,
    times: Vec<DateTime<Utc>>,
    actors: Vec<String>,
    actions: Vec<String>,
    types: Vec<String>,
    ids: Vec<String>,
    sequences: Vec<i64>,
    details: Vec<Value>,
    correlations: Vec<String>,
    causations: Vec<Option<String>>,
    ips: Vec<Option<String>>,
    agents: Vec<Option<String>>,
    owners: Vec<Option<Uuid>>,
    api_keys: Vec<Option<Uuid>>,
    idempotency: Vec<Option<String>>,
    before: Vec<Option<Value>>,
    after: Vec<Option<Value>>,
}

impl Columns {
    fn push(&mut self, event: &Recorded, thing: &mut Thing) -> Result<(), ApplyError> {
        let Metadata {
            actor,
            correlation_id,
            causation_id,
            idempotency,
            api_key,
            ip,
            user_agent,
            ..
        } = event
            .metadata()
            .map_err(|error| ApplyError::poison(event, error))?;
        let details = details(event)?;
        let change = thing.apply(&event.aggregate_type, &event.event_type, &details);
        self.positions.push(event.position.as_i64());
        self.times.push(event.recorded_at);
        self.actors.push(actor.to_string());
        self.actions.push(event.event_type.clone());
        self.types.push(event.aggregate_type.clone());
        self.ids.push(event.aggregate_id.clone());
        self.sequences
            .push(i64::try_from(event.sequence).unwrap_or(i64::MAX));
        self.details.push(details);
        self.correlations.push(correlation_id);
        self.causations.push(causation_id);
        self.ips.push(ip);
        self.agents.push(user_agent);
        self.owners.push(thing.owner.map(|owner| owner.0));
        self.api_keys.push(api_key.map(|key| key.0));
        self.idempotency.push(idempotency);
        self.before.push(object(change.before));
        self.after.push(object(change.after));
        Ok(())
    }

    async fn write(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query(INSERT)
            .bind(self.positions)
            .bind(self.times)
            .bind(self.actors)
            .bind(self.actions)
            .bind(self.types)
            .bind(self.ids)
            .bind(self.sequences)
            .bind(self.details)
            .bind(self.correlations)
            .bind(self.causations)
            .bind(self.ips)
            .bind(self.agents)
            .bind(self.owners)
            .bind(self.api_keys)
            .bind(self.idempotency)
            .bind(self.before)
            .bind(self.after)
            .execute(connection)
            .await?;
        Ok(())
    }
}

fn object(fields: Map<String, Value>) -> Option<Value> {
    (!fields.is_empty()).then_some(Value::Object(fields))
}

/// Returns what happened without the event type around it; long lists of names, and their lines, are left to the stream.
fn details(event: &Recorded) -> Result<Value, ApplyError> {
    let payload: Value =
        serde_json::from_str(&event.payload).map_err(|error| ApplyError::poison(event, error))?;
    let mut inner = match payload {
        Value::Object(mut object) => object
            .remove(&event.event_type)
            .unwrap_or(Value::Object(object)),
        other => other,
    };
    if let Some(Value::Array(names)) = inner.get("names") {
        let count = names.len();
        if let Some(object) = inner.as_object_mut() {
            object.insert("names".to_owned(), Value::from(count));
            object.remove("lines");
        }
    }
    Ok(inner)
}

fn key_of(event: &Recorded) -> Key {
    (event.aggregate_type.clone(), event.aggregate_id.clone())
}

/// Reads what the events before these have made of the things that these are about.
async fn things(
    connection: &mut PgConnection,
    events: &[Recorded],
) -> Result<HashMap<Key, Thing>, sqlx::Error> {
    let mut things: HashMap<Key, Thing> = events
        .iter()
        .map(|event| (key_of(event), Thing::default()))
        .collect();
    let (types, ids): (Vec<String>, Vec<String>) = things.keys().cloned().unzip();
    let known: Vec<(String, String, Option<Uuid>, Value)> = sqlx::query_as(STATES)
        .bind(types)
        .bind(ids)
        .fetch_all(connection)
        .await?;
    for (resource_type, resource_id, owner, state) in known {
        let Value::Object(state) = state else {
            continue;
        };
        let owner = owner.map(UserId);
        things.insert((resource_type, resource_id), Thing { owner, state });
    }
    Ok(things)
}

/// Keeps what the events have made of the things.
async fn keep(
    connection: &mut PgConnection,
    things: HashMap<Key, Thing>,
) -> Result<(), sqlx::Error> {
    let (mut types, mut ids, mut owners, mut states) = (vec![], vec![], vec![], vec![]);
    for ((resource_type, resource_id), thing) in things {
        types.push(resource_type);
        ids.push(resource_id);
        owners.push(thing.owner.map(|owner| owner.0));
        states.push(Value::Object(thing.state));
    }
    sqlx::query(KEEP)
        .bind(types)
        .bind(ids)
        .bind(owners)
        .bind(states)
        .execute(connection)
        .await?;
    Ok(())
}

impl Projection for Audit {
    fn name(&self) -> &'static str {
        "audit"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["audit_entries", "audit_states"]
    }

    fn reads(&self) -> &'static [&'static str] {
        &[
            "campaign",
            "keyword_set",
            "pattern",
            "persona",
            "proxy",
            "proxy_pool",
            "scoring_profile",
            "settings",
            "suppression_entry",
            "user",
        ]
    }

    fn shows_personal_data(&self) -> bool {
        true
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let mut things = things(connection, events).await?;
            let mut columns = Columns::default();
            for event in events {
                let thing = things.entry(key_of(event)).or_default();
                if event.aggregate_type == "user" {
                    thing.owner = event.aggregate_id.parse().ok();
                }
                columns.push(event, thing)?;
            }
            columns.write(connection).await?;
            keep(connection, things).await?;
            erase::forget(connection, events).await?;
            Ok(())
        }
        .boxed()
    }
}
