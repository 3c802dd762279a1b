-- Entries tell whose thing it was, what was different before and after, and by which key somebody came in; and each filter of
-- the audit trail goes along an index, in the order of the log. What is new follows from the log, so the table is filled anew.
UPDATE projection_checkpoints SET position = 0, applied = 0, halted = NULL WHERE name = 'audit';
TRUNCATE read.audit_entries;
ALTER TABLE read.audit_entries
    ADD COLUMN owner       uuid,              -- whose thing it is; what holds for everybody is nobody's
    ADD COLUMN api_key     uuid,
    ADD COLUMN idempotency text,
    ADD COLUMN before      jsonb,             -- the fields that changed, as they were; absent where none did
    ADD COLUMN after       jsonb;             -- and as they are since
CREATE INDEX audit_entries_of_owner ON read.audit_entries (owner, position);
CREATE INDEX audit_entries_by_action ON read.audit_entries (action, position);
CREATE INDEX audit_entries_by_type ON read.audit_entries (resource_type, position);
CREATE INDEX audit_entries_by_id ON read.audit_entries (resource_id, position);
CREATE INDEX audit_entries_by_time ON read.audit_entries (recorded_at, position);
CREATE INDEX audit_entries_of_request ON read.audit_entries (correlation_id, position);
CREATE INDEX audit_entries_caused_by ON read.audit_entries (causation_id, position) WHERE causation_id IS NOT NULL;

-- What the events up to here have made of each thing: what the next one changes is the difference.
CREATE TABLE read.audit_states (
    resource_type text NOT NULL,
    resource_id   text NOT NULL,
    owner         uuid,
    state         jsonb NOT NULL,
    PRIMARY KEY (resource_type, resource_id)
);
