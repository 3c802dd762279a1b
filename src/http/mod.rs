//! The REST interface under `/api/v2`.
//!
//! [`router()`] is what a server serves. Each folder or file of a resource has a `routes()` and handlers that read:
//! extract, authorize, one command or one query, typed answer. What all of them share is here: the caller
//! ([`Caller`]), bodies, queries and paths whose refusals name the field, answers with their headers ([`respond`]) and
//! one [`Error`] that becomes the error envelope. The invariant: every route of the private part is behind the
//! authentication of `router.rs`, so that a handler without a user cannot be written.

mod access;
pub mod audit;
pub mod auth;
pub mod authenticate;
pub mod body;
mod bounds;
pub mod caller;
pub mod campaigns;
mod carry_through;
pub mod config;
mod connections;
mod conversation;
pub mod csrf;
pub mod discovery;
mod document;
mod documentation;
pub mod error;
pub mod extract;
pub mod headers;
pub mod health;
mod idempotency;
pub mod keyword_sets;
mod limits;
mod measure;
pub mod monitoring;
mod nul;
mod objects;
mod origins;
pub mod owned;
pub mod path;
mod patience;
mod peer;
pub mod personas;
mod plain_words;
pub mod politeness;
pub mod proxies;
pub mod proxy_pools;
pub mod query;
mod quotas;
mod rate;
pub mod read_after;
pub mod refusals;
pub mod request_id;
pub mod respond;
pub mod router;
pub mod scoring_profiles;
mod security;
pub mod server;
mod settings;
mod shares;
mod steps;
mod still_in;
pub mod suppression;
mod trial;
mod undeclared;
pub mod users;
pub mod v1;
mod vocabulary;

pub use self::{
    body::{Json, OptionalJson},
    bounds::Bounds,
    caller::Caller,
    error::{Detail, Error, ErrorEnvelope},
    headers::IfMatch,
    limits::Limits,
    monitoring::serve_metrics,
    origins::{Origins, OtherOrigin},
    path::Path,
    peer::Cidr,
    query::Query,
    quotas::Quotas,
    rate::Rate,
    respond::Answer,
    router::{State, openapi, router},
    server::serve,
    settings::Settings,
};
