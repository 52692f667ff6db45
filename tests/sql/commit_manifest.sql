-- commit_manifest: links, child manifests, the manifest, its edges and referrer entry, tags.

-- All references, required or not; a required one that is not returned is missing.
-- name: hold_links(repository, digests)
SELECT digest FROM link WHERE holder = $1::bytea AND digest = ANY ($2::bytea[]) ORDER BY digest FOR KEY SHARE;

-- Only those that may be a manifest and are no link.
-- name: hold_manifests(repository, digests)
SELECT digest FROM manifest WHERE repository = $1::bytea AND digest = ANY ($2::bytea[]) ORDER BY digest FOR KEY SHARE;

-- A second push under another media type may read other references out of the same bytes: the list is their union.
-- name: write_manifest(repository, digest, media_type, body, refs, subject)
INSERT INTO manifest (repository, digest, media_type, body, refs, subject)
VALUES ($1::bytea, $2::bytea, $3::text, $4::bytea, $5::bytea[], $6::bytea)
ON CONFLICT (repository, digest) DO UPDATE SET
    media_type = excluded.media_type,
    refs = ARRAY (SELECT unnest(manifest.refs) UNION SELECT unnest(excluded.refs) ORDER BY 1),
    revision = manifest.revision + 1
RETURNING revision = 1 AS created;

-- name: write_edges(repository, digests, owner)
INSERT INTO edge (holder, digest, owner)
SELECT $1::bytea, digest, $3::bytea FROM unnest($2::bytea[]) AS digest ORDER BY digest
ON CONFLICT DO NOTHING;

-- name: write_referrer(repository, subject, artifact_type, digest, descriptor)
INSERT INTO referrer (repository, subject, artifact_type, digest, descriptor)
VALUES ($1::bytea, $2::bytea, $3::bytea, $4::bytea, $5::bytea)
ON CONFLICT (repository, subject, artifact_type, digest) DO UPDATE SET descriptor = excluded.descriptor;

-- Writes all tags in one order, and tells what each was: the caller compares and rolls back on a conflict.
-- name: write_tags(repository, names, digest)
INSERT INTO tag (repository, name, digest)
SELECT $1::bytea, name, $3::bytea FROM unnest($2::bytea[]) AS name ORDER BY name
ON CONFLICT (repository, name) DO UPDATE SET previous = tag.digest, digest = excluded.digest
RETURNING name, previous;
