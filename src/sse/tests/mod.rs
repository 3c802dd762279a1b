//! What a stream sends, from facts alone.

mod bounds;
mod composing;
mod facts;
mod progress;
mod reading;

use std::sync::Arc;

use aggregates::{
    domain::{DnsReason, Outcome},
    ids::{CampaignId, UserId},
};
use chrono::DateTime;
use event_store::Position;
use projections::Whose;
use serde_json::Value;
use uuid::Uuid;

use super::{
    fact::{Fact, Finding, Told, Weight, What},
    outbox::{self, Outbox},
};

const OWNER: UserId = UserId(Uuid::from_u128(1));

fn campaign(number: u128) -> CampaignId {
    CampaignId(Uuid::from_u128(number))
}

fn fact(position: u64, of: u128, what: What) -> Fact {
    Fact {
        position: Position::new(position),
        at: DateTime::UNIX_EPOCH,
        owner: OWNER,
        campaign: Some(campaign(of)),
        what,
    }
}

fn found(position: u64, of: u128, name: &str) -> Fact {
    let finding = Finding::Dns(Outcome::Error, Some(DnsReason::Nxdomain));
    fact(
        position,
        of,
        What::Found {
            name: Arc::from(name),
            finding,
        },
    )
}

fn told(position: u64, of: u128, kind: &str, weight: Weight) -> Fact {
    let body = outbox::body(kind, DateTime::UNIX_EPOCH, ()).into();
    fact(
        position,
        of,
        What::Told(Told {
            announcement: None,
            body,
            weight,
        }),
    )
}

/// A message as a client reads it: id, type, payload.
#[derive(Clone, Debug, PartialEq)]
struct Read {
    id: Option<String>,
    kind: String,
    payload: Value,
}

fn read(out: &mut Outbox) -> Vec<Read> {
    let (text, count) = out.take();
    let messages: Vec<Read> = text
        .split("\n\n")
        .filter(|block| !block.is_empty())
        .map(|block| {
            let field = |name: &str| {
                block
                    .lines()
                    .find_map(|line| line.strip_prefix(name))
                    .map(str::to_owned)
            };
            let data: Value = serde_json::from_str(&field("data: ").unwrap()).unwrap();
            assert_eq!(data["version"], 1);
            Read {
                id: field("id: "),
                kind: field("event: ").unwrap(),
                payload: data["payload"].clone(),
            }
        })
        .collect();
    assert_eq!(messages.len() as u64, count);
    messages
}

fn kinds_and_ids(messages: &[Read]) -> Vec<(&str, &str)> {
    messages
        .iter()
        .map(|message| (message.kind.as_str(), message.id.as_deref().unwrap_or("")))
        .collect()
}
