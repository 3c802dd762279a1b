//! Pinning: everything that a run will work with is copied when it starts.

pub mod named;
mod pinned_pool;

use std::collections::BTreeMap;

use aggregates::{
    campaign::{Campaign, CampaignType, Event, Phase, PhaseConfig, Pinned, Source, TakenRun},
    ids::{CampaignId, KeywordSetId, RuleId, ScoringProfileId},
    keyword_set, lead,
    persona::{DnsConfig, HttpConfig},
    scoring::Weights,
    scoring_profile::ScoringProfile,
};
use event_store::Database;
use projections::Whose;
use uuid::Uuid;

use crate::work::{Network, compilers, usable};

/// Starts of runs that are read at once; each holds what its run has pinned.
const RUNS_PAGE: u32 = 20;

/// What the operator says for all runs: what those work with whose campaigns name no persona, and the network.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// How DNS is asked.
    pub dns: DnsConfig,
    /// How pages are fetched.
    pub http: HttpConfig,
    /// Where engines may go.
    pub network: Network,
}

/// Why a run cannot be pinned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The phase needs a configuration.
    #[error("{0} is not configured")]
    NotConfigured(Phase),
    /// Something that the configuration names is not there, not the owner's, switched off, or nothing that the engines
    /// take.
    #[error("{field}: {message}")]
    Reference {
        /// The configuration's field.
        field: &'static str,
        /// What is wrong.
        message: String,
    },
    /// Too many of the owner's wait to have their keyword rules checked.
    #[error(transparent)]
    Busy(#[from] compilers::Busy),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] event_store::Error),
}

fn wrong(field: &'static str, message: impl Into<String>) -> Error {
    Error::Reference {
        field,
        message: message.into(),
    }
}

/// Copies what the next run of a phase will work with.
///
/// # Errors
/// A missing configuration, or something that it names and that cannot be used.
pub async fn pin(
    database: &Database,
    campaign: &Campaign,
    phase: Phase,
    defaults: &Defaults,
) -> Result<Pinned, Error> {
    let config = match campaign.phase(phase).config() {
        Some(config) => config.clone(),
        None => default_config(phase)?,
    };
    resolve(database, campaign, config, defaults).await
}

/// Copies what a run of a campaign's phase would work with that had this configuration.
///
/// # Errors
/// As [`pin`].
pub async fn pin_config(
    database: &Database,
    campaign: &Campaign,
    config: PhaseConfig,
    defaults: &Defaults,
) -> Result<Pinned, Error> {
    resolve(database, campaign, config, defaults).await
}

/// Checks that everything that a configuration names is there and may be used, by pinning it and letting it go.
///
/// # Errors
/// As [`pin`].
pub async fn check(
    database: &Database,
    campaign: &Campaign,
    config: PhaseConfig,
    defaults: &Defaults,
) -> Result<(), Error> {
    // The campaigns that names are taken from need not be done before the run starts.
    if let PhaseConfig::Discovery {
        source: Source::Campaigns { campaigns },
    } = &config
    {
        inputs(database, campaign, campaigns).await?;
        return Ok(());
    }
    pin_config(database, campaign, config, defaults)
        .await
        .map(|_| ())
}

fn default_config(phase: Phase) -> Result<PhaseConfig, Error> {
    match phase {
        Phase::Analysis => Ok(PhaseConfig::Analysis {
            scoring_profile: None,
        }),
        Phase::Enrichment => Ok(PhaseConfig::Enrichment {
            thresholds: lead::Thresholds::default(),
        }),
        needed => Err(Error::NotConfigured(needed)),
    }
}

async fn resolve(
    database: &Database,
    campaign: &Campaign,
    config: PhaseConfig,
    defaults: &Defaults,
) -> Result<Pinned, Error> {
    let whose = campaign.owner().map(Whose::Of);
    Ok(match config {
        PhaseConfig::Discovery {
            source: Source::Pattern { pattern, count },
        } => Pinned::Discovery {
            pattern_hash: Some(pattern.hash()),
            inputs: Vec::new(),
            source: Source::Pattern {
                // An earlier run that was stopped may have left names, and they count.
                count: [count, campaign.max_domains()]
                    .into_iter()
                    .flatten()
                    .min()
                    .map(|most| most.saturating_sub(campaign.names())),
                pattern,
            },
        },
        PhaseConfig::Discovery {
            source: Source::Import,
        } => Pinned::Discovery {
            pattern_hash: None,
            source: Source::Import,
            inputs: Vec::new(),
        },
        PhaseConfig::Discovery {
            source: Source::Campaigns { campaigns },
        } => {
            let mut settled = Vec::with_capacity(campaigns.len());
            for (id, input) in inputs(database, campaign, &campaigns).await? {
                settled.push(input.as_input(id).ok_or_else(|| {
                    wrong(
                        "inputCampaignIds",
                        format!("campaign {id} has not come to its end"),
                    )
                })?);
            }
            Pinned::Discovery {
                pattern_hash: None,
                source: Source::Campaigns { campaigns },
                inputs: settled,
            }
        }
        PhaseConfig::Validation {
            dns_persona,
            record_types,
        } => {
            let dns = named::dns(database, whose, dns_persona, defaults).await?;
            usable::dns(&dns, &record_types, &defaults.network)
                .map_err(|why| wrong("dnsPersonaId", why))?;
            let asked = |pinned: &Pinned| match pinned {
                Pinned::Validation {
                    record_types: types,
                    ..
                } => record_types.iter().all(|wanted| types.contains(wanted)),
                _ => false,
            };
            let taken = match campaign.campaign_type() {
                CampaignType::Http | CampaignType::Lead => {
                    runs_of_inputs(database, campaign, asked).await?
                }
                CampaignType::Full | CampaignType::Generation | CampaignType::Dns => Vec::new(),
            };
            Pinned::Validation {
                dns,
                dns_persona,
                record_types,
                taken,
            }
        }
        PhaseConfig::Extraction {
            http_persona,
            dns_persona,
            proxy_pool,
            keyword_sets,
            keywords,
        } => {
            let proxies = match proxy_pool {
                Some(id) => Some(pinned_pool::pin(database, campaign, id).await?),
                None => None,
            };
            let http = named::http(database, whose, http_persona, defaults).await?;
            usable::http(&http, &defaults.network).map_err(|why| wrong("httpPersonaId", why))?;
            let dns = named::dns(database, whose, dns_persona, defaults).await?;
            usable::dns(&dns, &[], &defaults.network).map_err(|why| wrong("dnsPersonaId", why))?;
            let rules = rules(database, campaign, &keyword_sets, &keywords).await?;
            let same_rules = |pinned: &Pinned| match pinned {
                Pinned::Extraction { rules: theirs, .. } => *theirs == rules,
                _ => false,
            };
            let taken = match campaign.campaign_type() {
                CampaignType::Lead => runs_of_inputs(database, campaign, same_rules).await?,
                _ => Vec::new(),
            };
            Pinned::Extraction {
                http,
                dns,
                http_persona,
                rules,
                taken,
                proxies,
            }
        }
        PhaseConfig::Analysis { scoring_profile } => Pinned::Analysis {
            weights: weights(database, campaign, scoring_profile).await?,
            scoring_profile,
        },
        PhaseConfig::Enrichment { thresholds } => Pinned::Enrichment { thresholds },
    })
}

/// Reads the campaigns that a campaign takes names from; they must be its owner's.
async fn inputs(
    database: &Database,
    campaign: &Campaign,
    ids: &[CampaignId],
) -> Result<Vec<(CampaignId, Campaign)>, Error> {
    let mut inputs = Vec::with_capacity(ids.len());
    for id in ids {
        let (input, _) = database.log().load::<Campaign>(&id.to_string()).await?;
        if input.owner().is_none() || input.owner() != campaign.owner() {
            return Err(wrong(
                "inputCampaignIds",
                format!("there is no campaign {id}"),
            ));
        }
        inputs.push((*id, input));
    }
    Ok(inputs)
}

/// Lists the runs of the campaigns that a campaign takes names from whose pinned work is as wanted. A campaign that was
/// deleted since has none.
async fn runs_of_inputs(
    database: &Database,
    campaign: &Campaign,
    wanted: impl Fn(&Pinned) -> bool,
) -> Result<Vec<TakenRun>, Error> {
    let Some(PhaseConfig::Discovery {
        source: Source::Campaigns { campaigns },
    }) = campaign.phase(Phase::Discovery).config()
    else {
        return Ok(Vec::new());
    };
    let mut runs = Vec::new();
    for campaign_id in campaigns {
        let stream = database.log().stream("campaign", &campaign_id.to_string());
        let stream = stream.of_types(&["PhaseStarted"]);
        let mut after = 0;
        loop {
            let page = stream.page(after, RUNS_PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.event.sequence;
            for stored in page {
                if let Event::PhaseStarted { run_id, pinned, .. } = stored.event.decode()?
                    && wanted(&pinned)
                {
                    let campaign_id = *campaign_id;
                    runs.push(TakenRun {
                        campaign_id,
                        run_id,
                    });
                }
            }
        }
    }
    Ok(runs)
}

async fn rules(
    database: &Database,
    campaign: &Campaign,
    sets: &[KeywordSetId],
    keywords: &[String],
) -> Result<Vec<keyword_set::Rule>, Error> {
    if sets.is_empty() && keywords.is_empty() {
        return Ok(Vec::new());
    }
    // Before the rules are read, so that whoever waits holds none.
    let turn = compilers::turn(campaign.owner()).await?;
    let whose = campaign.owner().map(Whose::Of);
    let mut rules = Vec::new();
    for id in sets {
        rules.extend(named::rules(database, whose, "keywordSetIds", *id).await?);
    }
    let of_sets = rules.len();
    rules.extend(keywords.iter().map(|keyword| ad_hoc(keyword)));
    usable::checked(turn, rules)
        .await
        .map_err(|unusable| match unusable.at {
            Some(at) if at >= of_sets => {
                let keyword = keywords.get(at - of_sets).map_or("", String::as_str);
                wrong("keywords", format!("{keyword:?} {}", unusable.message))
            }
            Some(_) => wrong(
                "keywordSetIds",
                format!("the {} of a rule {}", unusable.field, unusable.message),
            ),
            None => wrong("keywordSetIds", unusable.message),
        })
}

/// Makes a rule of a keyword without a set. Its id is made of the keyword, so that it is the same in every run.
pub fn ad_hoc(keyword: &str) -> keyword_set::Rule {
    let id = RuleId(Uuid::new_v5(&Uuid::NAMESPACE_OID, keyword.as_bytes()));
    keyword_set::Rule::text(id, keyword)
}

async fn weights(
    database: &Database,
    campaign: &Campaign,
    id: Option<ScoringProfileId>,
) -> Result<BTreeMap<String, f64>, Error> {
    let Some(id) = id else {
        return Ok(Weights::default().to_map());
    };
    let (profile, _) = database
        .log()
        .load::<ScoringProfile>(&id.to_string())
        .await?;
    if profile.owner().is_none() || profile.owner() != campaign.owner() {
        return Err(wrong(
            "scoringProfileId",
            "there is no such scoring profile",
        ));
    }
    Weights::parse(profile.weights())
        .map(|weights| weights.to_map())
        .map_err(|error| wrong("scoringProfileId", error.to_string()))
}
