-- Personal data of users in the log is sealed under a key of each user's own (docs/decisions/0023-personal-data-is-sealed.md).
-- The keys are state: sealed themselves under a key of the operator's, and removed to erase what they seal.
CREATE TABLE personal_keys (
    person       uuid PRIMARY KEY,               -- the user
    key_id       text,                           -- names the operator's key
    nonce        bytea,
    wrapped      bytea,
    -- Something of him is in the log as it is: recorded before there were keys, or by a node that had none to seal under.
    in_the_clear boolean NOT NULL DEFAULT false,
    erased_at    timestamptz,
    CHECK ((wrapped IS NULL) = (key_id IS NULL) AND (wrapped IS NULL) = (nonce IS NULL)),
    CHECK (erased_at IS NULL OR wrapped IS NULL)
);
-- A removed key is to be overwritten soon.
ALTER TABLE personal_keys SET (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);
CREATE INDEX personal_keys_erased ON personal_keys (erased_at) WHERE erased_at IS NOT NULL;

INSERT INTO personal_keys (person, in_the_clear)
SELECT DISTINCT aggregate_id::uuid, true FROM events WHERE aggregate_type = 'user';

-- Several users may be called `erased`.
DROP INDEX read.users_by_email;
CREATE INDEX users_by_email ON read.users (email);

-- Notes whose personal data is recorded as it is.
CREATE FUNCTION note_in_the_clear() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    actor text := NEW.metadata ->> 'actor';
    whose uuid := CASE
        WHEN NEW.aggregate_type = 'user' THEN NEW.aggregate_id::uuid
        WHEN actor LIKE 'user:%' THEN substr(actor, 6)::uuid
    END;
BEGIN
    IF whose IS NOT NULL AND NOT EXISTS (SELECT FROM personal_keys WHERE person = whose AND in_the_clear) THEN
        INSERT INTO personal_keys (person, in_the_clear) VALUES (whose, true)
        ON CONFLICT (person) DO UPDATE SET in_the_clear = true;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER events_note_in_the_clear AFTER INSERT ON events FOR EACH ROW
    WHEN (NEW.aggregate_type <> 'domain' AND (
        (NEW.metadata ->> 'ip') NOT LIKE 'sealed:v1:%' OR (NEW.metadata ->> 'user_agent') NOT LIKE 'sealed:v1:%'))
    EXECUTE FUNCTION note_in_the_clear();
CREATE TRIGGER events_note_user_in_the_clear AFTER INSERT ON events FOR EACH ROW
    WHEN (NEW.aggregate_type = 'user' AND NEW.event_type IN ('Registered', 'DetailsChanged', 'ApiKeyIssued') AND (
        (NEW.payload -> NEW.event_type ->> 'email') NOT LIKE 'sealed:v1:%'
        OR (NEW.payload -> NEW.event_type ->> 'username') NOT LIKE 'sealed:v1:%'
        OR (NEW.payload -> NEW.event_type ->> 'name') NOT LIKE 'sealed:v1:%'))
    EXECUTE FUNCTION note_in_the_clear();

-- An address that is sealed is taken by whoever sealed it, who knows it.
CREATE OR REPLACE FUNCTION take_user_email() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    address text := NEW.payload -> 'Registered' ->> 'email';
BEGIN
    IF address NOT LIKE 'sealed:v1:%' THEN
        INSERT INTO user_emails (email, user_id) VALUES (address, NEW.aggregate_id::uuid)
        ON CONFLICT (user_id) DO NOTHING;
    END IF;
    RETURN NULL;
END $$;

-- With the event that erases a user goes everything by which he comes in, and the key.
CREATE OR REPLACE FUNCTION keep_user_access() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    who uuid := NEW.aggregate_id::uuid;
BEGIN
    CASE NEW.event_type
        WHEN 'Registered' THEN
            INSERT INTO user_access (user_id, role, active) VALUES (who, NEW.payload -> 'Registered' ->> 'role', true);
        WHEN 'RoleChanged' THEN
            UPDATE user_access SET role = NEW.payload -> 'RoleChanged' ->> 'role' WHERE user_id = who;
        WHEN 'Reactivated' THEN
            UPDATE user_access SET active = true WHERE user_id = who;
        WHEN 'Deactivated' THEN
            UPDATE user_access SET active = false WHERE user_id = who;
            DELETE FROM sessions WHERE user_id = who;
        WHEN 'PasswordChanged' THEN
            DELETE FROM sessions WHERE user_id = who;
        WHEN 'Erased' THEN
            DELETE FROM user_access WHERE user_id = who;
            DELETE FROM sessions WHERE user_id = who;
            DELETE FROM api_keys WHERE user_id = who;
            DELETE FROM credentials WHERE user_id = who;
            DELETE FROM user_emails WHERE user_id = who;
            INSERT INTO personal_keys (person, erased_at) VALUES (who, NEW.recorded_at)
            ON CONFLICT (person) DO UPDATE SET key_id = NULL, nonce = NULL, wrapped = NULL, erased_at = EXCLUDED.erased_at;
    END CASE;
    RETURN NULL;
END $$;

DROP TRIGGER events_keep_user_access ON events;
CREATE TRIGGER events_keep_user_access AFTER INSERT ON events FOR EACH ROW
    WHEN (NEW.aggregate_type = 'user' AND NEW.event_type IN
          ('Registered', 'RoleChanged', 'Deactivated', 'Reactivated', 'PasswordChanged', 'Erased'))
    EXECUTE FUNCTION keep_user_access();
