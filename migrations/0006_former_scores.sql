-- What a domain scored in the run before its last: momentum is the difference of the two. Kept with the row, because
-- otherwise every look at a campaign would read two runs of results from the log. Written where a new run takes the
-- score away, so it costs no write of its own; an existing log shows it after the domains read model is rebuilt.
ALTER TABLE read.domains ADD COLUMN former_score double precision;
