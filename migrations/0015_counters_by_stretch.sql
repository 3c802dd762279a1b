-- Domains are counted by stretches of 4,096 ordinals: a page of a list jumps over stretches in which the counters have no
-- match, where it walked them row by row. And they are counted with and without a contact, which lists are filtered by.
--
-- The stretch comes right after the campaign in the key, so that the counters of a stretch lie together, in order.
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
    PRIMARY KEY (campaign_id, stretch, dns_status, dns_reason, http_status, http_reason, has_contact, lead_status,
                 rejection_reason, keyword_hit, scored, high_potential, warned)
);
INSERT INTO read.domain_counts
SELECT campaign_id, ordinal / 4096, dns_status, dns_reason, http_status, http_reason, has_contact, lead_status,
       rejection_reason, keyword_hit, scored, high_potential, warned, count(*)
FROM read.domains GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13;
