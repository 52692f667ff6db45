-- What several operations do with a blob's row and its links.

-- Keeps the blob from being removed until the transaction ends; does not hinder others that do the same.
-- name: hold(digest)
SELECT size FROM blob WHERE digest = $1::bytea FOR KEY SHARE;

-- No row: somebody else made it since `hold`; hold it again, which may find it removed once more.
-- name: create(digest, size, inline, extents)
INSERT INTO blob (digest, size, inline, extents) VALUES ($1::bytea, $2::bigint, $3::bytea, $4::jsonb)
ON CONFLICT (digest) DO NOTHING RETURNING digest;

-- name: place(name, digest)
INSERT INTO location (name, digest) VALUES ($1::bytea, $2::bytea);

-- name: doom_copy(name, delay)
INSERT INTO location (name, due_at) VALUES ($1::bytea, clock_timestamp() + $2::interval);

-- The lease counts from after a lock wait, hence the clock in both places.
-- name: link(holder, digest, size, upload, lease)
INSERT INTO link (holder, digest, size, upload, lease_until, due_at)
VALUES ($1::bytea, $2::bytea, $3::bigint, $4::bytea, clock_timestamp() + $5::interval, clock_timestamp() + $5::interval)
ON CONFLICT (holder, digest) DO UPDATE SET
    upload = excluded.upload,
    lease_until = greatest(link.lease_until, clock_timestamp() + $5::interval),
    due_at = coalesce(link.due_at, excluded.due_at);

-- Edges of these links go: leases them for the grace and queues them.
-- name: release(holder, digests, grace)
WITH held AS (
    SELECT holder, digest FROM link WHERE holder = $1::bytea AND digest = ANY ($2::bytea[])
    ORDER BY digest FOR NO KEY UPDATE
)
UPDATE link SET
    lease_until = greatest(lease_until, clock_timestamp() + $3::interval),
    due_at = greatest(lease_until, clock_timestamp() + $3::interval)
FROM held WHERE link.holder = held.holder AND link.digest = held.digest;

-- The three below need the blob's row locked FOR UPDATE by an earlier statement.
-- name: has_links(digest)
SELECT EXISTS (SELECT FROM link WHERE digest = $1::bytea) AS found;

-- name: remove(digest)
DELETE FROM blob WHERE digest = $1::bytea;

-- name: doom(digest, delay)
UPDATE location SET digest = NULL, due_at = clock_timestamp() + $2::interval WHERE digest = $1::bytea RETURNING name;
