-- The suppression list as it is now: whom no engine of the installation sends anything to.

CREATE TABLE read.suppression_entries (
    entry_id   uuid PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('domain', 'suffix', 'cidr', 'nameserver')),
    value      text NOT NULL,                -- in the one form in which it is written
    reason     text NOT NULL,
    note       text,
    added_by   uuid NOT NULL,
    added_at   timestamptz NOT NULL,
    version    bigint NOT NULL
);
-- Lists are read in this order, page by page.
CREATE UNIQUE INDEX suppression_entries_in_order ON read.suppression_entries (value, kind);
