//! What holds for the whole installation and may be changed while it runs, as this process knows it.
//!
//! Administrators change it by commands on one stream ([`settings::STREAM`]); every process follows the log and goes by
//! what it says within a fraction of a second. What nobody has set is as the process was started with. Where the log
//! cannot be read, everything stays as it was.

mod reconciling;

use std::{convert::Infallible, sync::Arc, time::Duration};

use aggregates::settings::{self, RequestLimits, Settings};
use cqrs_es::Aggregate as _;
use event_store::{Database, Error, Position, describe};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;
use validation::http::{Politeness, politeness::Rates};

pub use self::reconciling::Reconciling;

/// Events that are read at a time, about.
const PAGE: u32 = 1_000;
/// How long the feed is waited for, before it is asked again.
const STEADY: Duration = Duration::from_secs(2);
/// How long it waits after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How long it waits before it reads again what it did not understand: that becomes no plainer by being read.
const WHILE_UNREADABLE: Duration = Duration::from_secs(30);
/// The one type of events that settings are made of.
const TYPES: [&str; 1] = [Settings::TYPE];

/// The settings in force in a process. Clones share them.
#[derive(Clone, Debug)]
pub struct Installation {
    database: Database,
    started_with: Reconciling,
    /// What asks sites in this process, and how often it was started to.
    politeness: Politeness,
    rates: Rates,
    known: Arc<watch::Sender<Known>>,
}

/// What is known of the log; nothing before it was read.
#[derive(Clone, Debug, Default)]
struct Known {
    settings: Settings,
    at: Option<Position>,
}

impl Installation {
    /// Begins with what the process was started with, until [`run`](Self::run) reads the log.
    #[must_use]
    pub fn new(database: Database, started_with: Reconciling, politeness: Politeness) -> Self {
        let limits = politeness.limits();
        Self {
            database,
            started_with,
            rates: Rates {
                domain: limits.domain.per_second,
                address: limits.address.per_second,
                all: limits.per_second,
            },
            politeness,
            known: Arc::default(),
        }
    }

    /// Returns how counters are held against their rows.
    #[must_use]
    pub fn reconciling(&self) -> Reconciling {
        self.reconciling_by(&self.known.borrow().settings)
    }

    /// Returns how counters are held against their rows in this process where these are the settings.
    #[must_use]
    pub fn reconciling_by(&self, settings: &Settings) -> Reconciling {
        self.started_with.with(settings.reconciliation())
    }

    /// Returns how often sites are asked in this process where these are the settings.
    #[must_use]
    pub fn rates_by(&self, settings: &Settings) -> Rates {
        let set = settings.politeness();
        Rates {
            domain: set.domain_rate.unwrap_or(self.rates.domain),
            address: set.address_rate.unwrap_or(self.rates.address),
            all: set.rate.unwrap_or(self.rates.all),
        }
    }

    /// Returns how much one may ask for, as far as administrators have set it.
    #[must_use]
    pub fn request_limits(&self) -> RequestLimits {
        self.known.borrow().settings.request_limits()
    }

    /// Tells whether names are asked for in no order and at no rhythm.
    #[must_use]
    pub fn stealth(&self) -> bool {
        self.known.borrow().settings.stealth()
    }

    /// Waits, at most for `limit`, until the log was read, and says whether it was.
    pub async fn is_read(&self, limit: Duration) -> bool {
        self.reaches(Position::START, limit).await
    }

    /// Waits, at most for `limit`, until everything up to a position is in force, and says whether it is.
    pub async fn reaches(&self, position: Position, limit: Duration) -> bool {
        let mut known = self.known.subscribe();
        let reached = known.wait_for(|known| known.at.is_some_and(|at| at >= position));
        timeout(limit, reached)
            .await
            .is_ok_and(|reached| reached.is_ok())
    }

    /// Follows the log until the token is cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        cancel.run_until_cancelled(self.keep_level()).await;
    }

    async fn keep_level(&self) {
        loop {
            let Err(error) = self.follow().await;
            tracing::error!(error = %describe(&error), "the settings are not kept level with the log, trying again");
            let pause = match error.is_undecodable() {
                true => WHILE_UNREADABLE,
                false => AFTER_FAILURE,
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn follow(&self) -> Result<Infallible, Error> {
        let feed = self.database.feed();
        // Whatever has a position by now is in what is read next.
        let mut at = feed.head().await?;
        self.read(at).await?;
        loop {
            let page = feed.after(at, PAGE, Some(&TYPES)).await?;
            at = page.next;
            match page.events.is_empty() {
                true => self.known.send_modify(|known| known.at = Some(at)),
                false => self.read(at).await?,
            }
            if at >= page.head {
                feed.wait_past(at, STEADY).await?;
            }
        }
    }

    /// Reads the whole stream, which is short: administrators write it by hand.
    async fn read(&self, at: Position) -> Result<(), Error> {
        let log = self.database.log();
        let (settings, _) = log.load::<Settings>(settings::STREAM).await?;
        let at = Some(at);
        self.politeness.set_rates(self.rates_by(&settings));
        self.known.send_replace(Known { settings, at });
        Ok(())
    }
}
