-- The read models: every table in schema `read` is a projection of the log and can be thrown away and rebuilt.
-- They live in a schema of their own so that a rebuild can make the same tables in another one and swap them.

CREATE SCHEMA read;

-- How far each projection has come, moved in the transaction that writes its rows.
CREATE TABLE projection_checkpoints (
    name        text PRIMARY KEY,
    position    bigint NOT NULL DEFAULT 0,
    applied     bigint NOT NULL DEFAULT 0,   -- events of the projection's types up to position
    halted      text,                        -- why it stands still: the event that it cannot apply
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE read.campaigns (
    campaign_id   uuid PRIMARY KEY,
    owner         uuid NOT NULL,
    name          text NOT NULL,
    description   text,
    mode          text NOT NULL,
    configuration jsonb NOT NULL,
    max_domains   bigint,
    names         bigint NOT NULL DEFAULT 0,
    stopped       boolean NOT NULL DEFAULT false,
    version       bigint NOT NULL,           -- sequence of the campaign's last event
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);
CREATE INDEX campaigns_of_owner ON read.campaigns (owner, created_at DESC, campaign_id);

-- One row a phase that was ever configured or started.
CREATE TABLE read.campaign_phases (
    campaign_id  uuid NOT NULL,
    phase        text NOT NULL,
    state        text NOT NULL,
    config       jsonb,
    run_id       uuid,
    run_number   integer NOT NULL DEFAULT 0,
    pinned       jsonb,
    started_at   timestamptz,
    paused_at    timestamptz,
    completed_at timestamptz,
    failed_at    timestamptz,
    error        text,
    tallies      jsonb,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (campaign_id, phase)
);
CREATE INDEX campaign_phases_under_way ON read.campaign_phases (state) WHERE state IN ('running', 'paused');

-- One row a name of a campaign. Names are found by the primary key, pages and work orders by the ordinal. Room is
-- left on the pages because every row is updated once a phase.
CREATE TABLE read.domains (
    campaign_id       uuid NOT NULL,
    name              text NOT NULL COLLATE "C",
    ordinal           bigint NOT NULL,
    pattern_offset    bigint,
    version           bigint NOT NULL DEFAULT 0,
    created_at        timestamptz NOT NULL,
    dns_run           uuid,
    dns_status        text NOT NULL DEFAULT 'pending',
    dns_reason        text NOT NULL DEFAULT '',
    addresses         text,                       -- separated by blanks
    http_run          uuid,
    http_status       text NOT NULL DEFAULT 'pending',
    http_reason       text NOT NULL DEFAULT '',
    fetched_at        timestamptz,
    evidence          jsonb,                      -- what scoring needs of the page
    keywords          text[],
    keywords_unique   integer,
    parked_confidence real,
    has_contact       boolean NOT NULL DEFAULT false,
    score_run         uuid,
    score             double precision,           -- 0 to 1
    score_breakdown   jsonb,
    richness_score    double precision,
    microcrawl_gain   double precision,
    features          jsonb,
    lead_run          uuid,
    lead_status       text NOT NULL DEFAULT 'pending',
    rejection_reason  text NOT NULL DEFAULT 'pending',
    keyword_hit       boolean NOT NULL DEFAULT false,
    scored            boolean NOT NULL DEFAULT false,
    high_potential    boolean NOT NULL DEFAULT false,
    warned            boolean NOT NULL DEFAULT false,
    PRIMARY KEY (campaign_id, name)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05);
CREATE UNIQUE INDEX domains_by_ordinal ON read.domains (campaign_id, ordinal);

-- How many domains of a campaign have which combination of findings: every counter, funnel and summary is a sum
-- over these rows, and the rows themselves can be recounted with one GROUP BY.
CREATE TABLE read.domain_counts (
    campaign_id      uuid NOT NULL,
    dns_status       text NOT NULL,
    dns_reason       text NOT NULL,
    http_status      text NOT NULL,
    http_reason      text NOT NULL,
    lead_status      text NOT NULL,
    rejection_reason text NOT NULL,
    keyword_hit      boolean NOT NULL,
    scored           boolean NOT NULL,
    high_potential   boolean NOT NULL,
    warned           boolean NOT NULL,
    n                bigint NOT NULL,
    PRIMARY KEY (campaign_id, dns_status, dns_reason, http_status, http_reason, lead_status, rejection_reason,
                 keyword_hit, scored, high_potential, warned)
);

CREATE TABLE read.personas (
    persona_id   uuid PRIMARY KEY,
    owner        uuid NOT NULL,
    persona_type text NOT NULL,
    name         text NOT NULL,
    description  text,
    config       jsonb NOT NULL,
    enabled      boolean NOT NULL,
    version      bigint NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE INDEX personas_of_owner ON read.personas (owner, created_at, persona_id);

CREATE TABLE read.keyword_sets (
    keyword_set_id uuid PRIMARY KEY,
    owner          uuid NOT NULL,
    name           text NOT NULL,
    description    text,
    enabled        boolean NOT NULL,
    rules          jsonb NOT NULL,
    version        bigint NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE INDEX keyword_sets_of_owner ON read.keyword_sets (owner, created_at, keyword_set_id);

CREATE TABLE read.scoring_profiles (
    scoring_profile_id uuid PRIMARY KEY,
    owner              uuid NOT NULL,
    name               text NOT NULL,
    description        text,
    weights            jsonb NOT NULL,
    version            bigint NOT NULL,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL
);
CREATE INDEX scoring_profiles_of_owner ON read.scoring_profiles (owner, created_at, scoring_profile_id);

CREATE TABLE read.users (
    user_id      uuid PRIMARY KEY,
    email        text NOT NULL,
    username     text NOT NULL,
    role         text NOT NULL,
    active       boolean NOT NULL,
    locked_until timestamptz,
    version      bigint NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE UNIQUE INDEX users_by_email ON read.users (email);

-- Actions of users and of the system; a domain's own history is read from its stream.
CREATE TABLE read.audit_entries (
    position       bigint PRIMARY KEY,
    recorded_at    timestamptz NOT NULL,
    actor          text NOT NULL,
    action         text NOT NULL,
    resource_type  text NOT NULL,
    resource_id    text NOT NULL,
    sequence       bigint NOT NULL,
    details        jsonb NOT NULL,
    correlation_id text NOT NULL,
    causation_id   text,
    ip             text,
    user_agent     text
);
CREATE INDEX audit_entries_of_resource ON read.audit_entries (resource_type, resource_id, position);
CREATE INDEX audit_entries_of_actor ON read.audit_entries (actor, position);
