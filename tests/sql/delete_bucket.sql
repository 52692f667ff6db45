-- delete_bucket: locks the bucket, then looks in a statement of its own whether it is empty.

-- No row: there is no such bucket.
-- name: take(bucket)
SELECT id FROM bucket WHERE id = $1::bytea FOR UPDATE;

-- name: has_objects(bucket)
SELECT EXISTS (SELECT FROM object_head WHERE bucket = $1::bytea) AS found;

-- name: remove(bucket)
DELETE FROM bucket WHERE id = $1::bytea;
