//! The coordinator: compares what the log says should happen with the work orders, and does what is missing.
//!
//! A pass takes no input and may be run by anybody at any time, also by two at once: plans are written once a run,
//! completions and starts are decided by the campaign's stream. It is woken by the feed and looks again by itself.

use std::{sync::Arc, time::Duration};

use aggregates::{
    Actor, Metadata,
    campaign::{self, Campaign, CompletePhase, FailPhase, Phase},
    ids::{CampaignId, RunId},
};
use event_store::{Database, ExecuteError, Position, describe};
use projections::{campaigns, domains, runtime::Runtime};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Network, Orders, auto_start::AutoStart, order_size::order_size, watchdog::Watchdog};
use crate::commands::pin::Defaults;

/// How often the coordinator looks by itself.
const TICK: Duration = Duration::from_millis(250);

/// How long a plan waits for the domains read model in one pass.
const CATCH_UP: Duration = Duration::from_secs(5);

/// How many passes lie between two looks of the watchdog.
const LOOK_EVERY: u32 = 40;

/// How many passes lie between two clean-ups of orders that are over.
const TIDY_EVERY: u32 = 240;

/// The coordinator of a process.
pub struct Coordinator {
    database: Database,
    runtime: Runtime,
    orders: Arc<dyn Orders>,
    auto_start: AutoStart,
    network: Network,
    planned: Arc<Notify>,
}

/// Why a pass broke off; the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// A query failed.
    #[error("cannot read campaigns")]
    Query(#[from] sqlx::Error),
    /// The orders failed.
    #[error(transparent)]
    Orders(#[from] super::OrderError),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] event_store::Error),
}

impl Coordinator {
    /// Makes a coordinator; `planned` is notified when orders were written.
    #[must_use]
    pub fn new(
        database: Database,
        runtime: Runtime,
        orders: Arc<dyn Orders>,
        defaults: Defaults,
        planned: Arc<Notify>,
    ) -> Self {
        Self {
            network: defaults.network.clone(),
            auto_start: AutoStart::new(database.clone(), defaults),
            database,
            runtime,
            orders,
            planned,
        }
    }

    /// Makes passes until the token is cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        let feed = self.database.feed();
        let mut passes: u32 = 0;
        let mut watchdog = Watchdog::default();
        while !cancel.is_cancelled() {
            let seen = self.runtime.position_of("campaigns");
            if let Err(error) = self.pass().await {
                tracing::warn!(error = %describe(&error), "coordinator pass broke off, trying again");
            }
            passes = passes.wrapping_add(1);
            if passes.is_multiple_of(TIDY_EVERY)
                && let Err(error) = self.orders.tidy().await
            {
                tracing::warn!(error = %describe(&error), "cannot clean up finished work orders");
            }
            if passes.is_multiple_of(LOOK_EVERY)
                && let Err(error) = watchdog.look(self.database.pool()).await
            {
                tracing::warn!(error = %describe(&error), "cannot look for what stands still");
            }
            let news = async {
                if feed.wait_past(seen, TICK).await.is_err() {
                    tokio::time::sleep(TICK).await;
                }
            };
            cancel.run_until_cancelled(news).await;
            // New events only matter once the campaigns read model shows them; it is level within moments.
            let head = self.runtime.position_of("campaigns");
            if head == seen {
                cancel
                    .run_until_cancelled(tokio::time::sleep(TICK / 10))
                    .await;
            }
        }
    }

    /// Does everything that is missing right now.
    ///
    /// # Errors
    /// When the database fails; whatever was done stays done.
    pub async fn pass(&self) -> Result<(), PassError> {
        self.plan_started_runs().await?;
        self.complete_finished_runs().await?;
        self.auto_start.start_due_phases().await
    }

    async fn plan_started_runs(&self) -> Result<(), PassError> {
        let mut unplanned = Vec::new();
        for run in campaigns::active_runs(self.database.pool()).await? {
            if !self.orders.is_planned(run.run_id).await? {
                unplanned.push(run);
            }
        }
        if unplanned.is_empty() {
            return Ok(());
        }
        // Whoever sees a run in the campaigns read model is past its start; domains must be so too, so that every name
        // is there and the stream versions that leases read there are current. The position is the database's: this
        // process may have seen less of it than the process that leads.
        let shown = self.campaigns_position().await?;
        if !self.domains_reach(shown).await {
            return Ok(());
        }
        for run in unplanned {
            if let Err(error) = self.plan(&run).await {
                tracing::warn!(
                    campaign.id = %run.campaign_id, run.id = %run.run_id, error = %describe(&error),
                    "a run cannot be planned, trying again"
                );
            }
        }
        Ok(())
    }

    async fn campaigns_position(&self) -> Result<Position, PassError> {
        let checkpoints = projections::runtime::checkpoints(self.database.pool()).await?;
        let campaigns = checkpoints
            .iter()
            .find(|checkpoint| checkpoint.name == "campaigns");
        Ok(Position::from_i64(
            campaigns.map_or(0, |checkpoint| checkpoint.position),
        ))
    }

    async fn plan(&self, run: &campaigns::UnderWay) -> Result<(), PassError> {
        let ranges = match self.ranges_of(run).await {
            Ok(Some(ranges)) => ranges,
            Ok(None) => return Ok(()),
            // No other pass will read it better.
            Err(PassError::Query(sqlx::Error::Decode(error))) => {
                let command = campaign::Command::FailPhase(FailPhase {
                    phase: run.phase,
                    run_id: run.run_id,
                    message: format!("what the run has pinned does not decode: {error}"),
                });
                return self.command(run.campaign_id, run.run_id, command).await;
            }
            Err(error) => return Err(error),
        };
        let key = (run.campaign_id, run.phase, run.run_id);
        if self.orders.plan(key, &ranges).await? {
            tracing::info!(
                campaign.id = %run.campaign_id, run.id = %run.run_id, phase = %run.phase, orders = ranges.len(),
                "run planned"
            );
            self.planned.notify_waiters();
        }
        Ok(())
    }

    /// Cuts what a run works on into orders; nothing when the run is not the last of its phase any more.
    async fn ranges_of(
        &self,
        run: &campaigns::UnderWay,
    ) -> Result<Option<Vec<(i64, i64, i64)>>, PassError> {
        if run.phase == Phase::Discovery {
            return Ok(Some(vec![(0, 0, 0)]));
        }
        let pool = self.database.pool();
        let Some(pinned) = campaigns::pinned_of(pool, run.campaign_id, run.run_id).await? else {
            return Ok(None);
        };
        let pinned =
            serde_json::from_value(pinned).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        let size = order_size(&pinned, &self.network);
        let ranges = domains::next_boundaries(pool, run.campaign_id, run.phase, size).await?;
        Ok(Some(ranges))
    }

    async fn domains_reach(&self, position: Position) -> bool {
        self.runtime
            .wait_for_one("domains", position, CATCH_UP)
            .await
            .is_ok()
    }

    async fn complete_finished_runs(&self) -> Result<(), PassError> {
        let finished = self.orders.finished_runs().await?;
        if finished.is_empty() {
            return Ok(());
        }
        // Whoever reads that a run is completed may read its results at once.
        let head = self.database.feed().head().await?;
        if !self.domains_reach(head).await {
            return Ok(());
        }
        for (campaign_id, phase, run_id, tallies) in finished {
            let command = campaign::Command::CompletePhase(CompletePhase {
                phase,
                run_id,
                tallies,
            });
            if let Err(error) = self.command(campaign_id, run_id, command).await {
                tracing::warn!(campaign.id = %campaign_id, run.id = %run_id, error = %describe(&error), "a run cannot be completed, trying again");
            }
        }
        Ok(())
    }

    /// Gives a command as the coordinator. A refusal means that somebody else was faster; a conflict is left to the
    /// next pass.
    async fn command(
        &self,
        campaign_id: CampaignId,
        run_id: RunId,
        command: campaign::Command,
    ) -> Result<(), PassError> {
        let metadata = Metadata::new(Actor::Worker("coordinator".to_owned()), run_id.to_string());
        let stream = campaign_id.to_string();
        match self
            .database
            .log()
            .execute::<Campaign>(&stream, command, &metadata, None)
            .await
        {
            Ok(_) => Ok(()),
            Err(ExecuteError::Log(error)) => Err(error.into()),
            Err(refused) => {
                tracing::debug!(campaign.id = %campaign_id, reason = %refused, "nothing to do");
                Ok(())
            }
        }
    }
}
