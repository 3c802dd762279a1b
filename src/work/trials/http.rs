//! Trying an HTTP persona.

use aggregates::persona::HttpConfig;
use validation::http::Report;

use super::{Pages, Target, Tell, Trial, Unfinished};
use crate::commands::pin::Defaults;

impl Trial {
    /// Fetches the page of a target as a persona says. Its host is found as the operator's defaults say.
    ///
    /// # Errors
    /// Why there is no report; a page that cannot be had is none.
    pub async fn http(
        &self,
        config: &HttpConfig,
        defaults: &Defaults,
        target: &Target,
        tell: &Tell,
    ) -> Result<Report, Unfinished> {
        let pages = Pages::new(config.clone(), defaults.dns.clone());
        let visit = pages.visit(self, &defaults.network, target, tell);
        self.in_time(visit).await?
    }
}
