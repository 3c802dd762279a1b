//! What a command asks for, and the one campaign that it stands for.

use aggregates::{
    campaign::{Create, Mode, PhaseConfig, Source, check_name},
    ids::{CampaignId, UserId},
    names::Pattern,
};
use uuid::Uuid;

use super::{Error, RunArgs};
use crate::{commands::pin, work::usable};

/// Whose campaigns of the command line are: nobody's who could log in.
const OPERATOR: UserId = UserId(Uuid::from_u128(0x4f50_4552_4154_4f52_8000_0000_0000_0001));

/// The space of the ids that are made of what was asked for.
const CAMPAIGNS: Uuid = Uuid::from_u128(0x646f_6d61_696e_666c_8000_6f77_2072_756e);

/// Which names.
#[derive(Clone, Debug)]
pub enum Names {
    /// Those of a pattern.
    Generated {
        /// The pattern.
        pattern: Pattern,
        /// How many; all that are left where absent.
        count: Option<u64>,
    },
    /// Those of a list.
    Listed {
        /// The names, each once.
        names: Vec<String>,
        /// The line of each.
        lines: Vec<u64>,
        /// SHA-256 of the list, hex.
        sha256: String,
    },
}

/// A campaign as a command asks for it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its id, the same for the same wishes.
    pub campaign_id: CampaignId,
    /// Whose it is.
    pub owner: UserId,
    /// Its name.
    pub name: String,
    /// Its names.
    pub names: Names,
    /// The keywords that are looked for.
    pub keywords: Vec<String>,
}

impl Plan {
    /// Reads the arguments. Where the result goes and where the log is kept do not change the campaign; the network
    /// does, for its answers are the result.
    pub(super) fn of(args: &RunArgs) -> Result<Self, Error> {
        let rules: Vec<_> = args.keywords.iter().map(|text| pin::ad_hoc(text)).collect();
        usable::rules(&rules).map_err(|unusable| {
            let keyword = unusable.at.and_then(|at| args.keywords.get(at));
            let keyword = keyword.map_or_else(String::new, |text| format!(" {text:?}"));
            Error::Usage(format!("--keyword{keyword}: {}", unusable.message))
        })?;
        if let Some(name) = &args.name {
            check_name(name).map_err(|refused| Error::Usage(format!("--{refused}")))?;
        }
        let names = args.names.names()?;
        let asked_for = match &names {
            Names::Generated { pattern, count } => serde_json::json!([pattern.hash(), count]),
            Names::Listed { sha256, .. } => serde_json::json!(["list", sha256]),
        };
        let network = &args.network;
        let key = serde_json::json!([
            asked_for,
            args.keywords,
            args.name,
            network.resolvers,
            network.http_port,
            network.https_port,
            network.allow_private,
            network.trusted,
        ]);
        let name = args.name.clone().unwrap_or_else(|| match &names {
            Names::Generated { pattern, .. } => format!("names around {:?}", pattern.constant()),
            Names::Listed { names, .. } => format!("{} listed names", names.len()),
        });
        Ok(Self {
            campaign_id: CampaignId(Uuid::new_v5(&CAMPAIGNS, key.to_string().as_bytes())),
            owner: OPERATOR,
            name,
            names,
            keywords: args.keywords.clone(),
        })
    }

    /// Makes the command that makes the campaign, every phase configured.
    #[must_use]
    pub fn create(&self) -> Create {
        let source = match &self.names {
            Names::Generated { pattern, count } => Source::Pattern {
                pattern: pattern.clone(),
                count: *count,
            },
            Names::Listed { .. } => Source::Import,
        };
        Create {
            mode: Mode::FullSequence,
            phases: vec![
                PhaseConfig::Discovery { source },
                PhaseConfig::Validation {
                    dns_persona: None,
                    record_types: Vec::new(),
                },
                PhaseConfig::Extraction {
                    http_persona: None,
                    dns_persona: None,
                    proxy_pool: None,
                    keyword_sets: Vec::new(),
                    keywords: self.keywords.clone(),
                },
            ],
            ..Create::new(self.owner, self.name.clone())
        }
    }
}
