-- The facts of the store as PostgreSQL tables: the part of the schema that takes part in a race.
--
-- Names, keys and digests are bytea: compared byte by byte, and 0x00 is legal in an object key.
-- No foreign keys: their checks lock rows in an order of their own. The operations keep the references true.
-- No triggers, procedures or advisory locks: a row is the only lock.

-- What an operation answered, written in its own transaction: a commit whose answer was lost can be asked again.
CREATE TABLE operation (
    id          bytea PRIMARY KEY,
    result      jsonb,
    finished_at timestamptz
);

CREATE TABLE upload (
    id         bytea PRIMARY KEY,
    repository bytea NOT NULL,
    epoch      bigint NOT NULL,
    touched_at timestamptz NOT NULL
);

-- A physical name: live while `digest` is set, doomed once `due_at` is.
CREATE TABLE location (
    name   bytea PRIMARY KEY,
    digest bytea,
    due_at timestamptz,
    CHECK ((digest IS NULL) <> (due_at IS NULL))
);
CREATE INDEX location_digest ON location (digest) WHERE digest IS NOT NULL;
CREATE INDEX location_due ON location (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE blob (
    digest  bytea PRIMARY KEY,
    size    bigint NOT NULL,
    inline  bytea,
    extents jsonb,  -- [[location, offset, length], ...]
    CHECK ((inline IS NULL) <> (extents IS NULL))
);

-- `holder` is a repository's name, or a bucket's id behind a zero byte.
-- The queue of due links is the index over `due_at`, which a link without edges always has.
CREATE TABLE link (
    holder      bytea NOT NULL,
    digest      bytea NOT NULL,
    size        bigint NOT NULL,
    upload      bytea,
    lease_until timestamptz NOT NULL,
    due_at      timestamptz,
    PRIMARY KEY (holder, digest)
);
CREATE INDEX link_digest ON link (digest, holder);
CREATE INDEX link_due ON link (due_at) WHERE due_at IS NOT NULL;

-- `owner` is a manifest's digest, or an object version. Guarded by the row of its owner.
CREATE TABLE edge (
    holder bytea NOT NULL,
    digest bytea NOT NULL,
    owner  bytea NOT NULL,
    PRIMARY KEY (holder, digest, owner)
);

-- `revision` counts the pushes: 1 tells that this one made the row.
CREATE TABLE manifest (
    repository bytea NOT NULL,
    digest     bytea NOT NULL,
    media_type text NOT NULL,
    body       bytea NOT NULL,
    refs       bytea[] NOT NULL,
    subject    bytea,
    revision   bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (repository, digest)
);

-- `previous` is what the last write displaced: an upsert cannot return the old value of the column it sets.
CREATE TABLE tag (
    repository bytea NOT NULL,
    name       bytea NOT NULL,
    digest     bytea NOT NULL,
    previous   bytea,
    PRIMARY KEY (repository, name)
);
CREATE INDEX tag_of ON tag (repository, digest, name);

CREATE TABLE referrer (
    repository    bytea NOT NULL,
    subject       bytea NOT NULL,
    artifact_type bytea NOT NULL,
    digest        bytea NOT NULL,
    descriptor    bytea NOT NULL,
    PRIMARY KEY (repository, subject, artifact_type, digest)
);

CREATE TABLE bucket (
    id bytea PRIMARY KEY
);

-- One row per key. `current_seq` is empty only inside the transaction that makes the row.
CREATE TABLE object_head (
    bucket      bytea NOT NULL,
    key         bytea NOT NULL,
    last_seq    bigint NOT NULL,
    current_seq bigint,
    null_seq    bigint,
    live        boolean NOT NULL DEFAULT false,
    etag        bytea,
    PRIMARY KEY (bucket, key)
);
CREATE INDEX object_listing ON object_head (bucket, key) WHERE live;

CREATE TABLE object_version (
    bucket bytea NOT NULL,
    key    bytea NOT NULL,
    seq    bigint NOT NULL,
    size   bigint NOT NULL,
    etag   bytea NOT NULL,
    inline bytea,
    digest bytea,
    PRIMARY KEY (bucket, key, seq),
    CHECK ((inline IS NULL) <> (digest IS NULL))
);
