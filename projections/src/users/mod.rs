//! Users: who they are, what they may do, and whether they are locked out.

use aggregates::{personal::ERASED, user::Event};
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::row_per_stream::{At, RowPerStream, Statement};

/// The projection behind the table `users`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Users;

const REGISTER: &str = "INSERT INTO users (user_id, email, username, role, active, version, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, true, $5, $6, $6)";
const CHANGE: &str = "UPDATE users SET email = coalesce($2, email), username = coalesce($3, username), \
    role = coalesce($4, role), active = coalesce($5, active), \
    locked_until = CASE WHEN $6 THEN $7 ELSE locked_until END, version = $8, updated_at = $9 WHERE user_id = $1";

impl RowPerStream for Users {
    const TABLE: &'static [&'static str; 1] = &["users"];
    const AGGREGATE: &'static [&'static str; 1] = &["user"];
    const PERSONAL: bool = true;
    type Event = Event;

    fn statement(at: At, event: Event) -> Statement {
        if let Event::Registered {
            email,
            username,
            role,
        } = event
        {
            return sqlx::query(REGISTER)
                .bind(at.id)
                .bind(email)
                .bind(username)
                .bind(role.name())
                .bind(at.version)
                .bind(at.time);
        }
        let change = Change::of(event);
        sqlx::query(CHANGE)
            .bind(at.id)
            .bind(change.email)
            .bind(change.username)
            .bind(change.role)
            .bind(change.active)
            .bind(change.lock.is_some())
            .bind(change.lock.flatten())
            .bind(at.version)
            .bind(at.time)
    }
}

/// What an event does to a row; absent fields stay.
#[derive(Default)]
struct Change {
    email: Option<String>,
    username: Option<String>,
    role: Option<&'static str>,
    active: Option<bool>,
    /// The new end of the lock-out, or that there is none.
    lock: Option<Option<DateTime<Utc>>>,
}

impl Change {
    fn of(event: Event) -> Self {
        match event {
            Event::DetailsChanged { email, username } => Self {
                email,
                username,
                ..Self::default()
            },
            Event::RoleChanged { role } => Self {
                role: Some(role.name()),
                ..Self::default()
            },
            Event::Deactivated {} => Self {
                active: Some(false),
                ..Self::default()
            },
            Event::Reactivated {} => Self {
                active: Some(true),
                ..Self::default()
            },
            Event::Erased {} => Self {
                email: Some(ERASED.to_owned()),
                username: Some(ERASED.to_owned()),
                active: Some(false),
                lock: Some(None),
                ..Self::default()
            },
            Event::LockedOut { until } => Self {
                lock: Some(Some(until)),
                ..Self::default()
            },
            Event::LoggedIn { .. } | Event::PasswordChanged {} => Self {
                lock: Some(None),
                ..Self::default()
            },
            Event::Registered { .. }
            | Event::LoginFailed { .. }
            | Event::LoggedOut { .. }
            | Event::ApiKeyIssued { .. }
            | Event::ApiKeyRevoked { .. } => Self::default(),
        }
    }
}

/// A user.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Row {
    /// The user's id.
    pub user_id: Uuid,
    /// The mail address, in lower case.
    pub email: String,
    /// The name.
    pub username: String,
    /// `admin` or `user`.
    pub role: String,
    /// Whether the user may come in.
    pub active: bool,
    /// The end of the last lock-out that no log-in followed; it may be over.
    pub locked_until: Option<DateTime<Utc>>,
    /// The sequence of the user's last event.
    pub version: i64,
    /// When the user was registered.
    pub created_at: DateTime<Utc>,
    /// When the last event was recorded.
    pub updated_at: DateTime<Utc>,
}

const ALL: &str = "SELECT user_id, email, username, role, active, locked_until, version, created_at, updated_at \
    FROM read.users ORDER BY created_at, user_id LIMIT $1 OFFSET $2";
const BY_EMAIL: &str = "SELECT user_id, email, username, role, active, locked_until, version, created_at, updated_at \
    FROM read.users WHERE email = lower($1)";

/// Lists the users in the order of their registration.
///
/// # Errors
/// When the database does not answer.
pub async fn list(pool: &PgPool, limit: i64, offset: i64) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as(ALL)
        .bind(limit)
        .bind(offset)
        .fetch_all(pool)
        .await
}

/// Reads the user with a mail address.
///
/// # Errors
/// When the database does not answer.
pub async fn by_email(pool: &PgPool, email: &str) -> Result<Option<Row>, sqlx::Error> {
    sqlx::query_as(BY_EMAIL)
        .bind(email)
        .fetch_optional(pool)
        .await
}
