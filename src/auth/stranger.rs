//! Attempts that nobody's password can be right for: the address is unknown, or the user is deactivated.
//!
//! They are counted, and locked out, like a user's own, so that guessing at an address does not tell whether it is
//! somebody's. The count is a row and not an event: there is no stream that it could be in.

use super::{Auth, Error, tally::Tally};
use crate::app::App;

impl Auth {
    /// Refuses an attempt after the work, and under the lock-outs, that a user's wrong password would meet.
    pub(super) async fn turn_away(
        &self,
        app: &App,
        who: &str,
        ip: Option<&str>,
        password: &str,
    ) -> Error {
        match self.count_failure(app, who, ip, password).await {
            Ok(()) => Error::WrongCredentials,
            Err(error) => error,
        }
    }

    async fn count_failure(
        &self,
        app: &App,
        who: &str,
        ip: Option<&str>,
        password: &str,
    ) -> Result<(), Error> {
        let (here, everywhere) = (Tally::from_address(who, ip), Tally::from_everywhere(who));
        let (mut turn, _slot) = self.turn(app, who).await?;
        here.must_be_open(turn.connection()).await?;
        everywhere.must_be_open(turn.connection()).await?;
        self.passwords.matches(password, None).await?;
        here.count(turn.connection()).await?;
        everywhere.count(turn.connection()).await?;
        turn.commit().await?;
        Ok(())
    }
}
