-- What a role may do that the service connects as: everything that it needs, and not to change or remove an event.
--
-- Run it by psql on the migrated database, as a superuser, after the role was made (CREATE ROLE domainflow_service LOGIN) and
-- again after each upgrade (domainflow migrate with the address of the owner, who need not be a superuser). Each statement may
-- be repeated.

GRANT USAGE ON SCHEMA public TO domainflow_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO domainflow_service;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO domainflow_service;

-- The log is added to and read. TRUNCATE was never granted.
REVOKE UPDATE, DELETE ON events, event_log FROM domainflow_service;
-- The schema is the owner's to change.
REVOKE INSERT, UPDATE, DELETE ON _sqlx_migrations FROM domainflow_service;

-- Read models are thrown away and built again in a schema of their own, which then takes the place of this one's tables. So
-- they are the service's; the owner of the log, who upgrades the schema, is let at them as a member of its role. Campaigns
-- are shown as they were from temporary tables.
DO $$
DECLARE
    model regclass;
    owner name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'events'::regclass);
BEGIN
    IF owner = 'domainflow_service' THEN
        RAISE EXCEPTION 'domainflow_service owns the log, and so may change it: make the tables somebody else''s';
    END IF;
    EXECUTE format('GRANT domainflow_service TO %I', owner);
    EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO domainflow_service', current_database());
    ALTER SCHEMA read OWNER TO domainflow_service;
    FOR model IN SELECT oid FROM pg_class WHERE relnamespace = 'read'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO domainflow_service', model);
    END LOOP;
END $$;
