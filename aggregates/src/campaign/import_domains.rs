//! Takes a list of names in.

use super::{Campaign, Error, Event, Phase, PhaseConfig, PhaseState, Source};
use crate::ids::FileId;

/// How many names one `DomainsImported` holds at most.
pub const IMPORT_CHUNK: usize = 5_000;

/// The longest name of a file, characters: each chunk of its names has it.
pub const MAX_FILENAME: usize = 255;

/// Takes names in that are legal, different from each other and new to the campaign: the caller has parsed them and
/// compared them with the names that the campaign has, at the version that the command names.
#[derive(Clone, Debug)]
pub struct ImportDomains {
    /// The list.
    pub file_id: FileId,
    /// SHA-256 of the whole list, hex.
    pub sha256: String,
    /// What the list is called by whoever sent it as a file.
    pub filename: Option<String>,
    /// The names.
    pub names: Vec<String>,
    /// The line of the list that each name stands on, from 1; empty where they came in no lines.
    pub lines: Vec<u64>,
}

impl ImportDomains {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        campaign.must_exist()?;
        let is_too_long = |name: &String| name.chars().count() > MAX_FILENAME;
        if self.filename.as_ref().is_some_and(is_too_long) {
            return Err(Error::Invalid {
                field: "file",
                message: format!("must have a name of at most {MAX_FILENAME} characters"),
            });
        }
        let discovery = campaign.phase(Phase::Discovery);
        let imports = PhaseConfig::Discovery {
            source: Source::Import,
        };
        if discovery
            .config
            .as_ref()
            .is_some_and(|config| *config != imports)
        {
            return Err(Error::Invalid {
                field: "file",
                message: "the campaign generates its names or takes them from others; lists are taken by campaigns whose \
                          names are imported"
                    .to_owned(),
            });
        }
        if !matches!(
            discovery.state,
            PhaseState::NotStarted | PhaseState::Configured
        ) {
            return Err(Error::NamesStay {
                current: discovery.state,
            });
        }
        let total = campaign.names.saturating_add(self.names.len() as u64);
        if let Some(limit) = campaign.max_domains.filter(|limit| total > *limit) {
            return Err(Error::Invalid {
                field: "file",
                message: format!(
                    "the campaign takes {limit} names, with this list it would have {total}"
                ),
            });
        }
        let mut first_ordinal = campaign.names;
        let mut events = Vec::new();
        // A list for a campaign that says nothing about its names says that they are imported.
        if discovery.config.is_none() {
            events.push(Event::PhaseConfigured { config: imports });
        }
        let mut lines = self.lines.chunks(IMPORT_CHUNK);
        for chunk in self.names.chunks(IMPORT_CHUNK) {
            events.push(Event::DomainsImported {
                file_id: self.file_id,
                sha256: self.sha256.clone(),
                filename: self.filename.clone(),
                first_ordinal,
                names: chunk.to_vec(),
                lines: lines.next().unwrap_or_default().to_vec(),
            });
            first_ordinal = first_ordinal.saturating_add(chunk.len() as u64);
        }
        Ok(events)
    }
}
