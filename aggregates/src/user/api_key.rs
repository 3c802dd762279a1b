//! API keys, by their ids.

use chrono::{DateTime, Utc};

use super::{Error, Event, LONGEST_KEY, MAX_API_KEYS, SHORTEST_KEY, Scope, User};
use crate::ids::ApiKeyId;

/// Records that an API key was made; the key's hash is stored beside the log.
#[derive(Clone, Debug)]
pub struct IssueApiKey {
    /// The new key's id.
    pub key_id: ApiKeyId,
    /// What the user calls it, 1 to 100 characters.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it is made; keys that have ended by then no longer count.
    pub at: DateTime<Utc>,
}

/// Takes an API key back.
#[derive(Clone, Copy, Debug)]
pub struct RevokeApiKey {
    /// The key's id.
    pub key_id: ApiKeyId,
}

impl IssueApiKey {
    pub(super) fn decide(self, user: &User) -> Result<Vec<Event>, Error> {
        user.must_be_active()?;
        if user.api_keys.contains_key(&self.key_id) {
            return Ok(Vec::new());
        }
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > 100 {
            return Err(Error::Invalid {
                field: "name",
                message: "must have 1 to 100 characters",
            });
        }
        let lasts = self.expires_at - self.at;
        if lasts < SHORTEST_KEY || lasts > LONGEST_KEY {
            return Err(Error::Invalid {
                field: "expiresAt",
                message: "must lie between one hour and 366 days ahead",
            });
        }
        if user.keys_lasting_at(self.at).count() >= MAX_API_KEYS {
            return Err(Error::TooManyKeys);
        }
        let mut events = forgotten(user, self.at);
        events.push(Event::ApiKeyIssued {
            key_id: self.key_id,
            name: name.to_owned(),
            expires_at: Some(self.expires_at),
            scope: Some(self.scope),
        });
        Ok(events)
    }
}

/// Takes back the keys that ended first where one more than may be remembered would be, so that no user has ever more.
fn forgotten(user: &User, at: DateTime<Utc>) -> Vec<Event> {
    let mut ended: Vec<_> = user
        .api_keys
        .iter()
        .filter_map(|(key_id, expires)| Some(((*expires)?, *key_id)))
        .filter(|(expires, _)| *expires <= at)
        .collect();
    ended.sort_unstable();
    let beyond = ended.len().saturating_sub(MAX_API_KEYS);
    let beyond = ended.into_iter().take(beyond);
    beyond
        .map(|(_, key_id)| Event::ApiKeyRevoked { key_id })
        .collect()
}

impl RevokeApiKey {
    pub(super) fn decide(self, user: &User) -> Result<Vec<Event>, Error> {
        user.must_exist()?;
        if !user.api_keys.contains_key(&self.key_id) {
            return Err(Error::NoSuchKey);
        }
        Ok(vec![Event::ApiKeyRevoked {
            key_id: self.key_id,
        }])
    }
}
