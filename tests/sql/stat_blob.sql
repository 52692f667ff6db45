-- stat_blob with a renewal: the answer comes from `read` while more than the grace is left, else from `renew` alone.

-- name: read(holder, digest, grace)
SELECT size, lease_until < clock_timestamp() + $3::interval AS short
FROM link WHERE holder = $1::bytea AND digest = $2::bytea;

-- No row: Unknown, whatever `read` saw.
-- name: renew(holder, digest, lease)
UPDATE link SET lease_until = greatest(lease_until, clock_timestamp() + $3::interval)
WHERE holder = $1::bytea AND digest = $2::bytea RETURNING size;
