-- A campaign may be for less than everything: names alone, a check of names that it is given, leads out of what other
-- campaigns found. Its users may note things on it, and see which files it was given.
ALTER TABLE read.campaigns
    ADD COLUMN campaign_type text   NOT NULL DEFAULT 'full',
    ADD COLUMN notes         text,
    ADD COLUMN tags          text[] NOT NULL DEFAULT '{}';
CREATE INDEX campaigns_of_owner_by_type ON read.campaigns (owner, campaign_type, created_at DESC, campaign_id);

-- Why the last run ended without doing all its work: by command, or because it could not go on.
ALTER TABLE read.campaign_phases ADD COLUMN failure_cause text;

CREATE TABLE read.campaign_uploads (
    campaign_id uuid        NOT NULL,
    file_id     uuid        NOT NULL,
    filename    text,                        -- as whoever sent it calls it; null for names in a request
    sha256      text        NOT NULL,
    names       bigint      NOT NULL,        -- that were new to the campaign
    uploaded_at timestamptz NOT NULL,
    uploaded_by text        NOT NULL,        -- the actor
    PRIMARY KEY (campaign_id, file_id)
);

-- How a campaign stands, as the typed interface says it; the program computes the same of a campaign in memory, and a
-- test compares both over every combination.
CREATE FUNCTION typed_status(campaign_type text, stopped boolean, phases json) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN bool_or(p.state = 'paused') THEN 'paused'
        WHEN bool_or(p.state = 'running') THEN
            CASE WHEN bool_or(p.state = 'running' AND p.run_kind IN ('retry', 'rest')) THEN 'retrying' ELSE 'active' END
        WHEN stopped THEN 'cancelled'
        WHEN bool_or(p.state = 'failed') THEN
            CASE WHEN bool_or(p.state = 'failed' AND p.failure_cause = 'error') THEN 'error' ELSE 'failed' END
        WHEN count(*) FILTER (WHERE p.state = 'completed')
             = CASE campaign_type WHEN 'generation' THEN 1 WHEN 'dns' THEN 2 WHEN 'http' THEN 3 ELSE 5 END
            THEN 'completed'
        WHEN bool_or(p.run_number > 0) THEN 'active'
        ELSE 'pending' END
    FROM json_to_recordset(phases) AS p (state text, run_kind text, failure_cause text, run_number integer)
$$;

-- What was recorded before is shown like what will be: of the events that the read model has taken in.
WITH taken_in AS (
    SELECT e.* FROM events e JOIN event_log l ON l.batch = e.batch
    WHERE e.aggregate_type = 'campaign' AND e.event_type IN ('PhaseFailed', 'DomainsImported')
      AND l.base + l.events - 1 <= (SELECT position FROM projection_checkpoints WHERE name = 'campaigns')
), uploads AS (
    INSERT INTO read.campaign_uploads (campaign_id, file_id, filename, sha256, names, uploaded_at, uploaded_by)
    SELECT DISTINCT ON (e.aggregate_id, e.payload -> e.event_type ->> 'file_id')
           e.aggregate_id::uuid, (e.payload -> e.event_type ->> 'file_id')::uuid, NULL,
           e.payload -> e.event_type ->> 'sha256',
           sum(json_array_length(e.payload -> e.event_type -> 'names'))
               OVER (PARTITION BY e.aggregate_id, e.payload -> e.event_type ->> 'file_id'),
           e.recorded_at, e.metadata ->> 'actor'
    FROM taken_in e JOIN read.campaigns c ON c.campaign_id = e.aggregate_id::uuid
    WHERE e.event_type = 'DomainsImported'
    ORDER BY e.aggregate_id, e.payload -> e.event_type ->> 'file_id', e.sequence
)
UPDATE read.campaign_phases p SET failure_cause = e.payload -> e.event_type ->> 'cause'
FROM taken_in e
WHERE e.event_type = 'PhaseFailed' AND p.state = 'failed' AND p.campaign_id = e.aggregate_id::uuid
  AND p.run_id = (e.payload -> e.event_type ->> 'run_id')::uuid;
