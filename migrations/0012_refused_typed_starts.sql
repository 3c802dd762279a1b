-- A typed campaign whose next phase could not start by itself stands at `error`: nothing goes on until the reason is gone.
-- A retry of whatever failed has a name of its own beside the retries of old, which left names that do not exist alone.
CREATE OR REPLACE FUNCTION typed_status(campaign_type text, stopped boolean, phases json) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN bool_or(p.state = 'paused') THEN 'paused'
        WHEN bool_or(p.state = 'running') THEN
            CASE WHEN bool_or(p.state = 'running' AND p.run_kind IN ('retry_failed', 'retry', 'rest'))
                 THEN 'retrying' ELSE 'active' END
        WHEN stopped THEN 'cancelled'
        WHEN bool_or(p.state = 'failed' AND p.failure_cause = 'error'
                     OR p.state IN ('not_started', 'configured') AND p.error IS NOT NULL) THEN 'error'
        WHEN bool_or(p.state = 'failed') THEN 'failed'
        WHEN count(*) FILTER (WHERE p.state = 'completed')
             = CASE campaign_type WHEN 'generation' THEN 1 WHEN 'dns' THEN 2 WHEN 'http' THEN 3 ELSE 5 END
            THEN 'completed'
        WHEN bool_or(p.run_number > 0) THEN 'active'
        ELSE 'pending' END
    FROM json_to_recordset(phases) AS p (state text, run_kind text, failure_cause text, run_number integer, error text)
$$;
