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
