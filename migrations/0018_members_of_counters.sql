-- Counters know whom they count. A list reads the places of its matches from them, so that a page looks at its own rows and
-- at no others, wherever the matches lie. And what a campaign comes to as a whole is kept, not summed up for every answer.
LOCK TABLE read.domains IN SHARE MODE;
DROP TABLE read.domain_counts;
CREATE TABLE read.domain_counts (
    campaign_id      uuid NOT NULL,
    stretch          bigint NOT NULL,         -- ordinal / 4096
    dns_status       text NOT NULL,
    dns_reason       text NOT NULL,
    http_status      text NOT NULL,
    http_reason      text NOT NULL,
    has_contact      boolean NOT NULL,
    lead_status      text NOT NULL,
    rejection_reason text NOT NULL,
    keyword_hit      boolean NOT NULL,
    scored           boolean NOT NULL,
    high_potential   boolean NOT NULL,
    warned           boolean NOT NULL,
    n                bigint NOT NULL,
    members          bit(4096) NOT NULL,      -- bit ordinal % 4096 of each domain that is counted
    PRIMARY KEY (campaign_id, stretch, dns_status, dns_reason, http_status, http_reason, has_contact, lead_status,
                 rejection_reason, keyword_hit, scored, high_potential, warned)
);
INSERT INTO read.domain_counts
SELECT campaign_id, ordinal / 4096, dns_status, dns_reason, http_status, http_reason, has_contact, lead_status,
       rejection_reason, keyword_hit, scored, high_potential, warned, count(*),
       bit_or(set_bit(repeat('0', 4096)::bit(4096), (ordinal % 4096)::integer, 1))
FROM read.domains GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13;

-- The same over all stretches.
CREATE TABLE read.domain_totals (
    campaign_id      uuid NOT NULL,
    dns_status       text NOT NULL,
    dns_reason       text NOT NULL,
    http_status      text NOT NULL,
    http_reason      text NOT NULL,
    has_contact      boolean NOT NULL,
    lead_status      text NOT NULL,
    rejection_reason text NOT NULL,
    keyword_hit      boolean NOT NULL,
    scored           boolean NOT NULL,
    high_potential   boolean NOT NULL,
    warned           boolean NOT NULL,
    n                bigint NOT NULL,
    PRIMARY KEY (campaign_id, dns_status, dns_reason, http_status, http_reason, has_contact, lead_status,
                 rejection_reason, keyword_hit, scored, high_potential, warned)
);
INSERT INTO read.domain_totals
SELECT campaign_id, dns_status, dns_reason, http_status, http_reason, has_contact, lead_status, rejection_reason,
       keyword_hit, scored, high_potential, warned, sum(n)
FROM read.domain_counts GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12;

-- A sorted list merges a walk for each kind of rows that its filter wants, instead of looking for them among the others.
DROP INDEX read.domains_by_richness, read.domains_by_keywords, read.domains_by_gain;
CREATE INDEX domains_by_richness ON read.domains
    (campaign_id, rejection_reason, has_contact, warned, richness_score, ordinal) WHERE richness_score IS NOT NULL;
CREATE INDEX domains_by_keywords ON read.domains
    (campaign_id, rejection_reason, has_contact, warned, keywords_unique, ordinal) WHERE keywords_unique IS NOT NULL;
CREATE INDEX domains_by_gain ON read.domains
    (campaign_id, rejection_reason, has_contact, warned, microcrawl_gain, ordinal) WHERE microcrawl_gain IS NOT NULL;
