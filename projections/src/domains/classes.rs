//! A campaign's domains by class: which deserve a look first. Every domain is in exactly one class.

use std::collections::BTreeMap;

use aggregates::ids::CampaignId;
use sqlx::PgPool;

use crate::snapshot_of_campaign;

/// From this score on (0 to 1) an analyzed domain is emerging.
const EMERGING: f64 = 0.50;

/// The class of a domain: the first that applies, where analyzed means that it has a keyword and was scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Analyzed, with a score of at least 0.80.
    HighPotential,
    /// Analyzed, with a score of at least 0.50.
    Emerging,
    /// Analyzed, with a warning.
    AtRisk,
    /// Analyzed and decided to be a lead.
    LeadCandidate,
    /// Analyzed, and none of the above.
    LowValue,
    /// Not analyzed.
    Other,
}

impl Class {
    /// Every class, in the order in which they are tried.
    pub const ALL: [Self; 6] = [
        Self::HighPotential,
        Self::Emerging,
        Self::AtRisk,
        Self::LeadCandidate,
        Self::LowValue,
        Self::Other,
    ];

    const fn number(self) -> i32 {
        self as i32
    }
}

/// A domain of a class.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its name.
    pub name: String,
    /// Its richness, 0 to 1; absent where its page was not scored.
    pub richness: Option<f64>,
}

/// A campaign's domains by class, all from one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Classes {
    classes: BTreeMap<Class, (u64, Vec<Sample>)>,
}

impl Classes {
    /// Returns how many domains are of the class.
    #[must_use]
    pub fn count(&self, class: Class) -> u64 {
        self.classes.get(&class).map_or(0, |(count, _)| *count)
    }

    /// Returns the richest domains of the class; of those that were not analyzed the first.
    #[must_use]
    pub fn samples(&self, class: Class) -> &[Sample] {
        self.classes
            .get(&class)
            .map_or(&[], |(_, samples)| samples.as_slice())
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    class: i32,
    n: i64,
    names: Vec<String>,
    richness: Vec<Option<f64>>,
}

/// Only scored rows have a richness, and they have an index of their own. What is not analyzed is counted by the
/// counters and shown from the front of the campaign, so that the many names without a page are not read.
const SELECT: &str = "WITH ranked AS (SELECT class, name, richness_score, row_number() \
        OVER (PARTITION BY class ORDER BY richness_score DESC, ordinal) AS rank \
        FROM (SELECT name, ordinal, richness_score, CASE WHEN high_potential THEN 0 WHEN score >= $2 THEN 1 \
            WHEN warned THEN 2 WHEN lead_status = 'match' THEN 3 ELSE 4 END AS class \
            FROM read.domains WHERE campaign_id = $1 AND richness_score IS NOT NULL AND keyword_hit AND scored) d), \
    others AS (SELECT name, richness_score, ordinal FROM read.domains \
        WHERE campaign_id = $1 AND NOT (keyword_hit AND scored) ORDER BY ordinal LIMIT $3) \
    SELECT class, count(*) AS n, \
        coalesce(array_agg(name ORDER BY rank) FILTER (WHERE rank <= $3), '{}') AS names, \
        coalesce(array_agg(richness_score ORDER BY rank) FILTER (WHERE rank <= $3), '{}') AS richness \
    FROM ranked GROUP BY class \
    UNION ALL SELECT 5, coalesce((SELECT sum(n) FROM read.domain_totals \
            WHERE campaign_id = $1 AND NOT (keyword_hit AND scored)), 0)::bigint, \
        ARRAY(SELECT name FROM others ORDER BY ordinal), ARRAY(SELECT richness_score FROM others ORDER BY ordinal)";

/// Sorts a campaign's domains into classes, with at most `samples` domains shown of each.
///
/// # Errors
/// When the database does not answer.
pub async fn classes_of(
    pool: &PgPool,
    campaign_id: CampaignId,
    samples: i64,
) -> Result<Classes, sqlx::Error> {
    let mut snapshot = snapshot_of_campaign(pool).await?;
    let rows: Vec<Row> = sqlx::query_as(SELECT)
        .bind(campaign_id.0)
        .bind(EMERGING)
        .bind(samples)
        .fetch_all(&mut *snapshot)
        .await?;
    snapshot.commit().await?;
    let mut classes = Classes::default();
    for row in rows {
        let Some(class) = Class::ALL
            .into_iter()
            .find(|class| class.number() == row.class)
        else {
            continue;
        };
        let samples = row.names.into_iter().zip(row.richness);
        let samples = samples
            .map(|(name, richness)| Sample { name, richness })
            .collect();
        let count = u64::try_from(row.n).unwrap_or(0);
        classes.classes.insert(class, (count, samples));
    }
    Ok(classes)
}
