-- Wrong passwords for addresses that are nobody's, counted as a user's are, so that a lock-out does not tell who has an
-- account. An address is there by its SHA-256 alone.
CREATE TABLE failed_log_ins (
    address_hash bytea PRIMARY KEY,
    failures     integer NOT NULL,           -- since the last lock-out
    locked_until timestamptz,
    last_at      timestamptz NOT NULL
);
CREATE INDEX failed_log_ins_by_age ON failed_log_ins (last_at);
