-- Counters know whom they count. A list reads the places of its matches from them, so that a page looks at its own rows and
-- at no others, wherever the matches lie. And what a campaign comes to as a whole is kept, not summed up for every answer.
LOCK TABLE read.domains IN ACCESS EXCLUSIVE MODE;
DROP INDEX read.domains_by_richness, read.domains_by_keywords, read.domains_by_gain;
-- Keywords were looked for, whether or not any was found: then there is a number of them. And the decision's reason, of what
-- has a page: the decisions about all others change nothing that is in an index, so that their updates stay on their page.
ALTER TABLE read.domains
    ADD COLUMN searched boolean NOT NULL GENERATED ALWAYS AS (keywords_unique IS NOT NULL) STORED,
    ADD COLUMN sorted_reason text GENERATED ALWAYS AS
        (CASE WHEN keywords_unique IS NOT NULL OR richness_score IS NOT NULL THEN rejection_reason END) STORED;
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
    searched         boolean NOT NULL,
    scored           boolean NOT NULL,
    high_potential   boolean NOT NULL,
    warned           boolean NOT NULL,
    n                bigint NOT NULL,
    members          bit(4096) NOT NULL,      -- bit ordinal % 4096 of each domain that is counted
    PRIMARY KEY (campaign_id, stretch, dns_status, dns_reason, http_status, http_reason, has_contact, lead_status,
                 rejection_reason, keyword_hit, searched, scored, high_potential, warned)
);
INSERT INTO read.domain_counts
SELECT campaign_id, ordinal / 4096, dns_status, dns_reason, http_status, http_reason, has_contact, lead_status,
       rejection_reason, keyword_hit, searched, scored, high_potential, warned, count(*),
       bit_or(set_bit(repeat('0', 4096)::bit(4096), (ordinal % 4096)::integer, 1))
FROM read.domains GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14;

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
    searched         boolean NOT NULL,
    scored           boolean NOT NULL,
    high_potential   boolean NOT NULL,
    warned           boolean NOT NULL,
    n                bigint NOT NULL,
    PRIMARY KEY (campaign_id, dns_status, dns_reason, http_status, http_reason, has_contact, lead_status,
                 rejection_reason, keyword_hit, searched, scored, high_potential, warned)
);
INSERT INTO read.domain_totals
SELECT campaign_id, dns_status, dns_reason, http_status, http_reason, has_contact, lead_status, rejection_reason,
       keyword_hit, searched, scored, high_potential, warned, sum(n)
FROM read.domain_counts GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13;

-- A sorted list merges a walk for each kind of rows that its filter wants, instead of looking for them among the others.
CREATE INDEX domains_by_richness ON read.domains
    (campaign_id, sorted_reason, has_contact, warned, richness_score, ordinal) WHERE richness_score IS NOT NULL;
CREATE INDEX domains_by_keywords ON read.domains
    (campaign_id, sorted_reason, has_contact, warned, keywords_unique, ordinal) WHERE keywords_unique IS NOT NULL;
CREATE INDEX domains_by_gain ON read.domains
    (campaign_id, sorted_reason, has_contact, warned, microcrawl_gain, ordinal) WHERE microcrawl_gain IS NOT NULL;
