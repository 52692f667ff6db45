-- reap: blob, link, then in statements of their own the edges and, with the link gone, the other links (blob.sql).
-- It never waits: a busy row is answered with Later.

-- No row: busy or absent; `link_exists` tells Later from Gone.
-- name: take_blob(digest)
SELECT digest FROM blob WHERE digest = $1::bytea FOR UPDATE SKIP LOCKED;

-- FOR UPDATE, not FOR NO KEY UPDATE: it must exclude those who hold the link FOR KEY SHARE.
-- name: take_link(holder, digest)
SELECT lease_until > clock_timestamp() AS leased
FROM link WHERE holder = $1::bytea AND digest = $2::bytea FOR UPDATE SKIP LOCKED;

-- name: link_exists(holder, digest)
SELECT EXISTS (SELECT FROM link WHERE holder = $1::bytea AND digest = $2::bytea) AS found;

-- A statement of its own: it sees what committed until the link was ours.
-- name: has_edges(holder, digest)
SELECT EXISTS (SELECT FROM edge WHERE holder = $1::bytea AND digest = $2::bytea) AS found;

-- A referenced link leaves the queue until its last edge goes; a leased one waits for the end of the lease.
-- name: keep(holder, digest, referenced)
UPDATE link SET due_at = CASE WHEN $3::boolean THEN NULL ELSE lease_until END
WHERE holder = $1::bytea AND digest = $2::bytea;

-- name: remove_link(holder, digest)
DELETE FROM link WHERE holder = $1::bytea AND digest = $2::bytea;
