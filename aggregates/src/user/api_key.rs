//! API keys, by their ids.

use chrono::{DateTime, Utc};

use super::{Error, Event, MAX_API_KEYS, Scope, User};
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
    /// When it ends, if it does.
    pub expires_at: Option<DateTime<Utc>>,
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
        if self.expires_at.is_some_and(|expires| expires <= self.at) {
            return Err(Error::Invalid {
                field: "expiresAt",
                message: "lies in the past",
            });
        }
        let lasting = user
            .api_keys
            .values()
            .filter(|expires| expires.is_none_or(|expires| self.at < expires));
        if lasting.count() >= MAX_API_KEYS {
            return Err(Error::TooManyKeys);
        }
        Ok(vec![Event::ApiKeyIssued {
            key_id: self.key_id,
            name: name.to_owned(),
            expires_at: self.expires_at,
            scope: Some(self.scope),
        }])
    }
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
