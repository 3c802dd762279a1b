//! Makes a campaign, with the configurations of phases that came with the request.

use serde_json::Value;

use super::{Campaign, CampaignType, Error, Event, Mode, PhaseConfig};
use crate::ids::UserId;

/// The longest name of a campaign, in characters.
pub(super) const NAME_LIMIT: usize = 255;
/// The longest notes, in characters.
const NOTES_LIMIT: usize = 10_000;
/// The longest tag, in characters.
const TAG_LIMIT: usize = 64;
/// The most tags of a campaign.
const MOST_TAGS: usize = 50;

/// Makes a campaign.
#[derive(Clone, Debug)]
pub struct Create {
    /// Whose it will be.
    pub owner: UserId,
    /// Which phases it has.
    pub campaign_type: CampaignType,
    /// Its name, 1 to 255 characters.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What its users want to remember of it, at most 10,000 characters.
    pub notes: Option<String>,
    /// Words that its users find it by: at most 50 different ones of 1 to 64 characters.
    pub tags: Vec<String>,
    /// Whether phases follow each other by themselves.
    pub mode: Mode,
    /// The configuration object as the client sent it.
    pub configuration: Value,
    /// How many names the campaign may have.
    pub max_domains: Option<u64>,
    /// What the configuration object says about phases.
    pub phases: Vec<PhaseConfig>,
}

impl Create {
    /// Names a campaign with all phases, in which each is started by command and none is configured.
    #[must_use]
    pub fn new(owner: UserId, name: impl Into<String>) -> Self {
        Self {
            owner,
            campaign_type: CampaignType::Full,
            name: name.into(),
            description: None,
            notes: None,
            tags: Vec::new(),
            mode: Mode::StepByStep,
            configuration: Value::Object(serde_json::Map::new()),
            max_domains: None,
            phases: Vec::new(),
        }
    }

    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        if campaign.owner.is_some() {
            return Err(Error::Exists);
        }
        check_name(&self.name)?;
        check_notes(self.notes.as_deref())?;
        check_tags(&self.tags)?;
        for phase in self.phases.iter().map(PhaseConfig::phase) {
            if !self.campaign_type.phases().contains(&phase) {
                return Err(Error::NoSuchPhase {
                    phase,
                    campaign_type: self.campaign_type,
                });
            }
        }
        let mut events = vec![Event::Created {
            owner: self.owner,
            campaign_type: self.campaign_type,
            name: self.name,
            description: self.description,
            notes: self.notes,
            tags: self.tags,
            mode: self.mode,
            configuration: self.configuration,
            max_domains: self.max_domains,
        }];
        events.extend(
            self.phases
                .into_iter()
                .map(|config| Event::PhaseConfigured { config }),
        );
        Ok(events)
    }
}

/// Refuses notes that are too long to be any.
pub(super) fn check_notes(notes: Option<&str>) -> Result<(), Error> {
    if notes.is_some_and(|notes| notes.chars().count() > NOTES_LIMIT) {
        return Err(Error::Invalid {
            field: "notes",
            message: format!("must have at most {NOTES_LIMIT} characters"),
        });
    }
    Ok(())
}

/// Refuses tags that are too many, too long, empty or there twice.
pub(super) fn check_tags(tags: &[String]) -> Result<(), Error> {
    let invalid = |message: String| {
        Err(Error::Invalid {
            field: "tags",
            message,
        })
    };
    if tags.len() > MOST_TAGS {
        return invalid(format!("there may be at most {MOST_TAGS}"));
    }
    for (at, tag) in tags.iter().enumerate() {
        let length = tag.chars().count();
        if tag.trim() != tag || !(1..=TAG_LIMIT).contains(&length) {
            return invalid(format!(
                "{tag:?} must have 1 to {TAG_LIMIT} characters and no blanks around them"
            ));
        }
        if tags.iter().take(at).any(|earlier| earlier == tag) {
            return invalid(format!("{tag:?} is there twice"));
        }
    }
    Ok(())
}

/// Checks a campaign's name.
///
/// # Errors
/// [`Error::Invalid`] where it is blank or longer than 255 characters.
pub fn check_name(name: &str) -> Result<(), Error> {
    let length = name.chars().count();
    if name.trim().is_empty() || length > NAME_LIMIT {
        return Err(Error::Invalid {
            field: "name",
            message: format!("must have 1 to {NAME_LIMIT} characters, has {length}"),
        });
    }
    Ok(())
}
