-- API keys, by the SHA-256 of the key: who reads the table can come in with none of them. What is said of them here is what
-- their events say too.
CREATE TABLE api_keys (
    key_id       uuid PRIMARY KEY,
    key_hash     bytea NOT NULL UNIQUE,
    user_id      uuid NOT NULL,
    name         text NOT NULL,
    scope        text NOT NULL CHECK (scope IN ('read', 'write')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    last_used_at timestamptz                 -- written once a minute at most
);
CREATE INDEX api_keys_of_user ON api_keys (user_id, created_at);

-- A key that was taken back is gone with the event that says so.
CREATE FUNCTION end_api_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM api_keys WHERE key_id = (NEW.payload -> 'ApiKeyRevoked' ->> 'key_id')::uuid;
    RETURN NULL;
END $$;

CREATE TRIGGER events_end_api_key AFTER INSERT ON events FOR EACH ROW
    WHEN (NEW.aggregate_type = 'user' AND NEW.event_type = 'ApiKeyRevoked')
    EXECUTE FUNCTION end_api_key();

-- The token by which the first user is made, by its SHA-256; there is one at most, and none once there is a user.
CREATE TABLE setup_token (
    only_one   boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    token_hash bytea NOT NULL,
    expires_at timestamptz NOT NULL
);
