//! `GET /auth/me`.

use aggregates::{ids::UserId, user::User};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    http::{Answer, Caller, Error, State},
};

/// What a user may know about himself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserPublicResponse {
    /// The user's id.
    #[schema(value_type = uuid::Uuid)]
    pub id: UserId,
    /// The user's name.
    pub username: String,
    /// The user's mail address.
    #[schema(format = "email")]
    pub email: String,
    /// Whether the user may come in.
    pub is_active: bool,
    /// What the user may do.
    pub role: &'static str,
}

impl UserPublicResponse {
    /// Reads a user from the log, which is never behind.
    pub(in crate::http) async fn load(app: &App, id: UserId) -> Result<Self, Error> {
        let (user, _) = app.database.log().load::<User>(&id.to_string()).await?;
        let told = [("username", user.username()), ("email", user.email())];
        let [username, email] = app.database.personal_texts(told).await?;
        Ok(Self {
            id,
            username,
            email,
            is_active: user.is_active(),
            role: user.role().name(),
        })
    }
}

/// Says who is logged in.
#[utoipa::path(get, path = "/auth/me", tag = "auth", responses((status = 200, body = UserPublicResponse)))]
pub(super) async fn me(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
) -> Result<Answer<UserPublicResponse>, Error> {
    Ok(Answer::ok(
        UserPublicResponse::load(&state.app, caller.user_id).await?,
    ))
}

/// Says who is logged in; the same as `/auth/me`.
#[utoipa::path(get, path = "/me", tag = "auth", responses((status = 200, body = UserPublicResponse)))]
pub(super) async fn me_alias(
    state: axum::extract::State<State>,
    caller: Caller,
) -> Result<Answer<UserPublicResponse>, Error> {
    me(state, caller).await
}
