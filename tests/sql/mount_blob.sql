-- mount_blob: the source's link, then `link` of blob.sql. While that link is held, its blob cannot go.

-- No row: Unknown.
-- name: hold_source(holder, digest)
SELECT size FROM link WHERE holder = $1::bytea AND digest = $2::bytea FOR KEY SHARE;
