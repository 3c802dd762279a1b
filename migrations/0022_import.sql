-- A log that was recorded in another database is taken in by one transaction that sets `event_store.import`. What goes with
-- an event in its transaction goes with it then, too: gates, addresses and keys are those that the log says. Two things that
-- matter while events happen do not when they have happened.

-- Nobody leases or records results of a run that is not there yet, and one transaction cannot hold a lock for each run that
-- there ever was.
CREATE OR REPLACE FUNCTION move_run_gate() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    run     json := NEW.payload -> NEW.event_type;
    entered text := CASE NEW.event_type
        WHEN 'PhaseStarted' THEN 'running'
        WHEN 'PhaseResumed' THEN 'running'
        WHEN 'PhasePaused' THEN 'paused'
        WHEN 'PhaseCompleted' THEN 'completed'
        ELSE 'failed'
    END;
BEGIN
    IF current_setting('event_store.import', true) IS DISTINCT FROM 'on' THEN
        PERFORM pg_advisory_xact_lock(hashtext('run_gate'), hashtext((run ->> 'run_id')::uuid::text));
    END IF;
    INSERT INTO run_gates (run_id, campaign_id, phase, state)
    VALUES ((run ->> 'run_id')::uuid, NEW.aggregate_id::uuid, run ->> 'phase', entered)
    ON CONFLICT (run_id) DO UPDATE SET state = EXCLUDED.state;
    RETURN NULL;
END $$;

-- A key may have been used again after it had ended. It lives for as long as it would have, from its last use on; the answer
-- that was given is not in the log.
CREATE OR REPLACE FUNCTION take_idempotency_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('event_store.import', true) = 'on' THEN
        INSERT INTO idempotency_keys (key, request_hash, batch, created_at)
        VALUES (NEW.metadata ->> 'idempotency', coalesce(NEW.metadata ->> 'request_hash', ''), NEW.batch, NEW.recorded_at)
        ON CONFLICT (key) DO UPDATE
        SET request_hash = EXCLUDED.request_hash, batch = EXCLUDED.batch, created_at = EXCLUDED.created_at;
        RETURN NULL;
    END IF;
    INSERT INTO idempotency_keys AS k (key, request_hash, batch)
    VALUES (NEW.metadata ->> 'idempotency', coalesce(NEW.metadata ->> 'request_hash', ''), NEW.batch)
    ON CONFLICT (key) DO UPDATE SET batch = EXCLUDED.batch WHERE k.batch = EXCLUDED.batch;
    IF NOT FOUND THEN
        RAISE unique_violation USING MESSAGE = 'the idempotency key was used', CONSTRAINT = 'idempotency_keys_pkey';
    END IF;
    RETURN NULL;
END $$;
