-- finish_upload: upload, then `hold` or `create` of blob.sql, `place` or `doom_copy`, `link`, then the upload's end.

-- No row: Unknown. Another epoch: Fenced.
-- name: take(id)
SELECT epoch FROM upload WHERE id = $1::bytea FOR UPDATE;

-- name: remove(id)
DELETE FROM upload WHERE id = $1::bytea;
