-- Pages of domains that are sorted by richness or by the number of keywords: a walk along an index from the cursor on,
-- where a campaign's rows were fetched and sorted anew for every page. One index serves both directions of a sort.
--
-- Their price is paid by rows that have a page and by no others: a failed check leaves both values null, stays out of
-- both indexes and its update stays on its page (HOT). Where a page was fetched or scored, the update has an entry to
-- make in every index of the table. Therefore no index by filter: a filter is checked along one of these walks.
CREATE INDEX domains_by_richness ON read.domains (campaign_id, richness_score, ordinal)
    WHERE richness_score IS NOT NULL;
CREATE INDEX domains_by_keywords ON read.domains (campaign_id, keywords_unique, ordinal)
    WHERE keywords_unique IS NOT NULL;
