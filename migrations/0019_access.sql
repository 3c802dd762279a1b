-- What each user may do, as his events say, in the transaction of the event that says so: a request is judged by it, and
-- must not be judged by a read model that is a moment behind.
CREATE TABLE user_access (
    user_id uuid PRIMARY KEY,
    role    text NOT NULL,
    active  boolean NOT NULL
);

INSERT INTO user_access (user_id, role, active)
SELECT aggregate_id::uuid,
       (array_agg(coalesce(payload -> 'Registered' ->> 'role', payload -> 'RoleChanged' ->> 'role') ORDER BY sequence DESC)
           FILTER (WHERE event_type IN ('Registered', 'RoleChanged')))[1],
       coalesce((array_agg(event_type = 'Reactivated' ORDER BY sequence DESC)
           FILTER (WHERE event_type IN ('Deactivated', 'Reactivated')))[1], true)
FROM events
WHERE aggregate_type = 'user' AND event_type IN ('Registered', 'RoleChanged', 'Deactivated', 'Reactivated')
GROUP BY aggregate_id;

-- When a session was last used; written once a minute at most. `expires_at` moves with it.
ALTER TABLE sessions ADD COLUMN last_used_at timestamptz NOT NULL DEFAULT now();

-- Sessions end with what they rest on: a password that is another now, a user who was shut out.
CREATE FUNCTION keep_user_access() RETURNS trigger LANGUAGE plpgsql AS $$
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
    END CASE;
    RETURN NULL;
END $$;

CREATE TRIGGER events_keep_user_access AFTER INSERT ON events FOR EACH ROW
    WHEN (NEW.aggregate_type = 'user' AND NEW.event_type IN
          ('Registered', 'RoleChanged', 'Deactivated', 'Reactivated', 'PasswordChanged'))
    EXECUTE FUNCTION keep_user_access();
