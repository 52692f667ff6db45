-- delete_manifest: the manifest, its tags (up to a limit), then edges, links, referrer entry and the row itself.

-- From here on nobody can point a tag to it or write edges of it.
-- name: take(repository, digest)
SELECT refs, subject FROM manifest WHERE repository = $1::bytea AND digest = $2::bytea FOR UPDATE;

-- In the order in which commit_manifest writes them.
-- name: remove_tags(repository, digest, count)
WITH chosen AS (
    SELECT repository, name FROM tag WHERE repository = $1::bytea AND digest = $2::bytea
    ORDER BY name LIMIT $3::bigint FOR UPDATE
)
DELETE FROM tag USING chosen WHERE tag.repository = chosen.repository AND tag.name = chosen.name;

-- Not by the count of the statement above: as many tags as the limit would answer More with none left.
-- name: has_tags(repository, digest)
SELECT EXISTS (SELECT FROM tag WHERE repository = $1::bytea AND digest = $2::bytea) AS found;

-- name: remove_edges(repository, digests, owner)
DELETE FROM edge WHERE holder = $1::bytea AND digest = ANY ($2::bytea[]) AND owner = $3::bytea;

-- name: remove_referrer(repository, subject, digest)
DELETE FROM referrer WHERE repository = $1::bytea AND subject = $2::bytea AND digest = $3::bytea;

-- name: remove(repository, digest)
DELETE FROM manifest WHERE repository = $1::bytea AND digest = $2::bytea;
