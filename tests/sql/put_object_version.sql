-- put_object_version: upload (finish_upload.sql), bucket, head, then blobs and links (blob.sql) in the order of their digests, then the version.
-- The head comes first because only it tells which version, and so which link, is displaced.

-- No row: the bucket is gone.
-- name: hold_bucket(bucket)
SELECT id FROM bucket WHERE id = $1::bytea FOR KEY SHARE;

-- Locks the key and draws its next number; the other columns are returned as the last writer left them.
-- name: advance_head(bucket, key)
INSERT INTO object_head (bucket, key, last_seq)
VALUES ($1::bytea, $2::bytea, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
ON CONFLICT (bucket, key) DO UPDATE SET last_seq = greatest(excluded.last_seq, object_head.last_seq + 1)
RETURNING last_seq, live, etag, null_seq;

-- name: read_version(bucket, key, seq)
SELECT digest FROM object_version WHERE bucket = $1::bytea AND key = $2::bytea AND seq = $3::bigint;

-- name: write_version(bucket, key, seq, size, etag, inline, digest)
INSERT INTO object_version (bucket, key, seq, size, etag, inline, digest)
VALUES ($1::bytea, $2::bytea, $3::bigint, $4::bigint, $5::bytea, $6::bytea, $7::bytea);

-- name: write_edge(holder, digest, owner)
INSERT INTO edge (holder, digest, owner) VALUES ($1::bytea, $2::bytea, $3::bytea);

-- name: remove_edge(holder, digest, owner)
DELETE FROM edge WHERE holder = $1::bytea AND digest = $2::bytea AND owner = $3::bytea;

-- name: remove_version(bucket, key, seq)
DELETE FROM object_version WHERE bucket = $1::bytea AND key = $2::bytea AND seq = $3::bigint;

-- name: write_head(bucket, key, seq, etag, is_null)
UPDATE object_head SET current_seq = $3::bigint, live = true, etag = $4::bytea,
    null_seq = CASE WHEN $5::boolean THEN $3::bigint ELSE null_seq END
WHERE bucket = $1::bytea AND key = $2::bytea;
