-- State that is not a projection: work under way, and what must never be in the log (secrets, sessions).

-- Whether a run may hand out work and take in results. Written by a trigger in the transaction of the campaign's
-- own event, so that an answer «paused» and the gate cannot disagree: leases and results take lock_run_gate() before
-- they read it, and a pause or stop that has been answered is one that they see. An advisory lock, because it queues:
-- share locks on the row itself would let worker after worker pass a pause that waits.
CREATE TABLE run_gates (
    run_id      uuid PRIMARY KEY,
    campaign_id uuid NOT NULL,
    phase       text NOT NULL,
    state       text NOT NULL CHECK (state IN ('running', 'paused', 'completed', 'failed'))
);
CREATE INDEX run_gates_under_way ON run_gates (state) WHERE state IN ('running', 'paused');

CREATE FUNCTION lock_run_gate(run uuid) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock_shared(hashtext('run_gate'), hashtext(run::text));
$$;

CREATE FUNCTION move_run_gate() RETURNS trigger LANGUAGE plpgsql AS $$
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
    PERFORM pg_advisory_xact_lock(hashtext('run_gate'), hashtext((run ->> 'run_id')::uuid::text));
    INSERT INTO run_gates (run_id, campaign_id, phase, state)
    VALUES ((run ->> 'run_id')::uuid, NEW.aggregate_id::uuid, run ->> 'phase', entered)
    ON CONFLICT (run_id) DO UPDATE SET state = EXCLUDED.state;
    RETURN NULL;
END $$;

CREATE TRIGGER events_move_run_gate AFTER INSERT ON events FOR EACH ROW
    WHEN (NEW.aggregate_type = 'campaign' AND NEW.event_type IN
          ('PhaseStarted', 'PhasePaused', 'PhaseResumed', 'PhaseCompleted', 'PhaseFailed'))
    EXECUTE FUNCTION move_run_gate();

-- A run whose work orders were written; one row, so that they are written once.
CREATE TABLE run_plans (
    run_id          uuid PRIMARY KEY REFERENCES run_gates,
    campaign_id     uuid NOT NULL,
    phase           text NOT NULL,
    items           bigint NOT NULL,
    planned_at      timestamptz NOT NULL DEFAULT now(),
    last_claimed_at timestamptz NOT NULL DEFAULT '-infinity'
);

-- A range of domain ordinals of one run. `epoch` counts the leases: a worker whose lease ran out cannot finish the
-- order that somebody else holds.
CREATE TABLE work_orders (
    run_id        uuid NOT NULL REFERENCES run_plans,
    first_ordinal bigint NOT NULL,
    last_ordinal  bigint NOT NULL,
    state         text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'leased', 'done')),
    epoch         integer NOT NULL DEFAULT 0,
    worker        text,
    leased_until  timestamptz,
    failures      integer NOT NULL DEFAULT 0,                    -- how often it was given back because of an error
    not_before    timestamptz NOT NULL DEFAULT '-infinity',      -- rests until then
    tallies       jsonb,
    PRIMARY KEY (run_id, first_ordinal)
);
CREATE INDEX work_orders_open ON work_orders (run_id, first_ordinal) WHERE state <> 'done';

-- Secrets of users; events name the user and nothing of this.
CREATE TABLE credentials (
    user_id       uuid PRIMARY KEY,
    password_hash text NOT NULL,
    changed_at    timestamptz NOT NULL DEFAULT now()
);

-- Sessions, by the SHA-256 of their id: who reads the table cannot log in with it.
CREATE TABLE sessions (
    session_hash bytea PRIMARY KEY,
    session_id   uuid NOT NULL UNIQUE,
    user_id      uuid NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    ip           text,
    user_agent   text
);
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Addresses that registered, taken in the transaction of the event, so that two users cannot share one.
CREATE TABLE user_emails (
    email   text PRIMARY KEY,
    user_id uuid NOT NULL UNIQUE
);

CREATE FUNCTION take_user_email() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_emails (email, user_id)
    VALUES (NEW.payload -> 'Registered' ->> 'email', NEW.aggregate_id::uuid);
    RETURN NULL;
END $$;

CREATE TRIGGER events_take_user_email AFTER INSERT ON events FOR EACH ROW
    WHEN (NEW.aggregate_type = 'user' AND NEW.event_type = 'Registered')
    EXECUTE FUNCTION take_user_email();

-- Commands that came with an idempotency key. The row is written with the events that the command caused, in their
-- transaction: a second command with the key cannot commit. The answer is added when it was given.
CREATE TABLE idempotency_keys (
    key          text PRIMARY KEY,            -- SHA-256 of user, operation and key
    request_hash text NOT NULL,
    batch        bigint,                      -- the transaction that wrote the events; none when nothing changed
    status       integer,
    response     json,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE FUNCTION take_idempotency_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO idempotency_keys AS k (key, request_hash, batch)
    VALUES (NEW.metadata ->> 'idempotency', coalesce(NEW.metadata ->> 'request_hash', ''), NEW.batch)
    ON CONFLICT (key) DO UPDATE SET batch = EXCLUDED.batch WHERE k.batch = EXCLUDED.batch;
    IF NOT FOUND THEN
        RAISE unique_violation USING MESSAGE = 'the idempotency key was used', CONSTRAINT = 'idempotency_keys_pkey';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER events_take_idempotency_key AFTER INSERT ON events FOR EACH ROW
    WHEN (NEW.aggregate_type <> 'domain' AND (NEW.metadata ->> 'idempotency') IS NOT NULL)
    EXECUTE FUNCTION take_idempotency_key();
