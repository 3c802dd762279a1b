-- Filters that ask for something that few domains have: what only a page can have (a score, a keyword, a contact, a warning, a
-- decision about what was found) is looked for among the pages, and a reason that is no everyday one is found by itself.
--
-- As with the sorts, the price is paid by rows that have a page or such a reason, and not by the many names that do not
-- exist: their NXDOMAIN stays out, and its filter is checked along the ordinals.
CREATE INDEX domains_with_page ON read.domains (campaign_id, ordinal) WHERE http_status = 'ok';
CREATE INDEX domains_by_dns_reason ON read.domains (campaign_id, dns_reason, ordinal)
    WHERE dns_reason NOT IN ('', 'NXDOMAIN');
CREATE INDEX domains_by_http_reason ON read.domains (campaign_id, http_reason, ordinal) WHERE http_reason <> '';
