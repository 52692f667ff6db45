-- The first and the last statement of every mutation that carries an operation id.

-- A second attempt waits here for the first, holding nothing else; no row: the first one committed.
-- name: claim(id)
INSERT INTO operation (id) VALUES ($1::bytea) ON CONFLICT (id) DO NOTHING RETURNING id;

-- name: record(id, result)
UPDATE operation SET result = $2::jsonb, finished_at = clock_timestamp() WHERE id = $1::bytea;

-- name: recall(id)
SELECT result FROM operation WHERE id = $1::bytea;
