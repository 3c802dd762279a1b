//! What becomes of a name in a generated world, and in which shares.

/// One of the things that can become of a generated name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fate {
    /// Not registered: `NXDOMAIN`.
    NxDomain,
    /// Registered without an address: NODATA.
    NoData,
    /// Its name servers are broken: `SERVFAIL`.
    ServFail,
    /// Its name servers refuse.
    Refused,
    /// Its name servers do not answer.
    DnsSilent,
    /// A site that shows no planted keyword (and hides all of them in scripts and comments).
    Plain,
    /// A site with one to all of the planted keywords.
    Keywords,
    /// A short front page with one keyword that links to pages with more.
    Thin,
    /// A parking service's page; every name below the domain resolves too.
    Parked,
    /// 404 for every page.
    NotFound,
    /// 410 for every page.
    Gone,
    /// 500 for every page.
    ServerError,
    /// 503 for every page.
    Unavailable,
    /// `/` redirects to `/home`, which shows keywords.
    RedirectPath,
    /// The bare name redirects to `www.`, which shows keywords.
    RedirectWww,
    /// A redirect that never ends.
    RedirectLoop,
    /// The connection is reset in the middle of the response.
    Reset,
    /// The request is never answered.
    HttpSilent,
    /// A keyword site whose response begins 250 ms late.
    Slow,
    /// Plain HTTP leads to HTTPS, where the certificate has run out.
    ExpiredCertificate,
    /// Plain HTTP leads to HTTPS, where the certificate signed itself or belongs to somebody else.
    BadCertificate,
}

/// How many names of a thousand meet each fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares(Vec<(Fate, u32)>);

impl Default for Shares {
    /// Returns the shares of a plausible brute-forced name space: six names of ten do not resolve.
    fn default() -> Self {
        Self(vec![
            (Fate::NxDomain, 550),
            (Fate::NoData, 20),
            (Fate::ServFail, 12),
            (Fate::Refused, 5),
            (Fate::DnsSilent, 3),
            (Fate::Plain, 105),
            (Fate::Keywords, 150),
            (Fate::Thin, 20),
            (Fate::Parked, 50),
            (Fate::NotFound, 20),
            (Fate::Gone, 4),
            (Fate::ServerError, 10),
            (Fate::Unavailable, 10),
            (Fate::RedirectPath, 12),
            (Fate::RedirectWww, 12),
            (Fate::RedirectLoop, 3),
            (Fate::Reset, 4),
            (Fate::HttpSilent, 2),
            (Fate::Slow, 3),
            (Fate::ExpiredCertificate, 3),
            (Fate::BadCertificate, 2),
        ])
    }
}

impl Shares {
    /// Makes shares from weights; a name's chance of a fate is its weight over their sum. Fates left out do not occur.
    #[must_use]
    pub fn of(weights: impl IntoIterator<Item = (Fate, u32)>) -> Self {
        Self(weights.into_iter().collect())
    }

    /// Returns the fates with their weights.
    pub fn iter(&self) -> impl Iterator<Item = (Fate, u32)> + '_ {
        self.0.iter().copied()
    }

    /// Returns the sum of the weights: 1000 for the default shares.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, weight)| u64::from(*weight)).sum()
    }

    /// Returns the fate at this place on the line of all weights; `NxDomain` past its end.
    pub(crate) fn at(&self, mut place: u64) -> Fate {
        for (fate, weight) in &self.0 {
            let weight = u64::from(*weight);
            if place < weight {
                return *fate;
            }
            place -= weight;
        }
        Fate::NxDomain
    }
}
