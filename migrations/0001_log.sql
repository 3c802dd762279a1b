-- The log: every event of every stream, and the order in which they count.
--
-- Why not simply order by an identity column: values are taken when a row is written and become visible when its
-- transaction commits, so a reader that stands at 7 can miss 5. Positions are therefore given after commit, by
-- sequence_events(), to whole transactions (batches): dense, without gaps, and never before anything that is visible.

CREATE SEQUENCE event_batch;

-- The number of the current transaction's batch, taken at its first event and kept in a transaction-local setting. A
-- savepoint that is rolled back takes the number with it, and with it the events that carried it.
CREATE FUNCTION current_event_batch() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    batch text := current_setting('event_store.batch', true);
BEGIN
    IF batch IS NULL OR batch = '' THEN
        batch := nextval('event_batch')::text;
        PERFORM set_config('event_store.batch', batch, true);
    END IF;
    RETURN batch::bigint;
END $$;

-- The same for the bulk lane, which writes its inbox row itself: from here until it has done so the trigger below is
-- off for this transaction.
CREATE FUNCTION bulk_event_batch() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('event_store.bulk', 'on', true);
    RETURN current_event_batch();
END $$;

CREATE TABLE events (
    -- Orders the events of one batch, nothing else. One transaction has one session, so cached values keep that order.
    id             bigint GENERATED ALWAYS AS IDENTITY (CACHE 64),
    batch          bigint NOT NULL DEFAULT current_event_batch(),
    aggregate_type text NOT NULL,
    aggregate_id   text NOT NULL,
    sequence       bigint NOT NULL CHECK (sequence > 0),
    event_type     text NOT NULL,
    event_version  text NOT NULL,
    payload        json NOT NULL,
    metadata       json NOT NULL,
    -- The moment of writing, not of the transaction's start: along a stream it never runs backwards.
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)
);
CREATE INDEX events_by_batch ON events (batch, id);

-- What has committed and has no position yet: one row a transaction.
--
-- The order is that of arrival, a number taken when the row is written, after the transaction's last append. The batch
-- number is taken at its first and would be wrong: a transaction that begins early, waits for another's commit and then
-- appends to the stream that the other wrote to would be placed before it. For two batches that touch one stream, the
-- later append follows the earlier's commit, so its arrival is the higher.
CREATE TABLE event_inbox (
    batch           bigint PRIMARY KEY,
    events          integer NOT NULL CHECK (events > 0),
    arrival         bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    -- The distinct types of the batch, so that a reader of some types passes over the rest without touching events.
    aggregate_types text[] NOT NULL,
    noted_at        timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (
    -- Rows live for milliseconds, and every one of them leaves a dead one that the sequencer reads past.
    autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 100000
);

-- The order: positions base … base + events - 1 belong to the events of the batch, by their id.
CREATE TABLE event_log (
    base            bigint PRIMARY KEY CHECK (base > 0),
    events          integer NOT NULL CHECK (events > 0),
    batch           bigint NOT NULL UNIQUE,
    aggregate_types text[] NOT NULL,
    committed_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Notes an event of the interactive lane. It runs at commit; where somebody makes it run earlier, every further event
-- moves the arrival, so that it stays that of the last.
CREATE FUNCTION note_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event_inbox AS noted (batch, events, aggregate_types)
    VALUES (NEW.batch, 1, ARRAY[NEW.aggregate_type])
    ON CONFLICT (batch) DO UPDATE SET
        events = noted.events + 1,
        arrival = DEFAULT,
        aggregate_types = CASE
            WHEN NEW.aggregate_type = ANY (noted.aggregate_types) THEN noted.aggregate_types
            ELSE noted.aggregate_types || NEW.aggregate_type
        END;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER events_note_event AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (current_setting('event_store.bulk', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION note_event();

-- Gives positions to everything that is visible and has none. `moved` is the number of batches, or null while another
-- session is doing it; `head` is the last position. Readers are told by one NOTIFY, from here and never from a writer:
-- NOTIFY takes a lock at commit that all notifiers of the server share.
CREATE FUNCTION sequence_events(OUT moved bigint, OUT head bigint) LANGUAGE plpgsql AS $$
BEGIN
    -- With an older snapshot the statements below would not see what the last holder of the lock did.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'sequence_events() needs the isolation level read committed';
    END IF;
    IF pg_try_advisory_xact_lock(4919131752989213764) THEN
        head := coalesce((SELECT base + events - 1 FROM event_log ORDER BY base DESC LIMIT 1), 0);
        WITH taken AS (
            DELETE FROM event_inbox RETURNING batch, events, arrival, aggregate_types
        ), placed AS (
            INSERT INTO event_log (base, events, batch, aggregate_types)
            SELECT sequence_events.head + 1 + sum(events) OVER (ORDER BY arrival) - events, events, batch, aggregate_types
            FROM taken
            RETURNING events
        )
        SELECT count(*), sequence_events.head + coalesce(sum(placed.events), 0)
        INTO moved, head
        FROM placed;
        IF moved > 0 THEN
            PERFORM pg_notify('event_log', head::text);
        END IF;
    ELSE
        head := coalesce((SELECT base + events - 1 FROM event_log ORDER BY base DESC LIMIT 1), 0);
    END IF;
END $$;

-- What is recorded stays as it was recorded. A statement trigger costs an append nothing.
CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % of % is refused', TG_OP, TG_TABLE_NAME;
END $$;

CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER event_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
