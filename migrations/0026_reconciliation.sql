-- When the counters of all campaigns were last held against their rows, and what came of it. It lies here because it is of
-- no campaign, and so that whoever leads next goes on where the last one ended.
CREATE TABLE reconciliation (
    id          boolean PRIMARY KEY DEFAULT true CHECK (id),     -- one row
    ended_at    timestamptz NOT NULL DEFAULT now(),              -- of an installation that is new: when it was made
    campaigns   bigint NOT NULL DEFAULT 0,                       -- that were looked at
    drifted     bigint NOT NULL DEFAULT 0,                       -- of them, those whose counters drifted
    counters    bigint NOT NULL DEFAULT 0,                       -- that were wrong
    corrections bigint NOT NULL DEFAULT 0                        -- that were put right
);
INSERT INTO reconciliation DEFAULT VALUES;
