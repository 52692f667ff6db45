-- take_due: nobody else sees the entries for the time `hidden`; a worker that dies gives them back by waiting.

-- name: take(count, hidden)
WITH chosen AS (
    SELECT holder, digest, due_at FROM link WHERE due_at <= clock_timestamp()
    ORDER BY due_at LIMIT $1::bigint FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE link SET due_at = clock_timestamp() + $2::interval
FROM chosen WHERE link.holder = chosen.holder AND link.digest = chosen.digest
RETURNING link.holder, link.digest, chosen.due_at;
