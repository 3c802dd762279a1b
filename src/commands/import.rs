//! Importing a list: leave out what the campaign has already, then let the campaign take the rest in.

use std::{collections::HashSet, time::Duration};

use aggregates::{
    Metadata,
    campaign::{self, Campaign, Command, Event, ImportDomains},
    ids::{CampaignId, FileId},
};
use event_store::ExecuteError;
use projections::domains;

use super::Done;
use crate::app::App;

/// How many names are compared with the campaign's at once.
const COMPARED_AT_ONCE: usize = 10_000;

/// How often a list is compared again because the campaign changed in between.
const ATTEMPTS: u32 = 3;

/// How long an import waits until the read model has every name that the campaign has.
const CATCH_UP: Duration = Duration::from_secs(30);

/// A list of legal names, each once.
#[derive(Clone, Debug)]
pub struct List {
    /// Names the list.
    pub file_id: FileId,
    /// SHA-256 of its text, hex.
    pub sha256: String,
    /// What it is called by whoever sent it as a file.
    pub filename: Option<String>,
    /// The names.
    pub names: Vec<String>,
    /// The line of the list that each name stands on, from 1.
    pub lines: Vec<u64>,
}

impl List {
    /// Returns the names that are not known, and their lines.
    fn without(&self, known: &HashSet<String>) -> (Vec<String>, Vec<u64>) {
        let (mut names, mut lines) = (Vec::new(), Vec::new());
        for (at, name) in self.names.iter().enumerate() {
            if !known.contains(name) {
                names.push(name.clone());
                lines.extend(self.lines.get(at));
            }
        }
        (names, lines)
    }
}

/// What an import came to.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The command.
    pub done: Done<Event>,
    /// What names the list in the campaign's history; nothing where no name was new.
    pub file_id: Option<FileId>,
    /// Names that were new to the campaign.
    pub accepted: usize,
    /// Names that the campaign had already.
    pub known: usize,
}

impl Imported {
    /// Counts what was recorded, which for a repeated command is what its first request recorded.
    fn of(done: Done<Event>, listed: usize) -> Self {
        let counted = done.events.iter().map(|event| match event {
            Event::DomainsImported { names, .. } => names.len(),
            _ => 0,
        });
        let accepted: usize = counted.sum();
        let file_id = done.events.iter().find_map(|event| match event {
            Event::DomainsImported { file_id, .. } => Some(*file_id),
            _ => None,
        });
        Self {
            file_id,
            accepted,
            known: listed.saturating_sub(accepted),
            done,
        }
    }
}

/// Why a list was not imported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The campaign refused, or the log failed.
    #[error(transparent)]
    Refused(#[from] ExecuteError<campaign::Error>),
    /// The names could not be compared with those of the campaign.
    #[error("cannot read the campaign's names")]
    Compare(#[source] sqlx::Error),
    /// The read model does not show the campaign's names yet.
    #[error("the campaign's names are still being taken in, {behind} events are left")]
    Behind {
        /// How many events are left.
        behind: i64,
    },
}

impl App {
    /// Takes a list into a campaign, all of it or nothing; `expected` is the version that the caller saw, where he says so.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn import_domains(
        &self,
        campaign_id: CampaignId,
        list: List,
        metadata: &Metadata,
        expected: Option<u64>,
    ) -> Result<Imported, Error> {
        if let Some(done) = self.repeated::<Campaign>(metadata).await? {
            return Ok(Imported::of(done, list.names.len()));
        }
        let stream = campaign_id.to_string();
        let mut attempt = 1;
        loop {
            let (known, version) = self.known_names(campaign_id, &list.names).await?;
            if let Some(expected) = expected.filter(|expected| *expected != version) {
                let actual = version;
                return Err(Error::Refused(ExecuteError::VersionMismatch {
                    expected,
                    actual,
                }));
            }
            let (names, lines) = list.without(&known);
            let command = Command::ImportDomains(ImportDomains {
                file_id: list.file_id,
                sha256: list.sha256.clone(),
                filename: list.filename.clone(),
                names,
                lines,
            });
            match self
                .execute::<Campaign>(&stream, command, metadata, Some(version))
                .await
            {
                Err(ExecuteError::VersionMismatch { .. }) if attempt < ATTEMPTS => attempt += 1,
                Err(ExecuteError::VersionMismatch { .. }) => {
                    return Err(Error::Refused(ExecuteError::Conflict {
                        aggregate_type: "campaign",
                        aggregate_id: stream,
                    }));
                }
                done => return Ok(Imported::of(done?, list.names.len())),
            }
        }
    }

    /// Returns those of the names that the campaign has, and the version that this holds for.
    async fn known_names(
        &self,
        campaign_id: CampaignId,
        names: &[String],
    ) -> Result<(HashSet<String>, u64), Error> {
        let log = self.database.log();
        let stream = campaign_id.to_string();
        let (campaign, version) = log
            .load::<Campaign>(&stream)
            .await
            .map_err(ExecuteError::Log)?;
        if campaign.names() == 0 {
            return Ok((HashSet::new(), version));
        }
        let position = log
            .position_of("campaign", &stream, version)
            .await
            .map_err(ExecuteError::Log)?;
        let caught_up = self
            .runtime
            .wait_for_one("domains", position, CATCH_UP)
            .await;
        caught_up.map_err(|lag| Error::Behind { behind: lag.behind })?;
        let mut known = HashSet::new();
        for chunk in names.chunks(COMPARED_AT_ONCE) {
            let existing = domains::existing_names(self.database.pool(), campaign_id, chunk)
                .await
                .map_err(Error::Compare)?;
            known.extend(existing);
        }
        Ok((known, version))
    }
}
