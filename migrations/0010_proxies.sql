-- Proxies and pools as they are listed, and what is kept beside the log: credentials, and how checks came out.

CREATE TABLE read.proxies (
    proxy_id          uuid PRIMARY KEY,
    owner             uuid NOT NULL,
    name              text NOT NULL,
    description       text,
    protocol          text NOT NULL,
    host              text NOT NULL,
    port              integer NOT NULL,
    country_code      text,
    notes             text,
    enabled           boolean NOT NULL,
    health            text NOT NULL DEFAULT 'unknown' CHECK (health IN ('unknown', 'healthy', 'unhealthy')),
    version           bigint NOT NULL,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
);
CREATE INDEX proxies_of_owner ON read.proxies (owner, created_at, proxy_id);

CREATE TABLE read.proxy_pools (
    pool_id                       uuid PRIMARY KEY,
    owner                         uuid NOT NULL,
    name                          text NOT NULL,
    description                   text,
    enabled                       boolean NOT NULL,
    strategy                      text NOT NULL,
    health_check_enabled          boolean NOT NULL,
    health_check_interval_seconds integer NOT NULL,
    max_retries                   integer NOT NULL,
    timeout_seconds               integer NOT NULL,
    version                       bigint NOT NULL,
    created_at                    timestamptz NOT NULL,
    updated_at                    timestamptz NOT NULL
);
CREATE INDEX proxy_pools_of_owner ON read.proxy_pools (owner, created_at, pool_id);

CREATE TABLE read.proxy_pool_members (
    pool_id  uuid NOT NULL,
    proxy_id uuid NOT NULL,
    weight   integer NOT NULL,
    place    bigint NOT NULL,                -- the sequence of the event that added it: the order of failover
    added_at timestamptz NOT NULL,
    PRIMARY KEY (pool_id, proxy_id)
);
CREATE INDEX proxy_pool_members_by_proxy ON read.proxy_pool_members (proxy_id);

-- What proxies are told of who asks; events name the proxy and nothing of this. A row is written, replaced and removed
-- in the transaction of the event that says so. The name is in the clear because it is answered to its owner, the
-- password is XChaCha20-Poly1305 under the key that `key_id` names, with the proxy's id as associated data: a row that
-- is moved to another proxy does not open.
CREATE TABLE proxy_credentials (
    proxy_id   uuid PRIMARY KEY,
    username   text NOT NULL,
    key_id     text,
    nonce      bytea CHECK (octet_length(nonce) = 24),
    password   bytea,
    changed_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nulls(key_id, nonce, password) IN (0, 3))
);

-- How checks of proxies came out: counted for each check, while the log has the changes of health alone. A row is made
-- with its proxy and removed with it, so that a check that ends later leaves none behind.
CREATE TABLE proxy_checks (
    proxy_id        uuid PRIMARY KEY,
    success_count   bigint NOT NULL DEFAULT 0,
    failure_count   bigint NOT NULL DEFAULT 0,
    last_status     text,
    last_checked_at timestamptz,             -- by anybody
    last_tested_at  timestamptz,             -- by somebody who asked for a test
    last_error      text,                    -- of the last check, where it failed
    latency_ms      integer,
    claimed_until   timestamptz NOT NULL DEFAULT '-infinity',    -- a node checks it
    epoch           integer NOT NULL DEFAULT 0                   -- counts the setups: a check of an earlier one is not counted
);
