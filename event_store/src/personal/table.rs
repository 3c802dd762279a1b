//! The table of keys.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Wrap, Wrapped, key::PersonalKey};
use crate::Error;

/// What is known of a person's key.
pub(super) enum Kept {
    /// It is there.
    Key(PersonalKey),
    /// It was removed for ever.
    Erased,
}

const FIND: &str = "SELECT person, key_id, nonce, wrapped, erased_at IS NOT NULL AS erased FROM personal_keys \
    WHERE person = ANY($1)";
/// A key that is there stays, and so does its absence.
const MAKE: &str = "INSERT INTO personal_keys AS k (person, key_id, nonce, wrapped) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (person) DO UPDATE SET key_id = EXCLUDED.key_id, nonce = EXCLUDED.nonce, wrapped = EXCLUDED.wrapped \
    WHERE k.wrapped IS NULL AND k.erased_at IS NULL";

#[derive(sqlx::FromRow)]
struct Row {
    person: Uuid,
    key_id: Option<String>,
    nonce: Option<Vec<u8>>,
    wrapped: Option<Vec<u8>>,
    erased: bool,
}

impl Row {
    fn read(self, wrap: &dyn Wrap) -> Result<Option<(Uuid, Kept)>, Error> {
        let person = self.person;
        if self.erased {
            return Ok(Some((person, Kept::Erased)));
        }
        let (Some(key_id), Some(nonce), Some(key)) = (self.key_id, self.nonce, self.wrapped) else {
            return Ok(None);
        };
        let wrapped = Wrapped { key_id, nonce, key };
        let bytes = wrap
            .unwrap(person, &wrapped)
            .map_err(|source| Error::PersonalKey { person, source })?;
        Ok(Some((person, Kept::Key(PersonalKey::new(person, bytes)))))
    }
}

/// Finds the keys of persons; those who have none are left out.
///
/// # Errors
/// [`Error::PersonalKey`], or [`Error::Database`].
pub(super) async fn find(
    connection: &mut PgConnection,
    wrap: &dyn Wrap,
    persons: &[Uuid],
) -> Result<HashMap<Uuid, Kept>, Error> {
    let rows: Vec<Row> = sqlx::query_as(FIND)
        .bind(persons)
        .fetch_all(connection)
        .await
        .map_err(Error::database("read keys of persons"))?;
    let rows = rows.into_iter().map(|row| row.read(wrap));
    rows.filter_map(Result::transpose).collect()
}

/// Finds the key of a person, and makes it where there is none; nothing where the operator has no key to keep it under.
///
/// # Errors
/// As [`find`].
pub(super) async fn find_or_make(
    connection: &mut PgConnection,
    wrap: &dyn Wrap,
    person: Uuid,
) -> Result<Option<Kept>, Error> {
    if let Some(kept) = find(connection, wrap, &[person]).await?.remove(&person) {
        return Ok(Some(kept));
    }
    let Some(wrapped) = wrap.wrap(person, &PersonalKey::draw()) else {
        return Ok(None);
    };
    sqlx::query(MAKE)
        .bind(person)
        .bind(wrapped.key_id)
        .bind(wrapped.nonce)
        .bind(wrapped.key)
        .execute(&mut *connection)
        .await
        .map_err(Error::database("keep the key of a person"))?;
    // Somebody else may have been faster.
    Ok(find(connection, wrap, &[person]).await?.remove(&person))
}
