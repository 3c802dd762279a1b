//! Following a campaign to its end, with a progress bar a phase.

use std::time::{Duration, Instant};

use aggregates::{
    campaign::{Phase, PhaseState, Status},
    ids::CampaignId,
};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use projections::{
    campaigns::{Campaign, Overview, Progress, overview},
    runtime::checkpoints,
};

use super::Error;
use crate::app::App;

/// How often is looked.
const LOOK: Duration = Duration::from_millis(150);

/// How long the read models may take to show the end of a campaign that has ended.
const CATCH_UP: Duration = Duration::from_secs(60);

/// How a campaign is followed.
#[derive(Clone, Debug, Default)]
pub struct Follow {
    /// Say nothing.
    pub quiet: bool,
}

/// Bars on a terminal; without one, a line a phase.
struct Display {
    bars: Vec<(Phase, ProgressBar)>,
    quiet: bool,
    hidden: bool,
    told: Vec<Phase>,
    began: Instant,
}

impl Display {
    fn new(follow: &Follow) -> Self {
        let all = MultiProgress::new();
        let style = ProgressStyle::with_template(
            "{prefix:>12} [{bar:40}] {pos:>9}/{len:9} {per_sec:>12} {msg}",
        );
        let style = style
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let bar = |phase: Phase| {
            let bar = if follow.quiet {
                ProgressBar::hidden()
            } else {
                all.add(ProgressBar::new(0))
            };
            (
                phase,
                bar.with_style(style.clone()).with_prefix(phase.name()),
            )
        };
        Self {
            bars: Phase::ALL.into_iter().map(bar).collect(),
            quiet: follow.quiet,
            hidden: all.is_hidden(),
            told: Vec::new(),
            began: Instant::now(),
        }
    }

    fn show(&mut self, overview: &Overview) {
        for (phase, bar) in &self.bars {
            let (phase, row) = (*phase, overview.campaign.phase(*phase));
            let progress = Progress::of(&overview.campaign, phase, &overview.counts);
            if bar.is_finished() || row.run_number == 0 {
                continue;
            }
            bar.set_length(progress.total);
            bar.set_position(progress.processed);
            if row.state == PhaseState::Completed {
                // The campaign's read model may be ahead of that of its domains; a phase that is over has no more to do.
                let took = took(&overview.campaign, phase);
                bar.finish_with_message(took.clone());
                if self.hidden && !self.quiet && !self.told.contains(&phase) {
                    eprintln!("{phase}: completed {took}");
                    self.told.push(phase);
                }
            }
        }
    }

    fn end(&self) {
        for (_, bar) in &self.bars {
            if !bar.is_finished() {
                bar.abandon();
            }
        }
        tracing::debug!(
            elapsed_ms = self.began.elapsed().as_millis(),
            "the campaign has ended"
        );
    }
}

fn took(campaign: &Campaign, phase: Phase) -> String {
    let row = campaign.phase(phase);
    match (row.started_at, row.completed_at) {
        (Some(started), Some(completed)) => {
            let milliseconds = (completed - started).num_milliseconds();
            format!("in {}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
        }
        _ => String::new(),
    }
}

/// Follows a campaign until it has ended and the read models show it.
///
/// # Errors
/// When the campaign fails or is stopped, a read model stands still, or the database fails.
pub async fn follow(app: &App, campaign_id: CampaignId, how: &Follow) -> Result<(), Error> {
    let mut display = Display::new(how);
    let mut tick = tokio::time::interval(LOOK);
    let pool = app.database.pool();
    loop {
        tick.tick().await;
        if let Some(overview) = overview(pool, campaign_id)
            .await
            .map_err(Error::step("read the campaign"))?
        {
            display.show(&overview);
            match overview.campaign.status() {
                Status::Completed => break,
                Status::Failed => {
                    display.end();
                    return Err(failure(&overview.campaign));
                }
                Status::Cancelled => {
                    display.end();
                    return Err(Error::Failed("the campaign was stopped".to_owned()));
                }
                Status::Paused => {
                    display.end();
                    return Err(Error::Failed("the campaign was paused".to_owned()));
                }
                Status::Draft | Status::Running => {}
            }
        }
        let halted = checkpoints(pool)
            .await
            .map_err(Error::step("read the checkpoints"))?;
        if let Some((name, reason)) = halted
            .into_iter()
            .find_map(|found| Some((found.name, found.halted?)))
        {
            display.end();
            return Err(Error::Failed(format!(
                "the read model {name} stands still: {reason}"
            )));
        }
    }
    let head = app.database.feed().head().await?;
    app.runtime.wait_for(head, CATCH_UP).await.map_err(|lag| {
        Error::Failed(format!("the read models are {} events behind", lag.behind))
    })?;
    if let Some(overview) = overview(pool, campaign_id)
        .await
        .map_err(Error::step("read the campaign"))?
    {
        display.show(&overview);
    }
    display.end();
    Ok(())
}

fn failure(campaign: &Campaign) -> Error {
    let failed = campaign
        .phases
        .iter()
        .find(|row| row.state == PhaseState::Failed);
    Error::Failed(match failed {
        Some(row) => format!(
            "{} failed: {}",
            row.phase,
            row.error.as_deref().unwrap_or("it was stopped")
        ),
        None => "the campaign failed".to_owned(),
    })
}
