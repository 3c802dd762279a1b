//! What is kept of users: given to whoever it is about, and erased.

mod erase;
mod export;

use aggregates::ids::UserId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{error::Error, router::State};

/// There is no such user, or none any more.
const MISSING: Error = Error::no_such("user", "userId");

/// Collects the routes.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(erase::erase_oneself))
        .routes(routes!(erase::erase))
        .routes(routes!(export::own))
        .routes(routes!(export::of_user))
}

/// Refuses where there is no such user.
async fn must_exist(state: &State, user_id: UserId) -> Result<(), Error> {
    let log = state.app.database.log();
    let (user, _) = log
        .load::<aggregates::user::User>(&user_id.to_string())
        .await?;
    match user.exists() {
        true => Ok(()),
        false => Err(MISSING),
    }
}
