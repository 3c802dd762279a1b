-- Lists sorted by what further pages of a site added: a walk along an index, as with the other sorts. Scored rows have it and
-- no others. Those that were scored before have it among their features.
UPDATE read.domains SET microcrawl_gain = (features ->> 'gain')::float8 WHERE scored AND microcrawl_gain IS NULL;
CREATE INDEX domains_by_gain ON read.domains (campaign_id, microcrawl_gain, ordinal)
    WHERE microcrawl_gain IS NOT NULL;
