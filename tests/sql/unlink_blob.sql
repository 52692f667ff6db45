-- unlink_blob: takes the blob, removes the link, and with the last link the blob (blob.sql).

-- name: take_blob(digest)
SELECT digest FROM blob WHERE digest = $1::bytea FOR UPDATE;

-- name: remove_link(holder, digest)
DELETE FROM link WHERE holder = $1::bytea AND digest = $2::bytea RETURNING digest;
